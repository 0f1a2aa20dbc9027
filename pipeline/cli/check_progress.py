"""Progress of a check: a bar on a terminal, elsewhere a line now and then."""

import time
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_EVERY = 500
"""Dialogues per line where there is no terminal."""


class DialogueProgress:
    """Dialogues measured, with rate and time left. Use as a context manager."""

    def __init__(self, num_dialogues: int) -> None:
        self._total, self._done, self._began = num_dialogues, 0, time.monotonic()
        console = Console(stderr=True)
        self._bar: Progress | None = None
        if console.is_terminal:
            columns = (TextColumn("measuring"), BarColumn(), MofNCompleteColumn())
            rate = TextColumn("dialogues  {task.fields[rate]}")
            self._bar = Progress(*columns, rate, TimeRemainingColumn(), console=console, transient=True)
            self._task = self._bar.add_task("", total=num_dialogues, rate="")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self) -> None:
        """One more is measured."""
        self._done += 1
        rate = f"{self._done / max(time.monotonic() - self._began, 1e-3):.1f}/s"
        if self._bar is not None:
            self._bar.update(self._task, advance=1, rate=rate)
        elif self._done % _LINE_EVERY == 0:
            click.echo(f"measured {self._done}/{self._total} dialogues, {rate}", err=True)

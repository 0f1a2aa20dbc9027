"""Progress of a run on the terminal: a bar, or one line per shard where there is no terminal."""

import time

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pipeline.run_records import ShardRef


class ShardProgress:
    """Shows finished shards with rate and time left."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._began = 0.0
        self._total = 0
        self._done = 0

    def begin(self, num_shards: int) -> None:
        """So many shards of all stages will pass."""
        self._began, self._total, self._done = time.monotonic(), num_shards, 0
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description:<10}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("shards, {task.fields[rate]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.start()
            self._task = self._bar.add_task("seeds", total=num_shards, rate="")

    def advance(self, ref: ShardRef) -> None:
        """One more is done."""
        self._done += 1
        elapsed_s = max(time.monotonic() - self._began, 1e-3)
        rate = f"{self._done / elapsed_s:.1f}/s"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, description=ref.stage, rate=rate)
        else:
            state = "kept" if ref.cached else "done"
            refused = f", {ref.num_refusals} refused" if ref.num_refusals else ""
            click.echo(
                f"{ref.stage:<7} shard {ref.index:05d} {state}: {ref.num_records} records{refused} "
                f"(shard {self._done} of {self._total}, {rate})",
                err=True,
            )

    def end(self) -> None:
        """All are."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

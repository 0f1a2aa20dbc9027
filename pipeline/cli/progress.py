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
        self._pass: TaskID | None = None
        self._began = 0.0
        self._total = 0
        self._done = 0

    def begin(self, num_shards: int) -> None:
        """So many shards of all stages will pass."""
        self._began, self._total, self._done = time.monotonic(), num_shards, 0
        if self._console.is_terminal:
            bar = self._open()
            self._end_pass(bar)
            self._task = bar.add_task("seeds", total=num_shards, what="shards", rate="")

    def advance(self, ref: ShardRef) -> None:
        """One more is done."""
        self._done += 1
        elapsed_s = max(time.monotonic() - self._began, 1e-3)
        rate = f"{self._done / elapsed_s:.1f}/s"
        if self._bar is not None:
            self._end_pass(self._bar)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, description=ref.stage, rate=f", {rate}")
        else:
            state = "kept" if ref.cached else "done"
            refused = f", {ref.num_refusals} refused" if ref.num_refusals else ""
            click.echo(
                f"{ref.stage:<7} shard {ref.index:05d} {state}: {ref.num_records} records{refused} "
                f"(shard {self._done} of {self._total}, {rate})",
                err=True,
            )

    def calibrating(self, number: int, done: int, num_dialogues: int) -> None:
        """Of pass `number` over all dialogues, in search of a dial, so many are done; 0 begins a pass."""
        what = f"calibrating: pass {number}"
        if not self._console.is_terminal:
            if not done:
                click.echo(f"{what}, {num_dialogues} dialogues", err=True)
            return
        bar = self._open()
        if not done or self._pass is None:
            self._end_pass(bar)
            self._pass = bar.add_task(what, total=num_dialogues, what="dialogues", rate="")
        bar.update(self._pass, completed=done)

    def end(self) -> None:
        """All are."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _open(self) -> Progress:
        """The bars of this run; a pass over the dataset stands below the shards, or alone before them."""
        if self._bar is None:
            self._bar = Progress(
                TextColumn("{task.description:<10}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[what]}{task.fields[rate]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.start()
        return self._bar

    def _end_pass(self, bar: Progress) -> None:
        if self._pass is not None:
            bar.remove_task(self._pass)
            self._pass = None

"""Who watches the flow of this process: the terminal's progress bar, or a log that the server keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from prefect.logging import get_run_logger

from pipeline.run_records import Progress, ShardRef

_watcher: ContextVar[Progress | None] = ContextVar("watcher", default=None)
"""A flow's parameters are JSON, so a watcher cannot be one of them."""


@contextmanager
def watched(progress: Progress) -> Iterator[None]:
    """Show flows inside the block to `progress`."""
    token = _watcher.set(progress)
    try:
        yield
    finally:
        _watcher.reset(token)


def watcher() -> Progress:
    """Whoever watches; in a worker, where nobody does, the flow run's log."""
    return _watcher.get() or LogProgress()


class LogProgress:
    """One line per shard, for runs without a terminal."""

    def __init__(self) -> None:
        self._log = get_run_logger()
        self._num_shards = 0
        self._passed = 0

    def begin(self, num_shards: int) -> None:
        """Say how many will pass."""
        self._num_shards, self._passed = num_shards, 0
        self._log.info("%d shards to pass", num_shards)

    def advance(self, ref: ShardRef) -> None:
        """Say what came of one."""
        self._passed += 1
        self._log.info(
            "%s shard %05d %s: %d records, %d refused (%d/%d)",
            ref.stage,
            ref.index,
            "kept" if ref.cached else "done",
            ref.num_records,
            ref.num_refusals,
            self._passed,
            self._num_shards,
        )

    def calibrating(self, number: int, done: int, num_dialogues: int) -> None:
        """Say that a pass over all dialogues begins."""
        if not done:
            self._log.info("calibrating: pass %d, %d dialogues", number, num_dialogues)

    def end(self) -> None:
        """Say that all have passed."""
        self._log.info("all %d shards passed", self._num_shards)

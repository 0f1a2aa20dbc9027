"""Ctrl-C is not lost: Prefect waits in places where the exception that a signal raises can be swallowed.

Ctrl-C -> KeyboardInterrupt, wherever the main thread is  -> the run ends
                `-- swallowed -> at the next shard, again -> the run ends
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pipeline.run_records import Progress, ShardRef


class Interruptible:
    """A progress that ends the run where it was interrupted before."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._interrupted = False

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal: remember it, and do what Python does."""
        self._interrupted = True
        signal.default_int_handler(number, frame)

    def begin(self, num_shards: int) -> None:
        """So many shards will pass."""
        self._progress.begin(num_shards)

    def advance(self, ref: ShardRef) -> None:
        """One more has passed. Raises KeyboardInterrupt where one was lost."""
        self._progress.advance(ref)
        if self._interrupted:
            raise KeyboardInterrupt

    def calibrating(self, number: int, done: int, num_dialogues: int) -> None:
        """A pass over all dialogues is under way."""
        self._progress.calibrating(number, done, num_dialogues)

    def end(self) -> None:
        """All have passed, or none will any more."""
        self._progress.end()


@contextmanager
def interruptible(progress: Progress) -> Iterator[Progress]:
    """The progress to hand on while the block runs; outside of the main thread, where no signal arrives, itself."""
    if threading.current_thread() is not threading.main_thread():
        yield progress
        return
    watched = Interruptible(progress)
    before = signal.signal(signal.SIGINT, watched.interrupt)
    try:
        yield watched
    finally:
        signal.signal(signal.SIGINT, before)

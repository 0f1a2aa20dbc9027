"""Listening, kept: a recording is heard once, in one of several processes, and then only when something changed.

recording -> key -> there?  yes: what was heard
                      |  no: listen (minutes per hour of audio) -> activity/
"""

import hashlib
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.backends.vad.frames import FrameDetector, find_frame_detector
from pipeline.core.heard import Heard
from pipeline.core.mining.audit import because
from pipeline.diarizing import DiarizerFailedError, OneChannel, may_be_diarized
from pipeline.domain.errors import BackendError
from pipeline.domain.mining import Recording, RejectCode
from pipeline.io.mining_cache import MiningCache, content_key
from pipeline.io.recordings.declaration import Listening
from pipeline.io.recordings.given import files_of
from pipeline.listening import VERSION, listen_to

_AHEAD = 4
"""Recordings per process that wait their turn: what was heard is handed on at once, and never piles up."""


@dataclass(frozen=True, slots=True)
class Listener:
    """How recordings are heard, and where that is kept. Small: every piece of work carries one to its process."""

    base: Path
    listening: Listening
    one_channel: OneChannel | None
    cache: MiningCache

    def find(self, recording: Recording) -> Heard | None:
        """What was heard, unless anything that it depends on has changed."""
        return self.cache.find(recording.recording_id, self.key(recording))

    def hear(self, recording: Recording) -> Heard:
        """Hear a recording and keep what was heard.

        One that the diarizer fails at is refused for now: that is not kept, and the next call asks again.
        """
        detector: FrameDetector = find_frame_detector(self.listening.detector)
        key = self.key(recording)
        try:
            heard, frames = listen_to(recording, self.base, self.listening, detector, self.one_channel)
        except DiarizerFailedError as error:
            return Heard(
                recording_id=recording.recording_id,
                probed=None,
                activity=None,
                problems=(because(RejectCode.BACKEND_FAILED),),
                detail=f"{error}; it is asked again at the next call",
            )
        self.cache.put(key, heard, frames)
        return heard

    def hear_all(self, recordings: Sequence[Recording], workers: int) -> Iterator[Heard]:
        """Hear recordings, in order of completion. Raises BackendError where the machine ends a process."""
        find_frame_detector(self.listening.detector)  # a missing package is said once, and at once
        if workers == 1 or len(recordings) < 2:
            yield from map(self.hear, recordings)
            return
        heard: set[str] = set()
        try:
            for one in self._hear_apart(recordings, min(workers, len(recordings))):
                heard.add(one.recording_id)
                yield one
        except BrokenProcessPool as error:
            names = [one.recording_id for one in recordings if one.recording_id not in heard]
            raise BackendError(_ended(names, workers)) from error

    def _hear_apart(self, recordings: Sequence[Recording], workers: int) -> Iterator[Heard]:
        # Not forked: libraries that have started threads do not survive that.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
            left = iter(recordings)
            pending = {pool.submit(self.hear, one) for one in islice(left, _AHEAD * workers)}
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                pending |= {pool.submit(self.hear, one) for one in islice(left, len(done))}
                while done:
                    yield done.pop().result()

    def key(self, recording: Recording) -> str:
        """Of all that what is heard depends on."""
        content = " ".join(_state_of(path) for path in files_of(recording, self.base))
        how = self.listening.fingerprint()
        what = recording.model_copy(update={"rights": None}).model_dump_json(
            exclude={"rights", "split", "language"}
        )
        detector = find_frame_detector(self.listening.detector).name
        parts = [str(VERSION), detector, how, what, content]
        if self.one_channel is not None and may_be_diarized(recording):
            parts.append(self.one_channel.fingerprint(recording))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _state_of(path: Path) -> str:
    """What tells that one file has changed; of one that cannot be read, why not."""
    try:
        return content_key((path,))
    except OSError as error:
        return f"unreadable-{error.errno}"


def _ended(names: Sequence[str], workers: int) -> str:
    """Which recording was too much for it is not known: one of the first that are not heard."""
    more = f" and {len(names) - workers} more" if len(names) > workers else ""
    return (
        f"filter: one of {workers} processes that hear recordings was ended from outside (as a rule: no memory was "
        f"left); not heard: {', '.join(map(repr, names[:workers]))}{more}; what was heard is kept: call again with "
        "fewer `workers` in the declaration"
    )


def _end_with_parent() -> None:
    """Workers of a killed command would wait for work for ever: each watches its parent."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)  # what it was writing has a temporary name

    threading.Thread(target=watch, daemon=True).start()

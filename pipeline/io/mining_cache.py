"""Who speaks when, kept: hearing costs minutes per hour of audio, deciding costs milliseconds.

::

    activity/<recording>.json   Heard, under the key of what it was heard in and how
    activity/<recording>.npz    its frames

A key holds what tells that audio has changed: size, time of the last change, first and last megabyte. Content alone
would have to be read whole, on every call, to notice an edit in the middle: 2,000 h are 230 GB, and other thresholds
would wait for the disk instead of being answered in seconds. A file that was only touched is heard again, which costs
time and changes nothing; one that was copied with its times (`cp -p`, `rsync -t`) is not.
"""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from pipeline.core.heard import Frames, Heard
from pipeline.domain.record import Record
from pipeline.io.files import file_sha256, whole_file, write_text

_EDGE_BYTES = 2**20


class CachedHeard(Record):
    """An entry: valid for its key and for the frames whose hash it holds."""

    key: str
    heard: Heard
    frames_sha256: str | None


class MiningCache:
    """Entries of one output directory, by recording id. Written whole or not at all, frames first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, recording_id: str, key: str) -> Heard | None:
        """What was heard under this key; None where nothing was, or it is damaged."""
        entry, frames = self._paths(recording_id)
        try:
            cached = CachedHeard.from_line(entry.read_bytes())
            whole = cached.frames_sha256 is None or file_sha256(frames) == cached.frames_sha256
        except (OSError, ValidationError):
            return None
        return cached.heard if whole and cached.key == key else None

    def entries(self) -> Iterator[Heard]:
        """Everything that was ever heard and is whole, by file name."""
        for path in sorted(self._directory.glob("[!.]*.json")):
            try:
                yield CachedHeard.from_line(path.read_bytes()).heard
            except (OSError, ValidationError):
                continue

    def load_frames(self, heard: Heard) -> Frames | None:
        """Frames of an entry that was found; None for a recording without audio."""
        _, path = self._paths(heard.recording_id)
        if heard.probed is None:
            return None
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return Frames(levels=arrays["levels"], clipped=arrays["clipped"])
        except (OSError, KeyError, ValueError, zipfile.BadZipFile):
            return None

    def put(self, key: str, heard: Heard, frames: Frames | None) -> None:
        """Keep an entry."""
        entry, path = self._paths(heard.recording_id)
        entry.unlink(missing_ok=True)
        digest = None
        if frames is not None:
            with whole_file(path, durable=False) as partial, partial.open("wb") as file:
                np.savez(file, levels=frames.levels, clipped=frames.clipped)
            digest = file_sha256(path)
        write_text(entry, CachedHeard(key=key, heard=heard, frames_sha256=digest).to_line())

    def _paths(self, recording_id: str) -> tuple[Path, Path]:
        name = file_name_of(recording_id)
        return self._directory / f"{name}.json", self._directory / f"{name}.npz"


def file_name_of(recording_id: str) -> str:
    """A recording's name as that of a file, no other's: `_` is all that some file systems allow in place of `:`.

    >>> file_name_of("calls_monday"), file_name_of("calls:monday")
    ('calls_monday', 'calls_monday-8c792e7f')
    """
    name = recording_id.replace(":", "_")
    return name if name == recording_id else f"{name}-{hashlib.sha256(recording_id.encode()).hexdigest()[:8]}"


def content_key(paths: tuple[Path, ...]) -> str:
    """Digest of what tells that files have changed. Raises OSError where one is not there."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            known = os.fstat(file.fileno())
            digest.update(f"{known.st_size} {known.st_mtime_ns} ".encode())
            digest.update(file.read(_EDGE_BYTES))
            file.seek(max(known.st_size - _EDGE_BYTES, 0))
            digest.update(file.read(_EDGE_BYTES))
    return digest.hexdigest()

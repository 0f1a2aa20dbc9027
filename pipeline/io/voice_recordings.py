"""Recordings of speakers beside the catalogue that names them, byte for byte as they were given.

    mine/voices.yaml
    mine/references/3f9a51c07be2d184-calm.wav      <first digits of its SHA-256>-<its name>

No converted copies: what engines are sent is what was measured, and what the consent was given for.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import soundfile

from pipeline.domain.errors import ConfigError
from pipeline.io.files import write_bytes
from pipeline.io.waves import Channel, decode_channels

DIRECTORY = "references"


@dataclass(frozen=True, slots=True)
class VoiceRecording:
    """A file that was read whole."""

    name: str
    content: bytes
    encoding: str
    """As libsndfile tells it: `WAV PCM_16`."""
    channels: tuple[Channel, ...]

    @property
    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def place(self) -> str:
        """Where it lies, relative to the catalogue.

        >>> VoiceRecording("My calm voice.WAV", b"", "WAV PCM_16", ()).place
        'references/e3b0c44298fc1c14-My-calm-voice.wav'
        """
        stem = re.sub(r"[^\w.-]+", "-", Path(self.name).stem).strip("-.")[:40] or "voice"
        return f"{DIRECTORY}/{self.sha256[:16]}-{stem}.wav"


def read_recording(path: Path) -> VoiceRecording:
    """Raises ConfigError for a file that is not there or is no audio."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"voices: {path}: cannot be read ({error.strerror}); wanted a recording of the speaker, as a wav file"
        ) from error
    return decode_recording(content, str(path))


def decode_recording(content: bytes, name: str) -> VoiceRecording:
    """The same of a file that was read already. Raises ConfigError where it is no audio."""
    channels = decode_channels(content, name)
    described = soundfile.info(BytesIO(content))
    return VoiceRecording(name, content, f"{described.format} {described.subtype}", channels)


def store_recording(catalogue: Path, place: str, content: bytes) -> bool:
    """Put a recording beside its catalogue, whole or not at all; returns whether it was not there yet."""
    path = catalogue.parent / place
    if path.is_file() and path.read_bytes() == content:
        return False
    write_bytes(path, content)
    return True


@contextmanager
def writing_alone(directory: Path) -> Iterator[None]:
    """Wait until nobody else writes in a directory: two commands at once lose no voice of either."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

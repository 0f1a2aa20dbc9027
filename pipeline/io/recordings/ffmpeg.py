"""What libsndfile cannot read, through ffmpeg: m4a and mp4 (AAC, Opus), WebM, AMR, WMA, SPHERE in shorten where it can.

::

    file --> ffmpeg -f au -c:a pcm_f32be pipe:1 --> header of 24 bytes, then samples as they are asked for

The process is read block by block and never holds more than a pipe full, so memory does not grow with the file
(pydub, the usual way to call ffmpeg, reads a whole file at once). Only the head of a file decides whether ffmpeg is
asked, so that a damaged wav is refused and not guessed at. How many samples there are is known when all were decoded
once; an excerpt is decoded from the beginning, so that it is exact.
"""

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import PipelineError

Samples = npt.NDArray[np.float32]
"""`[num_samples, channels]`, -1...1."""

_HEADER = struct.Struct(">4s5I")
_FLOAT32 = 6
_BLOCK = 2**16
_OPTIONS = ("-nostdin", "-v", "error", "-xerror", "-protocol_whitelist", "file,pipe")
_OUTPUT = ("-map", "0:a:0", "-f", "au", "-c:a", "pcm_f32be", "pipe:1")


class FfmpegError(PipelineError):
    """ffmpeg is missing, or cannot decode a file."""


def kind_for_ffmpeg(path: Path) -> str | None:
    """What a file is, by its head, where ffmpeg is the one to read it; else None."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError:
        return None
    if head.startswith(b"NIST_1A") and b"shorten" in head:
        return "shorten-compressed SPHERE"
    if head[4:8] == b"ftyp":
        return "MP4"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "AAC"
    kinds = {b"\x1aE\xdf\xa3": "Matroska", b"#!AMR": "AMR", b"\x30\x26\xb2\x75": "Windows Media"}
    return next((kind for magic, kind in kinds.items() if head.startswith(magic)), None)


def read_rate_and_channels(path: Path) -> tuple[int, int]:
    """Of the first audio stream. Raises FfmpegError."""
    with _started(path) as stream:
        return stream.sampling_rate, stream.channels


def count_samples(path: Path) -> int:
    """Per channel; decodes the file once. Raises FfmpegError where it is damaged."""
    with _started(path) as stream:
        return _skip(stream, None)


@contextmanager
def decoded(path: Path, start: int) -> Iterator[Callable[[int], Samples]]:
    """A function that reads on from sample `start`: so many samples, fewer at the end."""
    with _started(path) as stream:
        _skip(stream, start)
        yield stream.read


class _Stream:
    """The samples that a running ffmpeg writes."""

    def __init__(self, path: Path, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        assert process.stdout is not None
        self._path, self._process, self._log, self._out = path, process, log, process.stdout
        head = self._out.read(_HEADER.size)
        if len(head) < _HEADER.size:
            self._check_end()
            raise FfmpegError(f"{path}: ffmpeg finds no audio in it{_remedy(path)}")
        magic, offset, _, encoding, self.sampling_rate, self.channels = _HEADER.unpack(head)
        if magic != b".snd" or encoding != _FLOAT32 or not self.channels:
            raise FfmpegError(
                f"{path}: ffmpeg answers {head!r}, wanted an AU header; is it ffmpeg 4 or later?"
            )
        self._out.read(offset - _HEADER.size)

    def read(self, num_samples: int) -> Samples:
        """The next samples; fewer at the end."""
        size = 4 * self.channels
        data = self._out.read(num_samples * size)
        if len(data) < num_samples * size:
            self._check_end()
        whole = len(data) // size * size
        return np.frombuffer(data[:whole], ">f4").astype(np.float32).reshape(-1, self.channels)

    def _check_end(self) -> None:
        if self._process.wait() == 0:
            return
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit code {self._process.returncode}"
        raise FfmpegError(f"{self._path}: ffmpeg cannot decode it ({reason}){_remedy(self._path)}")


@contextmanager
def _started(path: Path) -> Iterator[_Stream]:
    program = shutil.which("ffmpeg")
    if program is None:
        kind = kind_for_ffmpeg(path)
        raise FfmpegError(
            f"{path}: {kind} is read through ffmpeg, which is not on PATH: install it{_remedy(path)}"
        )
    command = (program, *_OPTIONS, "-i", f"file:{path}", *_OUTPUT)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        with process:
            try:
                yield _Stream(path, process, log)
            finally:
                process.kill()  # who reads no further needs no more


def _skip(stream: _Stream, num_samples: int | None) -> int:
    """Read and forget so many samples, or all; returns how many there were."""
    done = 0
    while num_samples is None or done < num_samples:
        wanted = _BLOCK if num_samples is None else min(_BLOCK, num_samples - done)
        read = len(stream.read(wanted))
        done += read
        if read < wanted:
            break
    return done


def _remedy(path: Path) -> str:
    if kind_for_ffmpeg(path) == "shorten-compressed SPHERE":
        return "; or convert it with sph2pipe -f wav"
    return "; or convert it to wav or flac"

"""Where an export is written: beside its place first, then swapped in as a whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from pydantic import ValidationError

from pipeline.core.checks.export_findings import Sound
from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record
from pipeline.domain.timeline import AudioFile
from pipeline.io.audio import Pcm, read_pcm16, write_audio, write_float_wav
from pipeline.io.files import audio_digest, write_text

_STAMP = "export.json"


class ExportStamp(Record):
    """What an export directory was made from: the file `export.json` in it."""

    format: str
    key: str
    """Hash of the records, the stage's version and its options."""
    num_dialogues: int
    num_refusals: int


class ExportTree:
    """Writes an export's files below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write_text(self, path: str, content: str) -> None:
        """UTF-8, line ends as they are."""
        self._place(path).write_bytes(content.encode())

    def write_wav(self, path: str, samples: Pcm, sampling_rate: int) -> None:
        """Mono PCM16."""
        write_audio(self._place(path), samples, sampling_rate, "wav")

    def write_float_wav(self, path: str, samples: npt.NDArray[np.float32], sampling_rate: int) -> None:
        """Mono IEEE float32."""
        write_float_wav(self._place(path), samples, sampling_rate)

    def link(self, path: str, of: str) -> None:
        """A second name for a file of this export; a copy where there are no hard links."""
        target = self._place(path)
        try:
            os.link(self._directory / of, target)
        except OSError:
            shutil.copyfile(self._directory / of, target)

    def _place(self, path: str) -> Path:
        target = self._directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


class RunAudioSource:
    """Reads the rendered audio of a run."""

    def __init__(self, run_directory: Path) -> None:
        self._run_directory = run_directory

    def read_audio(self, audio: AudioFile) -> tuple[Pcm, int]:
        """Samples `[num_samples, 2]` int16 and their rate. Raises RecordError BAD_AUDIO."""
        try:
            return read_pcm16(self._run_directory / audio.path)
        except Exception as error:
            raise RecordError(Reason.BAD_AUDIO, str(error)) from error


class ExportFiles:
    """Reads an export's files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        files = (path for path in directory.rglob("*") if path.is_file())
        self.paths = frozenset(path.relative_to(directory).as_posix() for path in files)
        """Relative to the root."""

    def read_text(self, path: str) -> str | None:
        """The text with the line ends that it has, None where it is not UTF-8."""
        try:
            return (self._directory / path).read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            return None

    def read_sound(self, path: str) -> Sound | None:
        """What an audio file is and holds, None where it cannot be decoded."""
        try:
            with soundfile.SoundFile(self._directory / path) as file:
                samples = file.read(dtype="int16", always_2d=True)
                return Sound(
                    container=file.format,
                    encoding=file.subtype,
                    channels=file.channels,
                    sampling_rate=file.samplerate,
                    num_samples=len(samples),
                    digest=audio_digest([np.ascontiguousarray(samples).reshape(-1).view(np.uint8).data]),
                    silent=not samples.any(),
                )
        except (OSError, soundfile.LibsndfileError):
            return None


def find_export(out: Path) -> ExportStamp | None:
    """What is at `out`, if it is a finished export."""
    try:
        return ExportStamp.from_line((out / _STAMP).read_bytes())
    except (OSError, ValidationError):
        return None


@contextmanager
def whole_export(out: Path) -> Iterator[Path]:
    """Yield an empty directory; put it in the place of `out` when the block succeeds.

    Replaces an earlier export, and nothing else: raises ConfigError where `out` holds other files.
    """
    if out.exists() and find_export(out) is None and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out}: is not an export and not empty; choose another --out")
    partial = out.with_name(f".partial-{out.name}")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        if out.exists():
            shutil.rmtree(out)
        partial.rename(out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error}); choose another --out") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_stamp(directory: Path, stamp: ExportStamp) -> None:
    """Say what the export was made from."""
    write_text(directory / _STAMP, stamp.to_line() + "\n")

"""Audio files: PCM16 in, PCM16 out."""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from pipeline.domain.errors import BackendError, ConfigError
from pipeline.domain.timeline import AudioFile
from pipeline.io.files import audio_digest, audio_file_digest, whole_file

Pcm = npt.NDArray[np.int16]

FLAC_LEVEL = 0.0
"""A quarter of the wav's bytes; the default level is 1.7 % smaller and costs half as much again."""


def write_audio(path: Path, samples: Pcm, sampling_rate: int, file_format: str) -> tuple[int, str]:
    """Write `[num_samples]` or `[num_samples, channels]` int16 as one `wav` or `flac` file, whole or not at all.

    Returns its size in bytes and its `audio_digest`.
    """
    if file_format not in ("wav", "flac"):
        raise ConfigError(f"audio format {file_format!r} is not written here; use flac or wav")
    with whole_file(path, durable=False) as partial:
        if file_format == "wav":
            return _write_wav(partial, samples, sampling_rate)
        soundfile.write(
            partial, samples, sampling_rate, format="FLAC", subtype="PCM_16", compression_level=FLAC_LEVEL
        )
        return partial.stat().st_size, audio_file_digest(partial)


def _write_wav(path: Path, samples: Pcm, sampling_rate: int) -> tuple[int, str]:
    """A header, then the samples as they lie in memory: there is nothing to copy."""
    data = np.ascontiguousarray(samples, dtype="<i2")
    channels = 1 if data.ndim == 1 else data.shape[1]
    parts = (_wav_header(data.nbytes, channels, sampling_rate), data.reshape(-1).view(np.uint8).data)
    with path.open("wb", buffering=0) as file:
        for part in parts:
            file.write(part)
    return sum(map(len, parts)), audio_digest(parts)


def _wav_header(data_bytes: int, channels: int, sampling_rate: int) -> bytes:
    """The 44 bytes before PCM16 samples (RIFF, `fmt `, `data`)."""
    frame = 2 * channels
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + data_bytes, b"WAVE"),
        *(b"fmt ", 16, 1, channels, sampling_rate, sampling_rate * frame, frame, 16),
        *(b"data", data_bytes),
    )


def write_float_wav(path: Path, samples: npt.NDArray[np.float32], sampling_rate: int) -> None:
    """Write `[num_samples]` float32 as one mono wav file, whole or not at all.

    Not through libsndfile, whose float files carry a `PEAK` chunk with the time of day: equal samples are to be
    equal bytes. RIFF wants a `fact` chunk, the number of samples, where a file is not PCM.
    """
    data = np.ascontiguousarray(samples, dtype="<f4")
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sII4sI",
        *(b"RIFF", 48 + data.nbytes, b"WAVE"),
        *(b"fmt ", 16, 3, 1, sampling_rate, sampling_rate * 4, 4, 32),
        *(b"fact", 4, len(data)),
        *(b"data", data.nbytes),
    )
    with whole_file(path, durable=False) as partial, partial.open("wb", buffering=0) as file:
        file.write(header)
        file.write(data.view(np.uint8).data)


def read_pcm16(path: Path) -> tuple[Pcm, int]:
    """Samples `[num_samples, channels]` int16 and the rate of any file libsndfile reads.

    Raises BackendError where the file is missing or damaged.
    """
    try:
        samples, sampling_rate = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise BackendError(f"{path}: cannot be read as audio ({error}); render it again") from error
    return samples, int(sampling_rate)


class RunAudio:
    """`audio/<dialogue_id>.<format>` of a run directory."""

    def __init__(self, run_directory: Path) -> None:
        self._run_directory = run_directory

    def write_audio(self, dialogue_id: str, samples: Pcm, sampling_rate: int, file_format: str) -> AudioFile:
        """Write one dialogue, whole or not at all."""
        relative = f"audio/{dialogue_id}.{file_format}"
        num_bytes, digest = write_audio(self._run_directory / relative, samples, sampling_rate, file_format)
        return AudioFile(
            path=relative,
            digest=digest,
            num_bytes=num_bytes,
            num_samples=len(samples),
            sampling_rate=sampling_rate,
        )

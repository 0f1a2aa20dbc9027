"""Recordings to be measured: any file libsndfile reads, as float32 per channel.

PCM16 reading would turn a float file, as some tools write them, into silence; float32 holds both.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from pipeline.domain.errors import ConfigError

Wave = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a recording: `samples` is `[num_samples]`, -1...1."""

    name: str
    samples: Wave
    sampling_rate: int


def read_channels(path: Path) -> tuple[Channel, ...]:
    """Every channel of a file, in its order. Raises ConfigError where it cannot be read."""
    return _decode(path, str(path), path.stem)


def decode_channels(content: bytes, name: str) -> tuple[Channel, ...]:
    """The same of a file that was read already; `name` is who the error speaks of."""
    return _decode(BytesIO(content), name, name)


def _decode(source: Path | BytesIO, name: str, stem: str) -> tuple[Channel, ...]:
    try:
        samples, sampling_rate = soundfile.read(source, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise ConfigError(
            f"{name}: cannot be read as audio ({error}); wanted wav, flac, ogg or mp3"
        ) from error
    return tuple(
        Channel(f"{stem}:{index}", np.ascontiguousarray(samples[:, index]), int(sampling_rate))
        for index in range(samples.shape[1])
    )


def read_conversations(paths: tuple[Path, ...]) -> tuple[tuple[Path, ...], ...]:
    """Which files make one conversation: a two-channel file alone, two mono files in a row together.

    Raises ConfigError for any other number of channels, and for a mono file without a partner.
    """
    groups: list[tuple[Path, ...]] = []
    waiting: Path | None = None
    for path in paths:
        channels = _count_channels(path)
        if channels == 1 and waiting is None:
            waiting = path
        elif channels == 1 and waiting is not None:
            groups.append((waiting, path))
            waiting = None
        elif channels == 2 and waiting is None:
            groups.append((path,))
        else:
            raise ConfigError(
                f"{waiting or path}: wanted one two-channel file, or two mono files in a row, per conversation; "
                f"got {channels} channel(s) in {path}"
            )
    if waiting is not None:
        raise ConfigError(
            f"{waiting}: one channel, and no second file: who speaks on the other side? Give two mono files, "
            "or diarize the recording and describe its RTTM"
        )
    return tuple(groups)


def _count_channels(path: Path) -> int:
    try:
        return int(soundfile.info(path).channels)
    except (OSError, soundfile.LibsndfileError) as error:
        raise ConfigError(
            f"{path}: cannot be read as audio ({error}); wanted wav, flac, ogg or mp3"
        ) from error

"""Audio of a recording, block by block: one file of one or two channels, or two files of one channel each.

Whatever libsndfile reads: wav in every encoding, flac, ogg, mp3, NIST SPHERE (also where it is named `.wav`, since the
header decides). Shorten-compressed SPHERE, as Fisher comes, it does not read; the error says how to convert it.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from pipeline.domain.errors import PipelineError

Block = npt.NDArray[np.float32]
"""`[num_samples, channels]`, -1...1."""

_LENGTHS_DIFFER_S = 0.1
"""Two files of one call may differ that much; the shorter one is padded with silence."""


class UnreadableAudioError(PipelineError):
    """The audio of one recording cannot be used; the recording is refused, the run goes on."""


class WrongChannelsError(UnreadableAudioError):
    """Neither one channel nor two."""

    def __init__(self, message: str, channels: int) -> None:
        super().__init__(message)
        self.channels = channels


@dataclass(frozen=True, slots=True)
class AudioSource:
    """An audio file or pair of files that was looked at, not yet read."""

    paths: tuple[Path, ...]
    sampling_rate: int
    num_samples: int
    channels: int
    encoding: str

    def blocks(self, num_samples: int) -> Iterator[Block]:
        """Blocks of `num_samples`, the last one shorter. Raises UnreadableAudioError where a file is damaged."""
        with ExitStack() as stack:
            try:
                files = [stack.enter_context(soundfile.SoundFile(path)) for path in self.paths]
                left = self.num_samples
                while left > 0:
                    wanted = min(num_samples, left)
                    block = np.concatenate([_read(file, wanted) for file in files], axis=1)
                    _check_finite(block, self.paths)
                    yield block
                    left -= wanted
            except (OSError, soundfile.LibsndfileError) as error:
                raise UnreadableAudioError(f"{_names(self.paths)}: cannot be decoded ({error})") from error

    def excerpt(self, start: int, end: int) -> Block:
        """Samples [start, end) of all channels."""
        with ExitStack() as stack:
            try:
                files = [stack.enter_context(soundfile.SoundFile(path)) for path in self.paths]
                for file in files:
                    file.seek(min(start, file.frames))
                return np.concatenate([_read(file, end - start) for file in files], axis=1)
            except (OSError, soundfile.LibsndfileError) as error:
                raise UnreadableAudioError(f"{_names(self.paths)}: cannot be decoded ({error})") from error


def open_audio(paths: tuple[Path, ...]) -> AudioSource:
    """Look at the files of one recording.

    Raises WrongChannelsError for three channels or more, UnreadableAudioError for anything else that is wrong:
    missing, empty, not audio, two files of different rates or lengths.
    """
    infos = [_info(path) for path in paths]
    channels = sum(info.channels for info in infos)
    if not 1 <= channels <= 2:
        raise WrongChannelsError(
            f"{_names(paths)}: {channels} channels; wanted one or two, one speaker each; cut out the two to be mined",
            channels,
        )
    rates = {info.samplerate for info in infos}
    if len(rates) > 1:
        raise UnreadableAudioError(
            f"{_names(paths)}: rates differ ({', '.join(map(str, sorted(rates)))} Hz); resample one of them"
        )
    rate = int(rates.pop())
    lengths = [int(info.frames) for info in infos]
    if min(lengths) == 0:
        raise UnreadableAudioError(f"{_names(paths)}: holds not one sample")
    if max(lengths) - min(lengths) > _LENGTHS_DIFFER_S * rate:
        raise UnreadableAudioError(
            f"{_names(paths)}: {lengths[0] / rate:.3f} s and {lengths[1] / rate:.3f} s; two sides of one call must be "
            "aligned and of equal length: pad or cut one of them"
        )
    encoding = "+".join(dict.fromkeys(f"{info.format}/{info.subtype}" for info in infos))
    return AudioSource(paths, rate, max(lengths), channels, encoding)


def count_channels(path: Path) -> int:
    """Channels of one file; 0 where it cannot be read."""
    try:
        return int(_info(path).channels)
    except UnreadableAudioError:
        return 0


def _info(path: Path) -> "soundfile._SoundFileInfo":
    try:
        return soundfile.info(path)
    except (OSError, soundfile.LibsndfileError) as error:
        raise UnreadableAudioError(f"{path}: cannot be read as audio ({error}){_remedy(path)}") from error


def _remedy(path: Path) -> str:
    """Shorten says so in its own header, which is text."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError:
        return ""
    if head.startswith(b"NIST_1A") and b"shorten" in head:
        return "; it is shorten-compressed SPHERE: convert it with sph2pipe -f wav"
    return "; wanted wav, flac, ogg, mp3 or plain sph"


def _read(file: soundfile.SoundFile, num_samples: int) -> Block:
    """Exactly so many samples: a file that ends before is followed by silence."""
    block = file.read(num_samples, dtype="float32", always_2d=True)
    return np.pad(block, ((0, num_samples - len(block)), (0, 0)))


def _check_finite(block: Block, paths: tuple[Path, ...]) -> None:
    if not np.isfinite(block).all():
        raise UnreadableAudioError(f"{_names(paths)}: holds samples that are no numbers; render it again")


def _names(paths: tuple[Path, ...]) -> str:
    return " + ".join(map(str, paths))

"""Audio of a recording, block by block: one file of one or two channels, or two files of one channel each.

Whatever libsndfile reads: wav in every encoding, flac, ogg, mp3, NIST SPHERE (also where it is named `.wav`, since the
header decides). What it does not read goes through ffmpeg, where that is installed; the error says so where it is not.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from pipeline.domain.errors import ConfigError, PipelineError
from pipeline.io.recordings import ffmpeg
from pipeline.io.recordings.alignment import leads_s

Block = npt.NDArray[np.float32]
"""`[num_samples, channels]`, -1...1."""

_LENGTHS_DIFFER_S = 0.1
"""Two files of one call may differ that much; the shorter one is padded with silence."""
_RATES_HZ = (4_000, 768_000)
"""Below, speech is not in it; above, nothing is recorded: the head is damaged."""
_LARGEST_SAMPLE = 2.0**31
"""Of 32-bit integers that were written as floats."""
_STREAM_BYTES = 0x7FFF_0000
"""A wav that claims as much was written as a stream, whose length nobody knew: it is as long as it is."""
_WAV_DATA = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
"""libsndfile's log of a wav whose head says another length than it has."""


class UnreadableAudioError(PipelineError):
    """The audio of one recording cannot be used; the recording is refused, the run goes on."""


class WrongChannelsError(UnreadableAudioError):
    """Neither one channel nor two."""

    def __init__(self, message: str, channels: int) -> None:
        super().__init__(message)
        self.channels = channels


@dataclass(frozen=True, slots=True)
class AudioFile:
    """One file of a recording."""

    path: Path
    sampling_rate: int
    num_samples: int
    channels: int
    encoding: str
    through_ffmpeg: bool = False
    lead: int = 0
    """Samples before the recording's clock starts; negative where the file begins later."""

    @contextmanager
    def opened(self, start: int) -> Iterator[Callable[[int], Block]]:
        """A function that reads on from `start` on the recording's clock: exactly so many samples.

        Before its beginning and after its end a file is silent.
        """
        first = start + self.lead
        silent = max(-first, 0)
        with self._decoded(max(first, 0)) as read:

            def read_on(num_samples: int) -> Block:
                nonlocal silent
                before = min(silent, num_samples)
                silent -= before
                block = read(num_samples - before)
                return np.pad(block, ((before, num_samples - before - len(block)), (0, 0)))

            yield read_on

    @contextmanager
    def _decoded(self, start: int) -> Iterator[Callable[[int], Block]]:
        if self.through_ffmpeg:
            with ffmpeg.decoded(self.path, start) as read:
                yield read
            return
        with soundfile.SoundFile(self.path) as file:
            file.seek(min(start, file.frames))
            yield lambda num_samples: file.read(num_samples, dtype="float32", always_2d=True)


@dataclass(frozen=True, slots=True)
class AudioSource:
    """An audio file or pair of files that was looked at, not yet read."""

    files: tuple[AudioFile, ...]
    sampling_rate: int
    num_samples: int
    channels: int
    encoding: str

    def blocks(self, num_samples: int) -> Iterator[Block]:
        """Blocks of `num_samples`, the last one shorter. Raises UnreadableAudioError where a file is damaged."""
        with self._opened(0) as read:
            left = self.num_samples
            while left > 0:
                block = read(min(num_samples, left))
                self._check_scale(float(np.abs(block).max(initial=0.0)))
                yield block
                left -= len(block)

    def _check_scale(self, peak: float) -> None:
        if not np.isfinite(peak):
            raise UnreadableAudioError(f"{self._names()}: holds samples that are no numbers; render it again")
        if peak > _LARGEST_SAMPLE:
            raise UnreadableAudioError(
                f"{self._names()}: holds a sample of {peak:.3g}; wanted -1 to 1, or the scale of integers; render it "
                "again"
            )

    def excerpt(self, start: int, end: int) -> Block:
        """Samples [start, end) of all channels."""
        with self._opened(start) as read:
            return read(end - start)

    @contextmanager
    def _opened(self, start: int) -> Iterator[Callable[[int], Block]]:
        """A function that reads on from `start`, all channels."""
        with ExitStack() as stack:
            try:
                parts = [stack.enter_context(file.opened(start)) for file in self.files]
                yield lambda num_samples: np.concatenate([read(num_samples) for read in parts], axis=1)
            except (OSError, soundfile.LibsndfileError, ffmpeg.FfmpegError) as error:
                raise UnreadableAudioError(f"{self._names()}: cannot be decoded ({error})") from error

    def _names(self) -> str:
        return _names(tuple(file.path for file in self.files))


def open_audio(paths: tuple[Path, ...]) -> AudioSource:
    """Look at the files of one recording.

    Raises WrongChannelsError for three channels or more, UnreadableAudioError for anything else that is wrong:
    missing, empty, not audio, two files of different rates, or of different lengths where nothing aligns them.
    """
    files = [_look_at(path) for path in paths]
    channels = sum(file.channels for file in files)
    if not 1 <= channels <= 2:
        raise WrongChannelsError(
            f"{_names(paths)}: {channels} channels; wanted one or two, one speaker each; cut out the two to be mined",
            channels,
        )
    rates = {file.sampling_rate for file in files}
    if len(rates) > 1:
        raise UnreadableAudioError(
            f"{_names(paths)}: rates differ ({', '.join(map(str, sorted(rates)))} Hz); resample one of them"
        )
    if min(file.num_samples for file in files) == 0:
        raise UnreadableAudioError(f"{_names(paths)}: holds not one sample")
    rate = rates.pop()
    if not _RATES_HZ[0] <= rate <= _RATES_HZ[1]:
        raise UnreadableAudioError(
            f"{_names(paths)}: sampling rate {rate} Hz; wanted {_RATES_HZ[0]} to {_RATES_HZ[1]} Hz; correct its "
            "head, or render it again"
        )
    aligned = _aligned(files, rate)
    encoding = "+".join(dict.fromkeys(file.encoding for file in files))
    num_samples = max(file.num_samples - file.lead for file in aligned)
    return AudioSource(aligned, rate, num_samples, channels, encoding)


def count_channels(path: Path) -> int:
    """Channels of one file; 0 where it cannot be read."""
    try:
        if ffmpeg.kind_for_ffmpeg(path) is not None:
            return ffmpeg.read_rate_and_channels(path)[1]
        return _look_at(path).channels
    except (UnreadableAudioError, ffmpeg.FfmpegError):
        return 0


def _look_at(path: Path) -> AudioFile:
    kind = ffmpeg.kind_for_ffmpeg(path)
    try:
        if kind is not None:
            rate, channels = ffmpeg.read_rate_and_channels(path)
            return AudioFile(path, rate, ffmpeg.count_samples(path), channels, f"FFMPEG/{kind}", True)
        info = soundfile.info(path)
    except ffmpeg.FfmpegError as error:
        raise UnreadableAudioError(str(error)) from error
    except (OSError, soundfile.LibsndfileError) as error:
        raise _unreadable(path, error) from error
    file = AudioFile(
        path, int(info.samplerate), int(info.frames), int(info.channels), f"{info.format}/{info.subtype}"
    )
    _check_whole(file, info.extra_info)
    return file


def _unreadable(path: Path, error: Exception) -> UnreadableAudioError:
    reason = error if path.exists() else "there is no such file"
    return UnreadableAudioError(
        f"{path}: cannot be read as audio ({reason}); wanted wav, flac, ogg, mp3, sph, or what ffmpeg reads (m4a, "
        "mp4, webm, amr, wma)"
    )


def _check_whole(file: AudioFile, log: str) -> None:
    """A flac that was cut off cannot be decoded; a wav can, and would be taken for a shorter call."""
    found = _WAV_DATA.search(log)
    if found is None or not file.num_samples:
        return
    said, held = int(found[1]), int(found[2])
    held_s = file.num_samples / max(file.sampling_rate, 1)
    said_s = held_s * said / max(held, 1)
    if said < _STREAM_BYTES and said_s > held_s + _LENGTHS_DIFFER_S:
        raise UnreadableAudioError(
            f"{file.path}: its head says {said_s:.3f} s, it holds {held_s:.3f} s; wanted all of it; copy it again, or "
            "rewrite it with sox or ffmpeg to use what is there"
        )


def _aligned(files: list[AudioFile], rate: int) -> tuple[AudioFile, ...]:
    """Files on one clock: by what their corpus says of them, else they must be equally long."""
    try:
        leads = leads_s(tuple(file.path for file in files))
    except ConfigError as error:
        raise UnreadableAudioError(str(error)) from error
    if leads is not None:
        aligned = tuple(
            replace(file, lead=round(lead * rate)) for file, lead in zip(files, leads, strict=True)
        )
        if min(file.num_samples - file.lead for file in aligned) <= 0:
            raise UnreadableAudioError(
                f"{_names(tuple(file.path for file in files))}: one ends before the conversation starts"
            )
        return aligned
    lengths = [file.num_samples for file in files]
    if max(lengths) - min(lengths) > _LENGTHS_DIFFER_S * rate:
        raise UnreadableAudioError(
            f"{_names(tuple(file.path for file in files))}: {lengths[0] / rate:.3f} s and {lengths[1] / rate:.3f} s; "
            "two sides of one call must be aligned and of equal length: pad or cut one of them"
        )
    return tuple(files)


def _names(paths: tuple[Path, ...]) -> str:
    return " + ".join(map(str, paths))

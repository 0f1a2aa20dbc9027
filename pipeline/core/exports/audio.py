"""The samples of a `WavFile`: one track of a dialogue, resampled, silenced and cut."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import soxr

from pipeline.core.exports.clock import length_at, sample_at
from pipeline.core.exports.files import WavFile
from pipeline.domain.labels import Track
from pipeline.domain.span import Span

Pcm16 = npt.NDArray[np.int16]


def render_wavs(
    samples: Pcm16, sampling_rate: int, wavs: Iterable[WavFile]
) -> Iterator[tuple[WavFile, Pcm16]]:
    """The samples `[num_samples]` of each file, from the dialogue's audio `[num_samples, 2]` int16.

    A track is resampled whole and silenced afterwards. The alternative, resampling each supervision with a
    margin, would have to keep every piece on the common grid of both rates, and would give a clean twin
    other samples than its original has at the same place; this way they are identical by construction.
    The filter's ringing at the edge of a span falls outside it and is silenced with the rest.
    """
    resampled: dict[tuple[Track, int], Pcm16] = {}
    for wav in wavs:
        key = (wav.track, wav.sampling_rate)
        if key not in resampled:
            resampled[key] = resample(samples[:, wav.track.channel], sampling_rate, wav.sampling_rate)
        yield wav, _silence_and_cut(resampled[key], sampling_rate, wav)


def resample(samples: Pcm16, sampling_rate: int, target_hz: int) -> Pcm16:
    """One channel `[n]` at another rate (soxr HQ), `length_at` samples long."""
    if sampling_rate == target_hz:
        return samples.copy()
    wanted = length_at(len(samples), sampling_rate, target_hz)
    # As float: soxr dithers int16, and dither would be noise in what has to stay silent.
    made = soxr.resample(samples.astype(np.float32), sampling_rate, target_hz, quality="HQ")[:wanted]
    info = np.iinfo(np.int16)
    out = np.zeros(wanted, dtype=np.int16)
    out[: len(made)] = np.clip(np.rint(made), info.min, info.max).astype(np.int16)
    return out


def _silence_and_cut(track: Pcm16, sampling_rate: int, wav: WavFile) -> Pcm16:
    def part(span: Span) -> slice:
        start = sample_at(span.start, sampling_rate, wav.sampling_rate)
        return slice(start, sample_at(span.end, sampling_rate, wav.sampling_rate))

    heard = track
    if wav.keep is not None:
        heard = np.zeros_like(track)
        for span in wav.keep:
            heard[part(span)] = track[part(span)]
    if wav.crop is not None:
        return heard[part(wav.crop)]
    if wav.cut is None:
        return heard
    return np.delete(heard, part(wav.cut))

"""What kind of recording it is, measured while it passes by: two channels or one twice, a lag, clipping, bandwidth.

Everything is summed block by block, so that the memory does not grow with the recording.
"""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field
from scipy.fft import irfft, next_fast_len, rfft

from pipeline.core.suppression import RATE_HZ
from pipeline.domain.mining import AuditValue, RejectCode
from pipeline.domain.record import Record

Wave = npt.NDArray[np.float32]
"""-1...1."""

_CLIPPED = 0.999
"""Of full scale: what a converter at its limit writes, after rounding and resampling too."""
_SPECTRUM = 1024
_SPECTRA_PER_BLOCK = 32
_AUDIBLE_BAND_DB = 60.0
"""A band that far under the strongest one is empty."""
_LONGEST_LAG_S = 0.5
_LAG_DECIMATION = 4
_LAG_RATE_HZ = RATE_HZ // _LAG_DECIMATION
"""Lags are looked for at 4 kHz: to a quarter of a millisecond, at an eighth of the time."""
_LAG_PIECE = 4096
"""Blocks are compared piece by piece, each with what lies within the longest lag of it: transforms stay short."""
_SAME_SOUND = 0.5
"""Normalised correlation from which two stretches hold the same sound; two talkers reach about 0.2."""
_SAME_LAG_S = 0.002
_FEWEST_BLOCKS = 2
_STABLE_SHARE = 0.6


class ProbeLimits(Record):
    """When two channels are not what they claim to be."""

    duplicate_corr: float = Field(default=0.98, gt=0, le=1)
    max_lag_s: float = Field(default=0.1, gt=0)


class ChannelFacts(Record):
    """One channel as a whole."""

    peak: float
    clipped_share: float
    dc_offset: float
    bandwidth_hz: float | None
    """None for a channel of digital silence."""


class ProbedAudio(Record):
    """What a recording's audio turned out to be."""

    paths: tuple[str, ...]
    sampling_rate: int
    num_samples: int
    encoding: str
    channels: tuple[ChannelFacts, ...]
    correlation: float | None
    """Of the two channels at lag zero; None for one channel, or where one is silent."""
    lag_s: float | None
    """By how much the second channel repeats the first later; None where it does not, or not steadily."""

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return self.num_samples / self.sampling_rate


class ChannelProbe:
    """Sums of one channel at its own rate."""

    def __init__(self, sampling_rate: int) -> None:
        self._rate = sampling_rate
        self._window = np.hanning(_SPECTRUM).astype(np.float32)
        self._power = np.zeros(_SPECTRUM // 2 + 1)
        self._count, self._clipped = 0, 0
        self._sum, self._peak = 0.0, 0.0

    def hear(self, samples: Wave) -> npt.NDArray[np.int64]:
        """The next `[num_samples]`; returns which of them clip."""
        peak = max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))
        clipped = np.flatnonzero(np.abs(samples) >= _CLIPPED) if peak >= _CLIPPED else np.zeros(0, np.int64)
        self._count += len(samples)
        self._sum += float(samples.sum(dtype=np.float64))
        self._peak = max(self._peak, peak)
        self._clipped += len(clipped)
        frames = len(samples) // _SPECTRUM
        if frames:
            some = np.linspace(0, frames - 1, min(frames, _SPECTRA_PER_BLOCK)).astype(np.int64)
            blocks = samples[: frames * _SPECTRUM].reshape(frames, _SPECTRUM)[some]
            self._power += (np.abs(np.fft.rfft(blocks * self._window, axis=1)) ** 2).sum(axis=0)
        return clipped

    def facts(self) -> ChannelFacts:
        """What was found."""
        strongest = float(self._power.max())
        bandwidth = None
        if strongest > 0:
            last = np.flatnonzero(self._power >= strongest * 10 ** (-_AUDIBLE_BAND_DB / 10))[-1]
            bandwidth = round(float(last) * self._rate / _SPECTRUM, 1)
        return ChannelFacts(
            peak=round(self._peak, 6),
            clipped_share=self._clipped / max(self._count, 1),
            dc_offset=round(self._sum / max(self._count, 1), 6),
            bandwidth_hz=bandwidth,
        )


class PairProbe:
    """How alike two channels are, at `RATE_HZ`; blocks of some seconds."""

    def __init__(self) -> None:
        self._count = 0
        self._sums = np.zeros(2)
        self._products = np.zeros((2, 2))
        self._lags_s: list[float] = []

    def hear(self, channels: Wave) -> None:
        """The next `[2, num_samples]`."""
        wave = channels.astype(np.float64)
        self._count += wave.shape[1]
        self._sums += wave.sum(axis=1)
        self._products += wave @ wave.T
        lag_s = _lag_of(channels)
        if lag_s is not None:
            self._lags_s.append(lag_s)

    def correlation(self) -> float | None:
        """Pearson's, over everything heard."""
        if not self._count:
            return None
        covariance = self._products - np.outer(self._sums, self._sums) / self._count
        scale = float(np.sqrt(covariance[0, 0] * covariance[1, 1]))
        return float(covariance[0, 1] / scale) if scale > 1e-9 * self._count else None

    def lag_s(self) -> float | None:
        """Where most blocks that hold the same sound agree on one lag."""
        if len(self._lags_s) < _FEWEST_BLOCKS:
            return None
        median = float(np.median(self._lags_s))
        agreeing = sum(abs(lag - median) <= _SAME_LAG_S for lag in self._lags_s)
        return median if agreeing >= _STABLE_SHARE * len(self._lags_s) else None


def _lag_of(channels: Wave) -> float | None:
    """Lag of the correlation's peak in one block; None where the two channels hold different sounds.

    ::

        first        |  piece  |
        second  |reach|  piece  |reach|     one product of transforms per piece; their sum is transformed back
    """
    first, second = _decimated(channels)
    energy = float(np.sqrt(np.dot(first, first) * np.dot(second, second)))
    if energy <= 1e-9 * len(first):
        return None
    reach = round(_LONGEST_LAG_S * _LAG_RATE_HZ)
    pieces = -(-len(first) // _LAG_PIECE)
    rest = pieces * _LAG_PIECE - len(first)
    size = _LAG_PIECE + 2 * reach
    around = sliding_window_view(np.pad(second, (reach, reach + rest)), size)[::_LAG_PIECE]
    alone = np.pad(first, (0, rest)).reshape(pieces, _LAG_PIECE)
    spectra = np.conj(rfft(alone, next_fast_len(size, real=True))) * rfft(
        around, next_fast_len(size, real=True)
    )
    peaks = np.abs(irfft(spectra.sum(axis=0), next_fast_len(size, real=True)))[: 2 * reach + 1]
    best = int(peaks.argmax())
    return (best - reach) / _LAG_RATE_HZ if peaks[best] >= _SAME_SOUND * energy else None


def _decimated(channels: Wave) -> Wave:
    """`[2, num_samples / 4]`: sums of four, written out, as numpy takes its time over short rows."""
    whole = channels[:, : channels.shape[1] // _LAG_DECIMATION * _LAG_DECIMATION]
    return np.asarray(sum(whole[:, offset::_LAG_DECIMATION] for offset in range(_LAG_DECIMATION)), np.float32)


def pair_problems(probed: ProbedAudio, limits: ProbeLimits) -> tuple[AuditValue, ...]:
    """Why two channels cannot be taken for two speakers."""
    found = []
    if probed.correlation is not None and probed.correlation >= limits.duplicate_corr:
        found.append(_reason(RejectCode.DUPLICATE_CHANNEL, probed.correlation, limits.duplicate_corr))
    if probed.lag_s is not None and abs(probed.lag_s) > limits.max_lag_s:
        found.append(_reason(RejectCode.CHANNEL_SWAP_SUSPECT, probed.lag_s, limits.max_lag_s))
    return tuple(found)


def _reason(code: RejectCode, value: float, threshold: float) -> AuditValue:
    return AuditValue(code=code, value=value, threshold=threshold)

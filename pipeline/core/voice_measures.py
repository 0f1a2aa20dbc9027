"""What a recording of one speaker is like: the figures that decide whether a voice can be cloned from it.

    level dB  ....|==== speech ====|..|== speech ==|.....
              `lead                `pause           `tail
              level: mean power of the speech          noise: what is there in every band at its quietest

Everything is measured on the samples as they are; nothing is normalised first.
"""

import math

import numpy as np
import numpy.typing as npt
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field
from scipy.signal import correlate

from pipeline.core.probing import ChannelProbe
from pipeline.core.vad import EnergyVadSettings, detect_speech
from pipeline.domain.record import Record
from pipeline.domain.span import Span

Wave = npt.NDArray[np.float32]

_EAR = EnergyVadSettings(depth_db=35.0, floor_share=0.05)
"""A reference is nearly all speech, as a take is; but it has a room, whose noise must not pass for speech."""
_SPECTRUM_S = 0.064
"""Long enough to see between the harmonics of a high voice."""
_QUIETEST = 0.05
_DIGITAL_SILENCE_DB = -90.0
"""Frames below it were pasted in or cut out by a noise gate: the noise under the words is not that."""
_CEILING_WIDTH = 1e-4
"""Of the peak: samples this near to it lie on a flat top."""
_FLAT_SAMPLES = 3
"""In a row: the crest of a wave touches its peak with one or two."""
_QUIET_PEAK = 0.1
"""Nobody's recorder clips 20 dB under full scale: there, equal samples are coarse steps."""

_LOWEST_HZ, _HIGHEST_HZ = 55, 450
_VOICED = 0.8
"""Normalised autocorrelation of a frame that counts as voiced."""
_NEAR_BEST = 0.93
"""The first peak this close to the best one wins: the best may be a multiple of the period."""
_PITCH_RATE_HZ = 24_000
"""Recordings at more are brought down to it: periods are not told better, and take four times as long."""

_COMPARED_RATE_HZ = 8000
"""Every copy has the bands under 4 kHz."""
_SAME_SOUND = 0.6
"""Correlation of waves at their best lag: a copy at another rate, in fewer bits or through a codec has 0.93 or more,
the same words with the same timing in two voices of an engine 0.25 at most."""


class VoiceMeasures(Record):
    """One recording."""

    duration_s: float
    sampling_rate: int
    spoken_s: float
    """From the first sound of speech to the last, pauses included."""
    lead_s: float
    """Silence before it."""
    tail_s: float
    level_dbfs: float | None
    """Mean power where somebody speaks; None where nobody does."""
    noise_dbfs: float | None
    """None for digital silence."""
    snr_db: float | None
    clipped_share: float
    """Of samples that lie on flat tops."""
    bandwidth_hz: float | None
    """Up to where there is sound, 60 dB under the strongest band; None for digital silence."""
    median_f0_hz: float | None = Field(gt=0)
    """None where no frame is voiced."""


def measure_voice(samples: Wave, sampling_rate: int) -> VoiceMeasures:
    """Measure `[num_samples > 0]`, float32 and finite, -1...1."""
    runs = detect_speech(samples, sampling_rate, min_silence_s=0.0, settings=_EAR)
    start, end = (runs[0].start, runs[-1].end) if runs else (len(samples), len(samples))
    level_dbfs = _level_dbfs(samples, runs)
    noise_dbfs = _noise_dbfs(samples, sampling_rate)
    snr_db = None if level_dbfs is None or noise_dbfs is None else round(level_dbfs - noise_dbfs, 1)
    return VoiceMeasures(
        duration_s=round(len(samples) / sampling_rate, 3),
        sampling_rate=sampling_rate,
        spoken_s=round((end - start) / sampling_rate, 3),
        lead_s=round(start / sampling_rate, 3),
        tail_s=round((len(samples) - end) / sampling_rate, 3),
        level_dbfs=level_dbfs,
        noise_dbfs=noise_dbfs,
        snr_db=snr_db,
        clipped_share=clipped_share(samples),
        bandwidth_hz=_bandwidth_hz(samples, sampling_rate),
        median_f0_hz=median_f0_hz(samples, sampling_rate),
    )


def clipped_share(samples: Wave) -> float:
    """Share of samples on flat tops, also of a recording that was made quieter after it clipped.

    >>> wave = np.sin(np.arange(24_000, dtype=np.float32) / 20)
    >>> clipped_share(wave), round(clipped_share(0.5 * wave.clip(-0.9, 0.9)), 2)
    (0.0, 0.29)
    """
    flat = np.zeros(len(samples), dtype=np.bool_)
    for side in (samples, -samples):
        peak = float(side.max(initial=0.0))
        if peak < _QUIET_PEAK or len(side) < _FLAT_SAMPLES:
            continue
        on_top = np.asarray(side >= peak * (1 - _CEILING_WIDTH), dtype=np.bool_)
        tops = np.asarray(sliding_window_view(on_top, _FLAT_SAMPLES).all(axis=1), dtype=np.bool_)
        for offset in range(_FLAT_SAMPLES):
            flat[offset : offset + len(tops)] |= tops
    return float(np.mean(flat)) if len(samples) else 0.0


def median_f0_hz(samples: Wave, sampling_rate: int) -> float | None:
    """Median pitch over voiced frames by normalised autocorrelation, a frame every 10 ms; None where none is voiced.

    Enough for the median of a clean recording (within 9 % of Praat's on sentences of 3 s); single frames err.
    """
    if sampling_rate > _PITCH_RATE_HZ:
        samples = np.asarray(soxr.resample(samples, sampling_rate, _PITCH_RATE_HZ), dtype=np.float32)
        sampling_rate = _PITCH_RATE_HZ
    frame, hop = round(0.046 * sampling_rate), round(0.01 * sampling_rate)
    longest_lag = sampling_rate // _LOWEST_HZ
    loud = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    found = []
    for start in range(0, len(samples) - frame - longest_lag, hop):
        window = samples[start : start + frame + longest_lag].astype(np.float64)
        if np.sqrt(np.mean(np.square(window[:frame]))) < 0.5 * loud:
            continue
        lag = _period(window, frame, sampling_rate)
        if lag is not None:
            found.append(sampling_rate / lag)
    return float(np.median(found)) if found else None


def same_recording(one: Wave, one_rate_hz: int, other: Wave, other_rate_hz: int) -> bool:
    """Whether two files hold one recording, at another rate, in other bits, louder, or cut differently at its ends."""
    waves = [_at_compared_rate(one, one_rate_hz), _at_compared_rate(other, other_rate_hz)]
    energy = float(np.prod([np.dot(wave, wave) for wave in waves]))
    if not energy:
        return False
    best = float(np.abs(correlate(*waves, method="fft")).max())
    return best >= _SAME_SOUND * math.sqrt(energy)


def _level_dbfs(samples: Wave, runs: tuple[Span, ...]) -> float | None:
    if not runs:
        return None
    power = np.concatenate([samples[run.start : run.end] for run in runs]).astype(np.float64) ** 2
    return round(10.0 * float(np.log10(max(float(power.mean()), 1e-12))), 1)


def _noise_dbfs(samples: Wave, sampling_rate: int) -> float | None:
    """Quantile-based noise estimation (Stahl, Fischer & Bippus, ICASSP 2000), from the quietest twentieth.

    Even in speech without a pause, a band is quiet now and then: at closures, and between harmonics that move. Power
    of Gaussian noise in a bin is exponentially distributed, so that its mean is the q-quantile / -ln(1 - q). White
    noise under speech with pauses reads within 3 dB of what it is. Where there are none, soft sounds pass for noise:
    an engine's clean sentences in one breath read as 20 to 38 dB, with white noise 15 dB under them as 14 to 16.
    """
    size = round(_SPECTRUM_S * sampling_rate)
    if len(samples) < size:
        return None
    frames = sliding_window_view(samples, size)[:: size // 4]
    audible = np.mean(np.square(frames, dtype=np.float64), axis=1) > 10 ** (_DIGITAL_SILENCE_DB / 10)
    if not audible.any():
        return None
    window = np.hanning(size)
    power = np.abs(np.fft.rfft(frames[audible] * window, axis=1)) ** 2 * (2 / (size * np.dot(window, window)))
    quietest = np.quantile(power, _QUIETEST, axis=0).sum() / -np.log1p(-_QUIETEST)
    return round(10.0 * float(np.log10(max(float(quietest), 1e-12))), 1)


def _bandwidth_hz(samples: Wave, sampling_rate: int) -> float | None:
    probe = ChannelProbe(sampling_rate)
    for start in range(0, len(samples), sampling_rate):  # it looks at some spectra of each piece
        probe.hear(samples[start : start + sampling_rate])
    return probe.facts().bandwidth_hz


def _period(window: npt.NDArray[np.float64], frame: int, sampling_rate: int) -> int | None:
    """Samples per period of the frame at the start of `window`, or None where it is not voiced."""
    shortest, longest = sampling_rate // _HIGHEST_HZ, sampling_rate // _LOWEST_HZ
    head = window[:frame]
    total = np.concatenate(([0.0], np.cumsum(np.square(window))))
    energy = total[frame : frame + longest] - total[:longest]
    similarity = np.correlate(window, head, "valid")[:longest] / np.sqrt(energy * np.dot(head, head) + 1e-12)
    best = float(similarity[shortest:].max())
    if best < _VOICED:
        return None
    inner = similarity[shortest:-1]
    peaks = (
        (inner >= similarity[shortest - 1 : -2])
        & (inner >= similarity[shortest + 1 :])
        & (inner >= _NEAR_BEST * best)
    )
    return shortest + int(np.flatnonzero(peaks)[0]) if peaks.any() else None


def _at_compared_rate(samples: Wave, sampling_rate: int) -> npt.NDArray[np.float64]:
    wave = soxr.resample(samples, sampling_rate, _COMPARED_RATE_HZ)
    return np.asarray(wave - np.mean(wave), dtype=np.float64)

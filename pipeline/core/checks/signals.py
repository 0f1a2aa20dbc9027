"""Levels and stretches of PCM16 signals."""

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from pipeline.core.checks.findings import Stretch
from pipeline.domain.timeline import Supervision

Pcm = npt.NDArray[np.int16]

FULL_SCALE = 32_768.0


def mask(supervisions: Iterable[Supervision], num_samples: int) -> npt.NDArray[np.bool_]:
    """`[num_samples]`, true inside any of the spans."""
    mask = np.zeros(num_samples, dtype=bool)
    for supervision in supervisions:
        mask[supervision.span.start : supervision.span.end] = True
    return mask


def runs(mask: npt.NDArray[np.bool_]) -> list[Stretch]:
    """Stretches of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def level_db(signal: Pcm) -> float:
    """RMS level in dBFS, 0 for a full-scale square wave; -inf for silence or nothing."""
    power = float(np.mean(np.square(signal.astype(np.float64)))) if len(signal) else 0.0
    return 10 * math.log10(power / FULL_SCALE**2) if power else -math.inf


def level_of(amplitude: float) -> float:
    """dBFS of an amplitude, 1 being full scale."""
    return 20 * math.log10(amplitude)


def frame_levels_db(signal: Pcm, sampling_rate: int) -> npt.NDArray[np.float64]:
    """RMS level per 10 ms, the last frame as long as what is left; -inf for silence."""
    starts = np.arange(0, len(signal), max(1, round(0.01 * sampling_rate)))
    levels = np.full(len(starts), -np.inf)
    if len(starts):
        energy = np.add.reduceat(np.square(signal.astype(np.float64)), starts)
        power = energy / np.diff(np.append(starts, len(signal))) / FULL_SCALE**2
        np.log10(power, out=levels, where=power > 0)
    return 10 * levels


def active_level_db(signal: Pcm, sampling_rate: int) -> float:
    """Level of the frames within 20 dB of the loudest: speech without its pauses."""
    levels = frame_levels_db(signal, sampling_rate)
    if not len(levels) or levels.max() == -math.inf:
        return -math.inf
    active = levels[levels > levels.max() - 20]
    return 10 * math.log10(float(np.mean(10 ** (active / 10))))

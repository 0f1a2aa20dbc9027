"""Voice activity by energy: where a track holds speech, judged against that track's own quiet and loud.

    level dB   -20   ......  ######  ...  ####          speech level: half of the energy is louder
               -44   ------- trigger --------           a stretch must get here for 30 ms ...
               -52   ------- threshold ------           ... and lasts while it stays here
               -70   ~~~~~~~~~~~~~~~~~~~~~~~~~~          noise floor: the quietest tenth of the hops
    runs                    |====|       |==|           borders on hops of 5 ms, no padding

Both levels are measured per channel, because the two sides of a call differ by 20 dB and more in either. A
channel whose quiet is digital silence has no floor to stay clear of; there the threshold hangs from the
speech level alone. Padding is 0 by design: 30 ms a side would move the floor-transfer offsets of real talk
by a Kolmogorov-Smirnov distance of 0.075, more than the timing of most generators is off.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record
from pipeline.domain.span import Span

Signal = npt.NDArray[np.float32] | npt.NDArray[np.int16]
Levels = npt.NDArray[np.float64] | npt.NDArray[np.float32]
"""Level per hop in dBFS, `[num_hops]`; hours of them in single precision."""

_SILENT_DB = -96.0
"""Below the smallest step of PCM16: digital silence, whatever the file calls it."""


class EnergyVadSettings(Record):
    """Where silence ends and speech begins."""

    hop_s: float = 0.005
    floor_share: float = 0.1
    """The quietest tenth of a track is taken for its noise floor."""
    depth_db: float = 42.0
    """Speech reaches this far below the track's speech level: weak fricatives and nasals do."""
    above_floor: float = 0.4
    """On a noisy track: how far up between floor and speech level the threshold lies."""
    trigger_db: float = 24.0
    """A stretch must come so near to the speech level for `min_speech_s`: breath and line noise do not."""
    closure_s: float = 0.1
    """Runs with less silence between them are one stretch: the burst after a stop belongs to its word."""
    audible_db: float = -62.0
    """Speech level of a track that holds none: below this nothing is speech."""
    min_speech_s: float = 0.03
    """Stretches that are loud for less are clicks."""


CLIP_SETTINGS = EnergyVadSettings(depth_db=35.0, above_floor=0.0, floor_share=0.0)
"""For a clip, which is nearly all speech: its quietest tenth is no noise floor to stay clear of."""


def detect_speech(
    samples: Signal, sampling_rate: int, min_silence_s: float, settings: EnergyVadSettings | None = None
) -> tuple[Span, ...]:
    """Runs of speech in a mono signal, by start; own silences below `min_silence_s` belong to a run.

    >>> import numpy as np
    >>> talk = np.zeros(8000, np.float32)
    >>> talk[2000:4000] = 0.1
    >>> detect_speech(talk, 8000, min_silence_s=0.2)
    (Span(start=2000, end=4000),)
    """
    settings = settings or EnergyVadSettings()
    if samples.ndim != 1 or samples.dtype not in (np.dtype(np.float32), np.dtype(np.int16)):
        raise ConfigError(
            f"voice activity: wanted mono float32 or int16 [num_samples], got {samples.dtype} {list(samples.shape)}"
        )
    hop = max(1, round(settings.hop_s * sampling_rate))
    levels = hop_levels_db(samples, hop)
    threshold = thresholds_of(levels, settings)
    if threshold is None:
        return ()
    runs = _runs(levels >= threshold.speech_db)
    stretches = _bridge(runs, settings.closure_s * sampling_rate / hop)
    loud = np.concatenate(([0], np.cumsum(levels >= threshold.trigger_db)))
    loud_hops = loud[stretches[:, 1]] - loud[stretches[:, 0]]
    is_speech = loud_hops * hop >= settings.min_speech_s * sampling_rate
    runs = runs[is_speech[np.searchsorted(stretches[:, 0], runs[:, 0], side="right") - 1]]
    keep = np.zeros(len(levels), dtype=bool)
    for start, end in runs.tolist():
        keep[start:end] = True
    return merge_hops(keep, float(hop), min_silence_s * sampling_rate, len(samples))


def merge_hops(
    speaking: npt.NDArray[np.bool_], hop: float, min_silence: float, num_samples: int
) -> tuple[Span, ...]:
    """Decisions per hop of `hop` samples as spans; silences below `min_silence` samples are bridged.

    >>> merge_hops(np.array([True, False, True, False, False, True]), 10.0, 15.0, 60)
    (Span(start=0, end=30), Span(start=50, end=60))
    """
    runs = _bridge(_runs(speaking), min_silence / hop)
    return tuple(
        Span(start=round(start * hop), end=min(round(end * hop), num_samples)) for start, end in runs.tolist()
    )


def hop_levels_db(samples: Signal, hop: int) -> Levels:
    """RMS level of every `hop` samples in dBFS, the last ones padded with silence; never below -96."""
    scale = 1.0 / 32768.0 if samples.dtype == np.int16 else 1.0
    whole = len(samples) // hop * hop
    blocks = np.asarray(samples[:whole], dtype=np.float32).reshape(-1, hop)
    power = np.einsum("ij,ij->i", blocks, blocks).astype(np.float64) / hop
    if whole < len(samples):
        rest = samples[whole:].astype(np.float64)
        power = np.append(power, float(rest @ rest) / hop)
    audible = np.maximum(power * scale**2, 10.0 ** (_SILENT_DB / 10.0))
    return np.asarray(10.0 * np.log10(audible), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Levels of one track, in dBFS."""

    speech_db: float
    """From here on a hop may belong to speech."""
    trigger_db: float
    """A run has to come up to here."""


def thresholds_of(levels: Levels, settings: EnergyVadSettings) -> Thresholds | None:
    """What the levels of a track make of its settings; None where it holds nothing audible."""
    if not len(levels):
        return None
    speech_db = speech_level_db(levels)
    if speech_db < settings.audible_db:
        return None
    floor_db = float(np.quantile(levels, settings.floor_share))
    above_floor_db = floor_db + settings.above_floor * (speech_db - floor_db)
    threshold_db = max(speech_db - settings.depth_db, above_floor_db)
    return Thresholds(threshold_db, max(threshold_db, speech_db - settings.trigger_db))


def speech_level_db(levels: Levels) -> float:
    """The level that splits a track's energy: half of it lies in louder hops.

    Energy is where the speech is, however little of the track that may be; a median over hops would be the
    level of the silence of whoever listens most of the time.
    """
    ordered = np.sort(levels)
    energy = np.divide(ordered, 10.0, dtype=np.float64)
    np.power(10.0, energy, out=energy)  # in place: of hours, every copy counts
    np.cumsum(energy, out=energy)
    return float(ordered[np.searchsorted(energy, energy[-1] / 2)])


def _runs(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """`[n, 2]` half-open stretches of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return edges.astype(np.int64).reshape(-1, 2)


def _bridge(runs: npt.NDArray[np.int64], min_silence_hops: float) -> npt.NDArray[np.int64]:
    """Merge runs while the silence between them is shorter than the minimum."""
    if not len(runs):
        return runs
    opens = np.concatenate(([True], runs[1:, 0] - runs[:-1, 1] >= math.ceil(min_silence_hops - 1e-9)))
    first = np.flatnonzero(opens)
    return np.column_stack((runs[first, 0], runs[np.append(first[1:] - 1, len(runs) - 1), 1]))

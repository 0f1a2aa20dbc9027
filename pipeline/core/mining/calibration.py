"""Where one voice ends and two begin: the threshold of a cosine, found in the corpus that it is used on.

Thresholds do not transfer between encoders, nor from long speech to short. So trials are made of the recordings
themselves, of stretches that one label speaks alone, all equally long::

    A  ##a1##        ##a2##                same speaker:       a1 a2
    B           ##b1##        ##b2##       b1 b2               different: a1 b1, a1 b2, a2 b1, a2 b2

Only cosines are kept, never a voice. The threshold is where both errors are equal, or where one in a hundred
different voices passes for the same.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.domain.record import Record

Cosines = npt.NDArray[np.float64]
Voice = npt.NDArray[np.float32]

ThresholdRule = Literal["eer", "far_1_percent"]

MIN_TRIALS = 20
"""Of either kind: with fewer the error rates move by 5 % and more with every trial."""
FALLBACK_COSINES = {"ecapa": 0.25}
"""By what an encoder's name holds: where there are too few trials (ECAPA-TDNN: speechbrain/speechbrain)."""


class Trials(Record):
    """Cosines between stretches of one length."""

    duration_s: float = Field(gt=0)
    same: tuple[float, ...] = ()
    """Of two stretches of one label."""
    different: tuple[float, ...] = ()
    """Of two labels."""


class DurationCalibration(Record):
    """What the trials of one length say."""

    duration_s: float
    n_same: int
    n_different: int
    eer: float | None
    """Equal error rate; None with too few trials."""
    threshold: float | None


class Calibration(Record):
    """One corpus and one encoder."""

    encoder: str
    rule: ThresholdRule
    durations: tuple[DurationCalibration, ...]
    """Shortest first."""
    eer: float | None
    """Of all trials."""
    threshold: float | None
    """Cosines from here on are one voice. None: too few trials, and no figure is known for this encoder."""
    n_trials: int
    calibrated: bool
    """Whether the threshold is this corpus's own; else it is a fallback, or none."""


def trials_of(voices: Mapping[str, tuple[Voice, ...]], duration_s: float) -> Trials:
    """All pairs of stretches of one length, by the label that speaks."""
    same = (pair for own in voices.values() for pair in combinations(own, 2))
    different = (pair for a, b in combinations(sorted(voices), 2) for pair in product(voices[a], voices[b]))
    return Trials(duration_s=duration_s, same=_cosines(same), different=_cosines(different))


def calibrate(trials: Iterable[Trials], encoder: str, rule: ThresholdRule = "eer") -> Calibration:
    """A threshold from the trials of all recordings of a corpus, in any order.

    >>> few = Trials(duration_s=1.0, same=(0.8, 0.9), different=(0.1, 0.2))
    >>> calibrate([few] * 20, "an-encoder").threshold
    0.8
    >>> calibrate([few], "an-encoder").threshold is None, calibrate([few], "ecapa-1").threshold
    (True, 0.25)
    """
    by_duration: dict[float, list[Trials]] = {}
    for one in trials:
        by_duration.setdefault(one.duration_s, []).append(one)
    durations = tuple(_of_duration(length, by_duration[length], rule) for length in sorted(by_duration))
    whole = _of_duration(0.0, [one for some in by_duration.values() for one in some], rule)
    fallback = next((cos for name, cos in FALLBACK_COSINES.items() if name in encoder.casefold()), None)
    return Calibration(
        encoder=encoder,
        rule=rule,
        durations=durations,
        eer=whole.eer,
        threshold=fallback if whole.threshold is None else whole.threshold,
        n_trials=whole.n_same + whole.n_different,
        calibrated=whole.threshold is not None,
    )


def _of_duration(duration_s: float, trials: list[Trials], rule: ThresholdRule) -> DurationCalibration:
    same = np.sort(np.array([cos for one in trials for cos in one.same], dtype=np.float64))
    different = np.sort(np.array([cos for one in trials for cos in one.different], dtype=np.float64))
    enough = min(len(same), len(different)) >= MIN_TRIALS
    eer, threshold = _threshold(same, different, rule) if enough else (None, None)
    return DurationCalibration(
        duration_s=duration_s, n_same=len(same), n_different=len(different), eer=eer, threshold=threshold
    )


def _threshold(same: Cosines, different: Cosines, rule: ThresholdRule) -> tuple[float, float]:
    """Equal error rate, and the lowest of all cosines that keeps the rule.

    Errors change at the cosines only, so these are all the thresholds there are; above the largest one nothing is
    the same.
    """
    known = np.unique(np.concatenate((same, different)))
    steps = np.append(known, known[-1] + 1e-4)
    missed = np.searchsorted(same, steps, side="left") / len(same)
    accepted = 1 - np.searchsorted(different, steps, side="left") / len(different)
    equal = int(np.argmin(np.abs(missed - accepted)))
    chosen = equal if rule == "eer" else int(np.argmax(accepted <= 0.01 + 1e-12))
    return round(float(missed[equal] + accepted[equal]) / 2, 6), round(float(steps[chosen]), 4)


def _cosines(pairs: Iterable[tuple[Voice, Voice]]) -> tuple[float, ...]:
    found = []
    for first, second in pairs:
        lengths = float(np.linalg.norm(first)) * float(np.linalg.norm(second))
        if np.isfinite(lengths) and lengths > 0:
            found.append(round(float(first @ second) / lengths, 4))
    return tuple(found)

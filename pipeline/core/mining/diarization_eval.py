"""Who spoke when against a reference: diarization error rate and Jaccard error rate, without a collar.

Overlap is scored: where two speak and one is found, the other is missed. Names mean nothing; speakers are paired one
to one so that as much time as possible agrees (DER: Fiscus et al., NIST RT-06S; JER: Ryant et al., DIHARD II).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.optimize import linear_sum_assignment

from pipeline.core.mining.detection_eval import require_regions
from pipeline.core.turntaking.activity import Activity, Ints, as_array, merge_runs
from pipeline.domain.record import Record
from pipeline.domain.span import Span

Floats = npt.NDArray[np.float64]


class DiarizationScore(Record):
    """Seconds of speaker time; two who speak at once count twice."""

    reference_s: float = Field(ge=0)
    missed_s: float = Field(ge=0)
    false_alarm_s: float = Field(ge=0)
    confused_s: float = Field(ge=0)
    """Somebody was found, and somebody else spoke."""
    der: float | None
    """(missed + false alarm + confused) / reference; may exceed 1. None without reference speech."""
    jaccard_errors: tuple[float, ...]
    """Per reference speaker: 1 - time shared with the paired speaker / time of either; 1 without a pair."""
    jer: float | None
    """Their mean: a speaker of few words counts as much as one of many."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """Both sides on common pieces of time: `[speakers, pieces]` of 0 and 1, and the pieces' lengths in seconds."""

    reference: Floats
    hypothesis: Floats
    lengths_s: Floats


def score_diarization(
    reference: Activity, hypothesis: Activity, regions: tuple[Span, ...]
) -> DiarizationScore:
    """One recording; both at one sampling rate, `regions` in its samples."""
    require_regions(reference, hypothesis, regions)
    grid = _grid(reference.restricted(regions), hypothesis.restricted(regions))
    wanted, said = grid.reference.sum(axis=0), grid.hypothesis.sum(axis=0)
    shared = (grid.reference * grid.lengths_s) @ grid.hypothesis.T
    agreed = sum(float(shared[r, h]) for r, h in _pairs(shared))
    both = float((np.minimum(wanted, said) * grid.lengths_s).sum())
    missed = float((np.maximum(wanted - said, 0) * grid.lengths_s).sum())
    false_alarm = float((np.maximum(said - wanted, 0) * grid.lengths_s).sum())
    errors = _jaccard_errors(grid, shared)
    return _score(
        float((wanted * grid.lengths_s).sum()), missed, false_alarm, max(both - agreed, 0.0), errors
    )


def pool_diarization(scores: Iterable[DiarizationScore]) -> DiarizationScore:
    """DER by summed time, JER by all speakers of all recordings."""
    known = tuple(scores)
    return _score(
        sum(score.reference_s for score in known),
        sum(score.missed_s for score in known),
        sum(score.false_alarm_s for score in known),
        sum(score.confused_s for score in known),
        tuple(error for score in known for error in score.jaccard_errors),
    )


def _score(
    reference_s: float, missed_s: float, false_alarm_s: float, confused_s: float, errors: tuple[float, ...]
) -> DiarizationScore:
    wrong = missed_s + false_alarm_s + confused_s
    return DiarizationScore(
        reference_s=reference_s,
        missed_s=missed_s,
        false_alarm_s=false_alarm_s,
        confused_s=confused_s,
        der=wrong / reference_s if reference_s else None,
        jaccard_errors=errors,
        jer=sum(errors) / len(errors) if errors else None,
    )


def _grid(reference: Activity, hypothesis: Activity) -> _Grid:
    sides = [
        [merge_runs(as_array(spans), 1) for spans in activity.speakers if spans]
        for activity in (reference, hypothesis)
    ]
    borders = np.unique(np.concatenate([np.zeros((0, 2), dtype=np.int64), *sides[0], *sides[1]]))
    return _Grid(
        reference=_active(sides[0], borders[:-1]),
        hypothesis=_active(sides[1], borders[:-1]),
        lengths_s=np.diff(borders) / reference.sampling_rate,
    )


def _active(speakers: list[Ints], starts: Ints) -> Floats:
    rows = [
        np.searchsorted(runs[:, 0], starts, side="right") > np.searchsorted(runs[:, 1], starts, side="right")
        for runs in speakers
    ]
    return np.array(rows, dtype=np.float64).reshape(len(speakers), len(starts))


def _pairs(gain: Floats) -> list[tuple[int, int]]:
    """One-to-one pairs of reference and hypothesis with the greatest sum."""
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


def _jaccard_errors(grid: _Grid, shared: Floats) -> tuple[float, ...]:
    own = (grid.reference * grid.lengths_s).sum(axis=1)
    other = (grid.hypothesis * grid.lengths_s).sum(axis=1)
    either = own[:, None] + other[None, :] - shared
    likeness = shared / either
    errors = [1.0] * len(own)
    for row, column in _pairs(likeness):
        errors[row] = 1.0 - float(likeness[row, column])
    return tuple(errors)

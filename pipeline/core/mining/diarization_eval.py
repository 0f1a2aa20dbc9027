"""Who spoke when against a reference: diarization error rates by time, by speaker and by utterance, without a collar.

Overlap is scored: where two speak and one is found, the other is missed. Names mean nothing; speakers are paired one
to one so that as much time as possible agrees (DER: Fiscus et al., NIST RT-06S; JER: Ryant et al., DIHARD II).

By time a listener's `yeah` is nothing, so utterances are counted too (CDER: Cheng et al. 2022, *The Conversational
Short-phrase Speaker Diarization Task*). An utterance is all that one speaker says until another is heard::

    A  ###  ####        #####          two utterances of A: its pause is none of ours
    B             ##                   one of B, worth as much as either
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.optimize import linear_sum_assignment

from pipeline.core.mining.detection_eval import require_regions
from pipeline.core.turntaking.activity import IPU_SILENCE_S, Activity, Ints, Runs, as_array, merge_runs
from pipeline.domain.record import Record
from pipeline.domain.span import Span

Floats = npt.NDArray[np.float64]

_ALIKE = 0.5
"""Time shared over time of either from which two utterances are the same one (CDER)."""


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
    utterances: int = Field(ge=0)
    """Of the reference."""
    utterance_errors: int = Field(ge=0)
    """Those that no utterance of the paired speaker is like, and all of found speakers who are like nobody."""
    cder: float | None
    """Errors per utterance of the reference. SpeechClub/CDER_Metric counts errors this way too, but its script divides
    by the utterances that were found; None without reference speech."""


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
    rate = reference.sampling_rate
    within = [activity.restricted(regions) for activity in (reference, hypothesis)]
    sides = [_talking(activity, 1) for activity in within]
    grid = _grid(sides[0], sides[1], rate)
    wanted, said = grid.reference.sum(axis=0), grid.hypothesis.sum(axis=0)
    shared = (grid.reference * grid.lengths_s) @ grid.hypothesis.T
    pairs = _pairs(shared)
    agreed = sum(float(shared[r, h]) for r, h in pairs)
    both = float((np.minimum(wanted, said) * grid.lengths_s).sum())
    # One side may be words and the other runs of a detector: short gaps must not decide how many utterances it has.
    phrases = [_utterances(_talking(activity, round(IPU_SILENCE_S * rate) + 1)) for activity in within]
    return _score(
        reference_s=float((wanted * grid.lengths_s).sum()),
        missed_s=float((np.maximum(wanted - said, 0) * grid.lengths_s).sum()),
        false_alarm_s=float((np.maximum(said - wanted, 0) * grid.lengths_s).sum()),
        confused_s=max(both - agreed, 0.0),
        jaccard_errors=_jaccard_errors(grid, shared),
        utterances=sum(map(len, phrases[0])),
        utterance_errors=_utterance_errors(phrases[0], phrases[1], [p for p in pairs if shared[p] > 0]),
    )


def pool_diarization(scores: Iterable[DiarizationScore]) -> DiarizationScore:
    """DER by summed time, JER by all speakers of all recordings, CDER by all their utterances."""
    known = tuple(scores)
    return _score(
        reference_s=sum(score.reference_s for score in known),
        missed_s=sum(score.missed_s for score in known),
        false_alarm_s=sum(score.false_alarm_s for score in known),
        confused_s=sum(score.confused_s for score in known),
        jaccard_errors=tuple(error for score in known for error in score.jaccard_errors),
        utterances=sum(score.utterances for score in known),
        utterance_errors=sum(score.utterance_errors for score in known),
    )


def _score(
    *,
    reference_s: float,
    missed_s: float,
    false_alarm_s: float,
    confused_s: float,
    jaccard_errors: tuple[float, ...],
    utterances: int,
    utterance_errors: int,
) -> DiarizationScore:
    wrong = missed_s + false_alarm_s + confused_s
    return DiarizationScore(
        reference_s=reference_s,
        missed_s=missed_s,
        false_alarm_s=false_alarm_s,
        confused_s=confused_s,
        der=wrong / reference_s if reference_s else None,
        jaccard_errors=jaccard_errors,
        jer=sum(jaccard_errors) / len(jaccard_errors) if jaccard_errors else None,
        utterances=utterances,
        utterance_errors=utterance_errors,
        cder=utterance_errors / utterances if utterances else None,
    )


def _talking(activity: Activity, min_silence: int) -> list[Runs]:
    """What those say who say anything."""
    return [merge_runs(as_array(spans), min_silence) for spans in activity.speakers if spans]


def _grid(reference: list[Runs], hypothesis: list[Runs], sampling_rate: int) -> _Grid:
    borders = np.unique(np.concatenate([np.zeros((0, 2), dtype=np.int64), *reference, *hypothesis]))
    return _Grid(
        reference=_active(reference, borders[:-1]),
        hypothesis=_active(hypothesis, borders[:-1]),
        lengths_s=np.diff(borders) / sampling_rate,
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
        errors[row] = max(1.0 - float(likeness[row, column]), 0.0)
    return tuple(errors)


def _utterances(speakers: list[Runs]) -> list[Runs]:
    """Per speaker: stretches with nobody else between them are one, own pauses included."""
    merged = []
    for index, own in enumerate(speakers):
        others = [runs for other, runs in enumerate(speakers) if other != index]
        together = np.concatenate([np.zeros((0, 2), dtype=np.int64), *others])
        rest = merge_runs(together[np.argsort(together[:, 0], kind="stable")], 1)
        # Somebody else is heard between an end and the next start of one's own, or over either stretch.
        begun = np.searchsorted(rest[:, 0], own[1:, 1], side="left")
        over = np.searchsorted(rest[:, 1], own[:-1, 0], side="right")
        apart = begun > over
        starts = own[np.concatenate(([True], apart)), 0]
        ends = own[np.concatenate((apart, [True])), 1]
        merged.append(np.column_stack((starts, ends)))
    return merged


def _utterance_errors(reference: list[Runs], hypothesis: list[Runs], pairs: list[tuple[int, int]]) -> int:
    found = {row: _alike(reference[row], hypothesis[column]) for row, column in pairs}
    missed = sum(len(own) - found.get(row, 0) for row, own in enumerate(reference))
    known = {column for row, column in pairs if found[row]}
    return missed + sum(len(runs) for column, runs in enumerate(hypothesis) if column not in known)


def _alike(reference: Runs, hypothesis: Runs) -> int:
    """How many utterances are found again, one to one, the most alike first."""
    likeness = []
    for row, (start, end) in enumerate(reference.tolist()):
        first = int(np.searchsorted(hypothesis[:, 1], start, side="right"))
        last = int(np.searchsorted(hypothesis[:, 0], end, side="left"))
        for column in range(first, last):
            left, right = hypothesis[column].tolist()
            shared = min(end, right) - max(start, left)
            likeness.append((shared / (max(end, right) - min(start, left)), row, column))
    rows: set[int] = set()
    columns: set[int] = set()
    for share, row, column in sorted(likeness, reverse=True):
        if share >= _ALIKE and row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
    return len(rows)

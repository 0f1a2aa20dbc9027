"""Precision, recall and F1 of time and of counts."""

from collections.abc import Iterable

from pydantic import Field

from pipeline.domain.record import Record


class Score(Record):
    """What was found, missed and invented: seconds of speech or numbers of events. `Score.of` makes one.

    A share of nothing is None: no hypothesis has no precision, no reference no recall.
    """

    hits: float = Field(ge=0)
    misses: float = Field(ge=0)
    false_alarms: float = Field(ge=0)
    precision: float | None
    """Of what was said to be there, the part that is."""
    recall: float | None
    """Of what is there, the part that was found."""
    f1: float | None
    """Harmonic mean of both; None only where there is neither reference nor hypothesis."""

    @classmethod
    def of(cls, hits: float, misses: float, false_alarms: float) -> "Score":
        """Work the shares out.

        >>> Score.of(hits=3, misses=1, false_alarms=0).f1
        0.8571428571428571
        """
        return cls(
            hits=hits,
            misses=misses,
            false_alarms=false_alarms,
            precision=_share(hits, hits + false_alarms),
            recall=_share(hits, hits + misses),
            f1=_share(2 * hits, 2 * hits + misses + false_alarms),
        )


def total(scores: Iterable[Score]) -> Score:
    """Pooled, not averaged: long recordings weigh more."""
    known = tuple(scores)
    return Score.of(
        hits=sum(score.hits for score in known),
        misses=sum(score.misses for score in known),
        false_alarms=sum(score.false_alarms for score in known),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None

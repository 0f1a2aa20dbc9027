"""TurnBench's rule for interruptions (SesameAILabs/turnbench): recall on positives, false alarms on negative spans.

::

    three annotators   floor-taking interruption   backchannel, noise, bleed   two of three do not agree, or the
           |                     |                          |                  floor was not taken
           '-> two of three:  positive (its onset)       negative (its span)   excluded: nobody looks there

An offline filter sees the future, so its figures compare and cannot be submitted: the leaderboard demands causal
systems, with a false-positive rate of at most 0.1 on dev.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from pydantic import Field, model_validator

from pipeline.core.mining.activity import TIME_EQUALITY_S
from pipeline.domain.record import Record

BEFORE_S = 0.25
AFTER_S = 3.0
AGREEMENT_S = 0.2
MAX_FALSE_POSITIVE_RATE = 0.10
"""Of the leaderboard, on dev."""

Kind = Literal["interruption", "attempt", "backchannel", "noise", "turn"]

KINDS: dict[str, Kind] = {
    "Floor-taking Competitive Interruption": "interruption",
    "Floor-taking Cooperative Interruption": "interruption",
    "Non-floor Taking Competitive Interruption": "attempt",
    "Non-floor Taking Cooperative Interruption": "attempt",
    "Acknowledgement Backchannel": "backchannel",
    "Continuer Backchannel": "backchannel",
    "Reaction Backchannel": "backchannel",
    "Non-Speech Noise": "noise",
    "Channel Bleed": "noise",
    "Speech, Non-Linguistic": "noise",
    "Normal Turn": "turn",
    "Regular Turn": "turn",
    "Strong Floor Hold": "turn",
    "Bounded Response": "turn",
    "Filler": "turn",
    "Overlap": "turn",
}
"""What the benchmark's labels stand for; others (laughter, awkward silence) have no say in interruptions."""


class Interval(Record):
    """A stretch of time of one speaker, s."""

    speaker: str
    start_s: float
    end_s: float

    @model_validator(mode="after")
    def _ordered(self) -> "Interval":
        if self.end_s < self.start_s:
            raise ValueError(f"interval of {self.speaker} ends at {self.end_s}, before {self.start_s}")
        return self


class Prediction(Record):
    """The speaker takes the floor at this time."""

    speaker: str
    at_s: float


@dataclass(frozen=True, slots=True)
class TurnBenchGold:
    """What one dialogue is scored by."""

    positives: tuple[Prediction, ...]
    negatives: tuple[Interval, ...]
    excluded: tuple[Interval, ...]


class TurnBenchScore(Record):
    """Counts of one or more dialogues."""

    positives: int = Field(ge=0)
    detected: int = Field(ge=0)
    negatives: int = Field(ge=0)
    false_positives: int = Field(ge=0)

    @property
    def recall(self) -> float | None:
        """Detected positives; None where there are none."""
        return self.detected / self.positives if self.positives else None

    @property
    def false_positive_rate(self) -> float | None:
        """Negative spans with a prediction; None where there are none."""
        return self.false_positives / self.negatives if self.negatives else None

    @property
    def recall_in_budget(self) -> float | None:
        """Recall where the false-positive rate is allowed; 0 where it is not: nothing is detected at that rate."""
        rate = self.false_positive_rate
        if self.recall is None or rate is None:
            return None
        return self.recall if rate <= MAX_FALSE_POSITIVE_RATE else 0.0


def gold_of(annotators: Sequence[Mapping[Kind, Sequence[Interval]]]) -> TurnBenchGold:
    """What two of three annotators agree on; spans that no agreement touches are excluded.

    An attempt that did not take the floor is excluded too: at its onset nobody can tell it from one that will.
    """
    agreed = {
        kind: majority([given.get(kind, ()) for given in annotators]) for kind in sorted(set(KINDS.values()))
    }
    settled = [mark for marks in agreed.values() for mark in marks]
    disputed = [
        mark
        for given in annotators
        for marks in given.values()
        for mark in marks
        if not any(_touch(mark, other) for other in settled)
    ]
    return TurnBenchGold(
        positives=tuple(Prediction(speaker=m.speaker, at_s=m.start_s) for m in agreed["interruption"]),
        negatives=(*agreed["backchannel"], *agreed["noise"]),
        excluded=(*disputed, *agreed["attempt"]),
    )


def _touch(a: Interval, b: Interval) -> bool:
    return a.speaker == b.speaker and a.start_s < b.end_s and b.start_s < a.end_s


def majority(
    annotators: Sequence[Sequence[Interval]], tolerance_s: float = AGREEMENT_S
) -> tuple[Interval, ...]:
    """What two of three annotators marked, both ends within the tolerance; times are the agreeing ones' medians.

    Every annotator's mark is used once, the earliest agreement first.
    """
    marks = sorted(
        ((mark.start_s, mark.end_s, who, mark) for who, given in enumerate(annotators) for mark in given),
        key=lambda entry: entry[:3],
    )
    left = list(range(len(marks)))
    agreed = []
    while left:
        first = left.pop(0)
        group = {marks[first][2]: first}
        for other in left:
            who = marks[other][2]
            if who not in group and all(
                _agree(marks[o][3], marks[other][3], tolerance_s) for o in group.values()
            ):
                group[who] = other
        if len(group) * 2 > len(annotators):
            left = [index for index in left if index not in group.values()]
            together = [marks[index][3] for index in group.values()]
            agreed.append(
                Interval(
                    speaker=together[0].speaker,
                    start_s=median(mark.start_s for mark in together),
                    end_s=median(mark.end_s for mark in together),
                )
            )
    return tuple(sorted(agreed, key=lambda mark: (mark.start_s, mark.end_s, mark.speaker)))


def _agree(a: Interval, b: Interval, tolerance_s: float) -> bool:
    near = tolerance_s + TIME_EQUALITY_S
    return a.speaker == b.speaker and abs(a.start_s - b.start_s) <= near and abs(a.end_s - b.end_s) <= near


def score_turnbench(gold: TurnBenchGold, predictions: Sequence[Prediction]) -> TurnBenchScore:
    """One dialogue. Predictions in excluded intervals are dropped; outside every window and span they are not seen.

    A positive at t takes the earliest unclaimed prediction of its speaker from t - 0.25 s to t + 3 s or the
    speaker's next positive. Predictions that are claimed, or inside a positive's window, are no false alarm.
    """
    wanted = sorted(gold.positives, key=lambda p: (p.at_s, p.speaker))
    given = sorted(
        (p for p in predictions if not _in_any(p, gold.excluded)), key=lambda p: (p.at_s, p.speaker)
    )
    windows = [_window(positive, wanted) for positive in wanted]
    unclaimed = list(range(len(given)))
    detected = 0
    for window in windows:
        hit = next((index for index in unclaimed if _inside(given[index], window)), None)
        if hit is not None:
            unclaimed.remove(hit)
            detected += 1
    # What a positive claimed lies in its window, so the windows alone exempt it.
    suspects = [p for p in given if not any(_inside(p, window) for window in windows)]
    spans = [
        Interval(speaker=span.speaker, start_s=span.start_s - BEFORE_S, end_s=span.end_s)
        for span in gold.negatives
    ]
    false_positives = sum(any(_inside(suspect, span) for suspect in suspects) for span in spans)
    return TurnBenchScore(
        positives=len(wanted), detected=detected, negatives=len(spans), false_positives=false_positives
    )


def pool_turnbench(scores: Iterable[TurnBenchScore]) -> TurnBenchScore:
    """Sum over dialogues."""
    known = tuple(scores)
    return TurnBenchScore(
        positives=sum(score.positives for score in known),
        detected=sum(score.detected for score in known),
        negatives=sum(score.negatives for score in known),
        false_positives=sum(score.false_positives for score in known),
    )


def _window(positive: Prediction, ordered: Sequence[Prediction]) -> Interval:
    later = [p.at_s for p in ordered if p.speaker == positive.speaker and p.at_s > positive.at_s]
    end_s = min(positive.at_s + AFTER_S, later[0]) if later else positive.at_s + AFTER_S
    return Interval(speaker=positive.speaker, start_s=positive.at_s - BEFORE_S, end_s=end_s)


def _inside(prediction: Prediction, span: Interval) -> bool:
    within = span.start_s - TIME_EQUALITY_S <= prediction.at_s <= span.end_s + TIME_EQUALITY_S
    return prediction.speaker == span.speaker and within


def _in_any(prediction: Prediction, spans: Sequence[Interval]) -> bool:
    return any(_inside(prediction, span) for span in spans)

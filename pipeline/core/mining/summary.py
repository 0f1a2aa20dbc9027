"""What came of a whole corpus: how much went in, what was left out where and why, what was found.

Summed from one `Tally` per recording, in any order: results do not depend on how many workers there were.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import fsum
from typing import Literal

from pydantic import Field

from pipeline.domain.mining import AuditRow, MinedType, RejectCode, Segment
from pipeline.domain.record import Record

SCHEMA = "interact.filter.summary/1"
_DURATION_EDGES_S = (10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 60.0)
_BLEED_EDGES_DB = (-50.0, -40.0, -35.0, -30.0, -25.0, -20.0, -15.0, -12.0)

Status = Literal["ok", "rejected", "error"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one recording."""

    recording_id: str
    duration_s: float
    status: Status
    segments: tuple[Segment, ...] = ()
    audit: tuple[AuditRow, ...] = ()
    bleed_db: tuple[float, ...] = field(default=())


class Passed(Record):
    """How many went into a stage and came out of it."""

    came_in: int = Field(ge=0)
    went_out: int = Field(ge=0)


class RejectedFor(Record):
    """How many candidates failed for a reason, and their hours; `first` where it was the first reason to fail."""

    first_failing_n: int
    first_failing_h: float
    any_failing_n: int
    any_failing_h: float


class Bin(Record):
    """So many values from `low` to below `high`; None: no bound."""

    low: float | None
    high: float | None
    count: int


class MiningSummary(Record):
    """`summary.json`: the funnel of a corpus."""

    schema_name: str = SCHEMA
    hours_in: float
    hours_out: float
    recordings: dict[Status | Literal["in"], int]
    funnel: dict[str, Passed]
    """By level: recordings, events, segments."""
    rejected: dict[RejectCode, RejectedFor]
    class_counts: dict[MinedType, int]
    """Accepted or ambiguous events of all recordings that were used, inside segments or not."""
    class_per_hour: dict[MinedType, float | None]
    """Per hour of the recordings that were used; None where there are none."""
    share_kept: float | None
    """hours_out / hours_in: the yield."""
    duration_hist: tuple[Bin, ...]
    """Of segments, s."""
    bleed_hist: tuple[Bin, ...]
    """Of channels, dB."""


@dataclass(slots=True)
class _Losses:
    first: Counter[RejectCode] = field(default_factory=Counter)
    first_s: dict[RejectCode, list[float]] = field(default_factory=dict)
    any: Counter[RejectCode] = field(default_factory=Counter)
    any_s: dict[RejectCode, list[float]] = field(default_factory=dict)

    def add(self, row: AuditRow) -> None:
        seconds = row.end_s - row.start_s
        for code in dict.fromkeys(row.reasons):
            self.any[code] += 1
            self.any_s.setdefault(code, []).append(seconds)
        for code in row.reasons[:1]:
            self.first[code] += 1
            self.first_s.setdefault(code, []).append(seconds)


def summarise(outcomes: Iterable[Outcome]) -> MiningSummary:
    """The funnel of all recordings; the same whatever their order."""
    known = sorted(outcomes, key=lambda outcome: outcome.recording_id)
    used = [outcome for outcome in known if outcome.status == "ok"]
    rows = [row for outcome in known for row in outcome.audit]
    losses = _Losses()
    for row in rows:
        losses.add(row)
    segments = [segment for outcome in used for segment in outcome.segments]
    lengths = [len(segment.span) / segment.sampling_rate for segment in segments]
    seconds_in, seconds_out = fsum(o.duration_s for o in known), fsum(lengths)
    counts = Counter(
        MinedType(row.proposed_type) for row in rows if row.level == "event" and row.decision != "reject"
    )
    hours_used = fsum(outcome.duration_s for outcome in used) / 3600
    return MiningSummary(
        hours_in=_hours([seconds_in]),
        hours_out=_hours([seconds_out]),
        recordings={"in": len(known), **_statuses(known)},
        funnel=_funnel(known, rows),
        rejected={code: _rejected(code, losses) for code in RejectCode if losses.any[code]},
        class_counts={kind: counts[kind] for kind in MinedType},
        class_per_hour={
            kind: round(counts[kind] / hours_used, 3) if hours_used else None for kind in MinedType
        },
        share_kept=round(seconds_out / seconds_in, 6) if seconds_in else None,
        duration_hist=histogram(lengths, _DURATION_EDGES_S),
        bleed_hist=histogram([level for outcome in used for level in outcome.bleed_db], _BLEED_EDGES_DB),
    )


def histogram(values: Iterable[float], edges: tuple[float, ...]) -> tuple[Bin, ...]:
    """Counts below the first edge, from each edge to the next, and from the last one on.

    >>> [bin.count for bin in histogram([1, 5, 5, 9], (5, 9))]
    [1, 2, 1]
    """
    counts = Counter(bisect_right(edges, value) for value in values)
    bounds = (None, *edges, None)
    return tuple(
        Bin(low=bounds[index], high=bounds[index + 1], count=counts[index]) for index in range(len(edges) + 1)
    )


def _statuses(known: list[Outcome]) -> dict[Status | Literal["in"], int]:
    counts = Counter(outcome.status for outcome in known)
    return {"ok": counts["ok"], "rejected": counts["rejected"], "error": counts["error"]}


def _funnel(known: list[Outcome], rows: list[AuditRow]) -> dict[str, Passed]:
    funnel = {
        "recordings": Passed(came_in=len(known), went_out=sum(o.status == "ok" for o in known)),
    }
    for level, name in (("event", "events"), ("segment", "segments")):
        decisions = [row.decision for row in rows if row.level == level]
        funnel[name] = Passed(came_in=len(decisions), went_out=decisions.count("accept"))
    return funnel


def _rejected(code: RejectCode, losses: _Losses) -> RejectedFor:
    return RejectedFor(
        first_failing_n=losses.first[code],
        first_failing_h=_hours(losses.first_s.get(code, ())),
        any_failing_n=losses.any[code],
        any_failing_h=_hours(losses.any_s.get(code, ())),
    )


def _hours(seconds: Iterable[float]) -> float:
    """`fsum`, so that the order of the recordings changes no digit."""
    return round(fsum(seconds) / 3600, 6)

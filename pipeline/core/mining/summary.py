"""What came of a whole corpus: how much went in, what was left out where and why, what was found.

Recordings are added one by one, in any order, and none is kept: sums are whole numbers of microseconds, so that
neither the order nor the number of workers changes a digit, and a corpus of thousands of hours needs no more memory
than one call.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from pipeline.core.mining.calibration import Calibration
from pipeline.domain.labels import Split
from pipeline.domain.mining import AuditRow, MinedType, RejectCode, Segment
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record

SCHEMA = "interact.filter.summary/1"
_DURATION_EDGES_S = (10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 60.0)
_BLEED_EDGES_DB = (-50.0, -40.0, -35.0, -30.0, -25.0, -20.0, -15.0, -12.0)

_US_PER_HOUR = 3_600_000_000

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
    structure_checked: bool = False
    """Whether it has overlaps enough to tell two sides of a conversation from two strangers."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of one recording's segments beside their rows."""

    timelines: int = 0
    dialogues: int = 0
    refused: tuple[Reason, ...] = ()


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


class SplitSummary(Record):
    """One part of what was kept."""

    recordings: int
    """That were used, whether anything of them was kept or not."""
    segments: int
    hours: float
    """Of segments."""


class Bin(Record):
    """So many values from `low` to below `high`; None: no bound."""

    low: float | None
    high: float | None
    count: int


class StructureCheck(Record):
    """Recordings whose two sides were asked whether they belong together."""

    checked: int
    failed: int
    too_few_overlaps: int
    """To tell: these pass unasked."""


class MadeBy(Record):
    """What made a summary. With the same recordings it makes the same, so that no time of day is in it."""

    config_sha256: str
    """As in every row of `segments.jsonl`."""
    versions: dict[str, str]
    """Of this package and of who says who speaks when."""


class MiningSummary(Record):
    """`summary.json`: the funnel of a corpus."""

    schema_name: str = SCHEMA
    config_sha256: str
    versions: dict[str, str]
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
    splits: dict[Split, SplitSummary]
    timelines: int
    """Segments that `timelines.jsonl` holds."""
    dialogues: int
    """Those whose audio was cut out, too."""
    quarantined: dict[Reason, int]
    """What neither could hold, by reason."""
    calibration: dict[str, Calibration]
    """The threshold of voices by corpus, where recordings of it were diarized."""
    structure_check: StructureCheck


class Histogram:
    """Counts below the first edge, from each edge to the next, and from the last one on.

    >>> found = Histogram((5, 9))
    >>> found.add([1, 5, 5, 9])
    >>> [bin.count for bin in found.bins()]
    [1, 2, 1]
    """

    def __init__(self, edges: tuple[float, ...]) -> None:
        self._edges = edges
        self._counts: Counter[int] = Counter()

    def add(self, values: Iterable[float]) -> None:
        """Count some more."""
        self._counts.update(bisect_right(self._edges, value) for value in values)

    def bins(self) -> tuple[Bin, ...]:
        """The counts so far."""
        bounds = (None, *self._edges, None)
        return tuple(
            Bin(low=bounds[index], high=bounds[index + 1], count=self._counts[index])
            for index in range(len(self._edges) + 1)
        )


@dataclass(slots=True)
class _Part:
    recordings: int = 0
    segments: int = 0
    us: int = 0


@dataclass(slots=True)
class MiningTally:
    """Running sums of a corpus: `add` each recording, then `summary`."""

    statuses: Counter[Status] = field(default_factory=Counter)
    in_us: int = 0
    used_us: int = 0
    out_us: int = 0
    came_in: Counter[str] = field(default_factory=Counter)
    """By level."""
    accepted: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    first: Counter[RejectCode] = field(default_factory=Counter)
    first_us: Counter[RejectCode] = field(default_factory=Counter)
    any: Counter[RejectCode] = field(default_factory=Counter)
    any_us: Counter[RejectCode] = field(default_factory=Counter)
    lengths: Histogram = field(default_factory=lambda: Histogram(_DURATION_EDGES_S))
    bleed: Histogram = field(default_factory=lambda: Histogram(_BLEED_EDGES_DB))
    parts: dict[Split, _Part] = field(default_factory=dict)
    timelines: int = 0
    dialogues: int = 0
    quarantined: Counter[Reason] = field(default_factory=Counter)
    structure: Counter[bool] = field(default_factory=Counter)
    """Recordings that were used or failed for their structure, by whether there was enough to tell."""

    def add(self, outcome: Outcome, split: Split | None = None, written: Written | None = None) -> None:
        """One more recording; `split` where it has rights, and so a part to be in."""
        self.statuses[outcome.status] += 1
        self.in_us += _us(outcome.duration_s)
        for row in outcome.audit:
            self._add_row(row)
        if outcome.status == "ok" or outcome.structure_checked:
            self.structure[outcome.structure_checked] += 1
        if outcome.status == "ok":
            self._add_used(outcome, split)
        if written is not None:
            self.timelines += written.timelines
            self.dialogues += written.dialogues
            self.quarantined.update(written.refused)

    def _add_used(self, outcome: Outcome, split: Split | None) -> None:
        self.used_us += _us(outcome.duration_s)
        self.bleed.add(outcome.bleed_db)
        lengths = [len(segment.span) / segment.sampling_rate for segment in outcome.segments]
        self.lengths.add(lengths)
        kept_us = sum(map(_us, lengths))
        self.out_us += kept_us
        if split is not None:
            part = self.parts.setdefault(split, _Part())
            part.recordings += 1
            part.segments += len(lengths)
            part.us += kept_us

    def _add_row(self, row: AuditRow) -> None:
        self.came_in[row.level] += 1
        self.accepted[row.level] += row.decision == "accept"
        if row.level == "event" and row.decision != "reject":
            self.classes[row.proposed_type] += 1
        length_us = _us(row.end_s - row.start_s)
        for code in dict.fromkeys(row.reasons):
            self.any[code] += 1
            self.any_us[code] += length_us
        for code in row.reasons[:1]:
            self.first[code] += 1
            self.first_us[code] += length_us

    def summary(
        self, made_by: MadeBy, calibrations: Mapping[str, Calibration] | None = None
    ) -> MiningSummary:
        """The funnel so far."""
        known, used = self.statuses.total(), self.statuses["ok"]
        hours_used = self.used_us / _US_PER_HOUR
        counts = {kind: self.classes[kind.value] for kind in MinedType}
        levels = {"events": "event", "segments": "segment"}
        return MiningSummary(
            config_sha256=made_by.config_sha256,
            versions=made_by.versions,
            hours_in=_hours(self.in_us),
            hours_out=_hours(self.out_us),
            recordings={"in": known, "ok": used, "rejected": self.statuses["rejected"]}
            | {"error": self.statuses["error"]},
            funnel={"recordings": Passed(came_in=known, went_out=used)}
            | {
                name: Passed(came_in=self.came_in[level], went_out=self.accepted[level])
                for name, level in levels.items()
            },
            rejected={code: self._rejected(code) for code in RejectCode if self.any[code]},
            class_counts=counts,
            class_per_hour={
                kind: round(count / hours_used, 3) if hours_used else None for kind, count in counts.items()
            },
            share_kept=round(self.out_us / self.in_us, 6) if self.in_us else None,
            duration_hist=self.lengths.bins(),
            bleed_hist=self.bleed.bins(),
            splits={
                split: SplitSummary(recordings=part.recordings, segments=part.segments, hours=_hours(part.us))
                for split in Split
                if (part := self.parts.get(split))
            },
            timelines=self.timelines,
            dialogues=self.dialogues,
            quarantined={reason: self.quarantined[reason] for reason in Reason if self.quarantined[reason]},
            calibration=dict(calibrations or {}),
            structure_check=StructureCheck(
                checked=self.structure[True],
                failed=self.any[RejectCode.CHANNELS_UNRELATED],
                too_few_overlaps=self.structure[False],
            ),
        )

    def _rejected(self, code: RejectCode) -> RejectedFor:
        return RejectedFor(
            first_failing_n=self.first[code],
            first_failing_h=_hours(self.first_us[code]),
            any_failing_n=self.any[code],
            any_failing_h=_hours(self.any_us[code]),
        )


def _us(seconds: float) -> int:
    """Whole microseconds: they add up to the same in any order, as floats do not."""
    return round(seconds * 1_000_000)


def _hours(us: int) -> float:
    return round(us / _US_PER_HOUR, 6)

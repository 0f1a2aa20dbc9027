"""Sums over a dataset's dialogues: how precise the edges are, and whether the overlap ratio is as recorded."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from pipeline.core.checks.dialogue import DialogueCheck
from pipeline.core.checks.findings import Code, Finding, Limits
from pipeline.domain.record import Record


class EdgeErrors(Record):
    """How far what is heard is off what is recorded. `mean_ms` keeps its sign: > 0 is heard late."""

    n: int = Field(ge=0)
    mean_ms: float | None
    p50_ms: float | None
    """Of magnitudes, as is `p95_ms`. None where nothing was measured."""
    p95_ms: float | None

    @classmethod
    def of(cls, errors_s: "array[float]") -> "EdgeErrors":
        """The figures of signed errors."""
        if not errors_s:
            return cls(n=0, mean_ms=None, p50_ms=None, p95_ms=None)
        values_ms = np.asarray(errors_s) * 1000
        p50_ms, p95_ms = np.quantile(np.abs(values_ms), (0.5, 0.95))
        return cls(
            n=len(values_ms),
            mean_ms=round(float(values_ms.mean()), 3),
            p50_ms=round(float(p50_ms), 3),
            p95_ms=round(float(p95_ms), 3),
        )


class CheckSummary(Record):
    """The last line of `humdial check --json`."""

    detector: str
    dialogues: int = Field(ge=0)
    hours: float = Field(ge=0)
    """Of audio that was measured."""
    onsets: EdgeErrors
    ends: EdgeErrors
    recorded_overlap_ratio: float | None
    heard_overlap_ratio: float | None
    findings: dict[str, int]
    """By code, the commonest first."""


@dataclass(slots=True)
class Tally:
    """Running sums; sixteen bytes per supervision are what the percentiles cost."""

    limits: Limits
    detector: str
    dialogues: int = 0
    duration_s: float = 0.0
    findings: Counter[str] = field(default_factory=Counter)
    onsets_s: "array[float]" = field(default_factory=lambda: array("d"))
    ends_s: "array[float]" = field(default_factory=lambda: array("d"))
    recorded_s: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """Overlap, any speech."""
    heard_s: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def add(self, check: DialogueCheck, sampling_rate: int, num_samples: int) -> None:
        """One more dialogue."""
        self.dialogues += 1
        self.duration_s += num_samples / sampling_rate
        self.count(check.findings)
        self.onsets_s.extend(check.onset_errors_s)
        self.ends_s.extend(check.end_errors_s)
        if check.recorded is None or check.heard is None:
            return
        for sums, times in ((self.recorded_s, check.recorded), (self.heard_s, check.heard)):
            sums[0] += times.overlap / sampling_rate
            sums[1] += times.any_speech / sampling_rate

    def count(self, findings: Iterable[Finding]) -> None:
        """Findings that belong to no dialogue's audio."""
        self.findings.update(finding.code.value for finding in findings)

    def summary(self) -> CheckSummary:
        """The figures so far."""
        return CheckSummary(
            detector=self.detector,
            dialogues=self.dialogues,
            hours=round(self.duration_s / 3600, 6),
            onsets=EdgeErrors.of(self.onsets_s),
            ends=EdgeErrors.of(self.ends_s),
            recorded_overlap_ratio=_ratio(self.recorded_s),
            heard_overlap_ratio=_ratio(self.heard_s),
            findings=dict(self.findings.most_common()),
        )

    def dataset_findings(self) -> Iterator[Finding]:
        """What only the sums show."""
        summary = self.summary()
        limit_ms = self.limits.edges_p95_s * 1000
        for what, errors in (("onsets", summary.onsets), ("ends", summary.ends)):
            if errors.p95_ms is not None and errors.p95_ms > limit_ms:
                detail = (
                    f"95 in 100 of {errors.n} {what} are heard within {errors.p95_ms:.0f} ms of their record, "
                    f"wanted {limit_ms:.0f} ms: the engine's clips are not trimmed, or records and audio are apart"
                )
                yield Finding(code=Code.EDGES_IMPRECISE, dialogue_id=None, detail=detail)
        recorded, heard = summary.recorded_overlap_ratio, summary.heard_overlap_ratio
        if recorded is not None and heard is not None and abs(heard - recorded) > self.limits.overlap_ratio:
            detail = (
                f"the audio's overlap ratio is {heard:.4f}, the records say {recorded:.4f}; "
                f"wanted them within {self.limits.overlap_ratio}"
            )
            yield Finding(code=Code.OVERLAP_RATIO_OFF, dialogue_id=None, detail=detail)


def _ratio(sums: list[float]) -> float | None:
    return round(sums[0] / sums[1], 6) if sums[1] else None

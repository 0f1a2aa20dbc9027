"""Candidates: events with the decision about them, and what is known beside who speaks when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipeline.domain.mining import AuditValue, MinedEvent, RejectCode

Decision = Literal["accept", "reject", "ambiguous"]

_REASON_ORDER = (
    RejectCode.DIARIZATION_UNRELIABLE,
    RejectCode.LOW_SNR,
    RejectCode.LAUGHTER_ONLY,
    RejectCode.NONSPEECH,
    RejectCode.TRANSCRIPT_MISSING,
    RejectCode.EVENT_AMBIGUOUS,
    RejectCode.CONTEXT_MISSING,
    RejectCode.TIMBRE_CONFLICT,
    RejectCode.TIMBRE_ABSTAIN,
    RejectCode.WINDOW_TOO_SHORT,
    RejectCode.OVERLAP_TOO_SHORT,
    RejectCode.OVERLAP_TOO_LONG,
)
"""In the order of the steps: the first failing one first."""


@dataclass(frozen=True, slots=True)
class SpurtEvidence:
    """What was measured on the audio of one talkspurt; None where nobody looked."""

    snr_db: float | None = None
    """Its level over the noise floor of its channel."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known beside who speaks when. Empty by default: then the gates of step 0 have nothing to say."""

    unreliable_speakers: frozenset[str] = frozenset()
    spurts: Mapping[tuple[str, int], SpurtEvidence] = field(default_factory=dict)
    """By speaker and start of the cleaned talkspurt, in samples."""

    def of(self, speaker: str, start: int) -> SpurtEvidence:
        """Evidence on one talkspurt."""
        return self.spurts.get((speaker, start), _NOTHING)


_NOTHING = SpurtEvidence()
NO_EVIDENCE = Evidence()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate with its class, what was decided about it, and every reason against it, the first one first."""

    event: MinedEvent
    decision: Decision
    reasons: tuple[RejectCode, ...]
    values: tuple[AuditValue, ...]

    @classmethod
    def of(cls, event: MinedEvent, values: tuple[AuditValue, ...]) -> "Candidate":
        """Decide by the reasons: none accepts, an ambiguous class is ambiguous unless something failed before."""
        ordered = tuple(sorted(values, key=lambda value: _REASON_ORDER.index(value.code)))
        reasons = tuple(value.code for value in ordered)
        decision: Decision = "reject" if reasons else "accept"
        if reasons and reasons[0] is RejectCode.EVENT_AMBIGUOUS:
            decision = "ambiguous"
        return cls(event, decision, reasons, ordered)

    @property
    def accepted(self) -> bool:
        """Whether it counts."""
        return self.decision == "accept"

    def rejected_for(self, *values: AuditValue) -> "Candidate":
        """The same candidate with further reasons against it."""
        return Candidate.of(self.event, self.values + values)

"""The audit: a row for every candidate, accepted or not, so that each decision can be asked for its reasons."""

from collections.abc import Iterable

from pipeline.core.mining.candidates import Candidate
from pipeline.core.mining.segments import UncutAnchor
from pipeline.domain.mining import AuditRow, AuditValue, RejectCode, Segment
from pipeline.domain.span import Span

_REFUSED = {
    RejectCode.RIGHTS: (
        "states no rights",
        "wanted `rights` of its own or of the declaration: corpus, licence_id, consent_basis",
    ),
    RejectCode.ONE_SPEAKER: ("too few speakers talk", "leave it out, or give the file of the other side too"),
    RejectCode.CHANNELS_UNRELATED: (
        "nobody has the floor in too many of its overlaps",
        "its channels are of two conversations: declare the right pair, or raise quality.structure_max_share",
    ),
    RejectCode.DIARIZATION_UNRELIABLE: (
        "the two who speak most are not told apart, by their stretches alone or the cosine of their voices",
        "give RTTM or a channel each, or change timbre.min_clean_chunks or timbre.max_centroid_cos",
    ),
}
"""By code of what is decided after hearing: what was found, and what to do."""


def audit_events(
    recording_id: str, sampling_rate: int, candidates: Iterable[Candidate]
) -> tuple[AuditRow, ...]:
    """A row per candidate, from its onset to the end of the initiator's talkspurt."""
    return tuple(
        AuditRow(
            candidate_id=candidate.event.event_id,
            level="event",
            recording_id=recording_id,
            start_s=_seconds(candidate.event.initiator_span.start, sampling_rate),
            end_s=_seconds(candidate.event.initiator_span.end, sampling_rate),
            proposed_type=candidate.event.type.value,
            decision=candidate.decision,
            reasons=candidate.reasons,
            values=candidate.values,
            rule=candidate.event.rule,
            confidence=candidate.event.confidence,
        )
        for candidate in candidates
    )


def audit_uncut(recording_id: str, sampling_rate: int, uncut: Iterable[UncutAnchor]) -> tuple[AuditRow, ...]:
    """A row per anchor that no segment could be cut for; its type is the anchor's."""
    return tuple(
        _segment_row(
            f"{anchor.event.event_id}:segment",
            recording_id,
            anchor.event.initiator_span,
            sampling_rate,
            (anchor.value,),
            anchor.event.type.value,
        )
        for anchor in uncut
    )


def audit_segment(segment: Segment, against: tuple[AuditValue, ...]) -> AuditRow:
    """The row of a segment: accepted where no gate has anything against it."""
    return _segment_row(
        segment.segment_id, segment.recording_id, segment.span, segment.sampling_rate, against
    )


def audit_recording(recording_id: str, duration_s: float, against: tuple[AuditValue, ...]) -> AuditRow:
    """The row of a recording, accepted or refused as a whole."""
    return AuditRow(
        candidate_id=recording_id,
        level="recording",
        recording_id=recording_id,
        start_s=0.0,
        end_s=round(duration_s, 3),
        proposed_type="recording",
        decision="reject" if against else "accept",
        reasons=tuple(value.code for value in against),
        values=against,
        rule=None,
        confidence=None,
    )


def in_words(recording_id: str, problem: AuditValue) -> str:
    """Why a recording is refused, for a person: got, wanted, remedy.

    >>> print(in_words("call", because(RejectCode.CHANNELS_UNRELATED, 0.334, 0.25)))
    call: nobody has the floor in too many of its overlaps: got 0.334, wanted 0.25 at most; its channels are of two \
conversations: declare the right pair, or raise quality.structure_max_share
    """
    what, remedy = _REFUSED.get(problem.code, (problem.code.value, "leave it out"))
    found = ""
    if problem.value is not None and problem.threshold is not None:
        bound = "at most" if problem.value > problem.threshold else "at least"
        found = f": got {problem.value:.6g}, wanted {problem.threshold:.6g} {bound}"
    return f"{recording_id}: {what}{found}; {remedy}"


def because(code: RejectCode, value: float | None = None, threshold: float | None = None) -> AuditValue:
    """One reason, with what was measured and what was wanted where there are figures."""
    return AuditValue(code=code, value=value, threshold=threshold)


def _segment_row(
    candidate_id: str,
    recording_id: str,
    span: Span,
    sampling_rate: int,
    against: tuple[AuditValue, ...],
    proposed_type: str = "segment",
) -> AuditRow:
    return AuditRow(
        candidate_id=candidate_id,
        level="segment",
        recording_id=recording_id,
        start_s=_seconds(span.start, sampling_rate),
        end_s=_seconds(span.end, sampling_rate),
        proposed_type=proposed_type,
        decision="reject" if against else "accept",
        reasons=tuple(value.code for value in against),
        values=against,
        rule=None,
        confidence=None,
    )


def _seconds(samples: int, sampling_rate: int) -> float:
    return round(samples / sampling_rate, 3)

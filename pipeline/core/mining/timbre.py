"""Whose voice follows an overlap: three votes on `same` (the incumbent's) or `changed`, for one-channel recordings.

a  label   who holds the floor afterwards, by the diarization's labels
b  local   the local track of the diarizer's chunk around the overlap, before and after: no embedding involved
c  embed   the voice after the overlap is nearer to the incumbent's or to the initiator's centroid

Votes are worth something because they fail apart: labels by clustering, local tracks by segmentation, embeddings by
short speech. Thresholds of a cosine do not transfer between encoders, so vote c compares two cosines. Only where a
speaker said too little for a centroid does it fall back on one: on the voices before and after the overlap (the score
of InteractSpeech) against the threshold that was calibrated on the corpus (`calibration.py`).
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from pipeline.core.mining.audit import because
from pipeline.core.mining.calibration import Calibration, ThresholdRule
from pipeline.core.mining.candidates import Candidate
from pipeline.domain.mining import AuditValue, MinedEvent, MinedType, RejectCode, TimbreVotes
from pipeline.domain.record import Record

Vote = Literal["same", "changed"]

_EQUAL = 1e-9
_TAKEN = (MinedType.INTERRUPTION, MinedType.TERMINAL_OVERLAP)
_KEPT = (MinedType.FAILED_INTERRUPTION, MinedType.SHORT_INCURSION)


class TimbreLimits(Record):
    """Thresholds of the votes and of the speech that they are cast on."""

    window_s: float = Field(default=2.0, gt=0)
    """Before and after the overlap, for the local vote."""
    local_min_solo_s: float = Field(default=0.5, gt=0)
    """Of one local track alone, on either side."""
    emb_window_s: float = Field(default=3.0, gt=0)
    """Speech pooled for an embedding."""
    emb_min_s: float = Field(default=1.0, gt=0)
    """Less than this is no embedding; available for 92 % of the events (Switchboard)."""
    emb_guard_s: float = Field(default=0.1, ge=0)
    emb_search_s: float = Field(default=10.0, gt=0)
    """How far from the overlap speech is looked for."""
    emb_margin: float = Field(default=0.10, ge=0)
    """By how much the voice must be nearer to one centroid than to the other."""
    emb_threshold: float | Literal["calibrate"] | None = "calibrate"
    """From which cosine on the voices before and after are one, where a centroid is missing; `calibrate` finds it in
    the corpus' own recordings, None asks for centroids always."""
    emb_threshold_rule: ThresholdRule = "eer"
    """Where both errors are equal, or where 1 % of different voices pass (`far_1_percent`)."""
    max_centroid_cos: float = Field(default=0.6, ge=-1, le=1)
    """Two main speakers that are more alike cannot be told apart."""
    min_clean_chunks: int = Field(default=2, ge=0)
    """Chunks of 10 s with at least 2 s of a speaker alone that make its centroid."""

    def calibrated(self, calibration: Calibration | None) -> "TimbreLimits":
        """With the threshold of a corpus, where one is asked for; None where none could be found."""
        if self.emb_threshold != "calibrate":
            return self
        threshold = None if calibration is None else calibration.threshold
        return self.model_copy(update={"emb_threshold": threshold})


class LocalSolo(Record):
    """Time alone per local track of the chunk whose centre is nearest to the overlap's, s."""

    before_s: tuple[float, ...]
    after_s: tuple[float, ...]


class VoiceEvidence(Record):
    """Cosines of the speech before and after an overlap, and of the speech after with both centroids.

    None where there was too little speech, or an embedding was not finite: a missing value is never a vote.
    """

    cos_before_after: float | None = Field(default=None, ge=-1.001, le=1.001)
    cos_after_incumbent: float | None = Field(default=None, ge=-1.001, le=1.001)
    cos_after_initiator: float | None = Field(default=None, ge=-1.001, le=1.001)
    speech_before_s: float = Field(default=0.0, ge=0)
    speech_after_s: float = Field(default=0.0, ge=0)
    model: str | None = None


def label_vote(event: MinedEvent, min_solo_s: float) -> Vote | None:
    """Vote a: who is alone longest after the overlap; abstains where nobody is alone for long enough."""
    context = event.context
    if context is None:
        return None
    x, y = context.incumbent_solo_after_s, context.initiator_solo_after_s
    if max(x, y) < min_solo_s - _EQUAL:
        return None
    return "changed" if y > x + _EQUAL else "same"


def local_vote(solo: LocalSolo | None, limits: TimbreLimits) -> Vote | None:
    """Vote b: whether the same local track is the busiest before and after."""
    if solo is None or not solo.before_s or not solo.after_s:
        return None
    before, after = max(solo.before_s), max(solo.after_s)
    if min(before, after) < limits.local_min_solo_s - _EQUAL:
        return None
    return "same" if solo.before_s.index(before) == solo.after_s.index(after) else "changed"


def embed_vote(voices: VoiceEvidence | None, limits: TimbreLimits) -> tuple[Vote | None, float | None]:
    """Vote c and its margin, cos(after, incumbent) - cos(after, initiator); None without both centroids."""
    if voices is None:
        return None, None
    if voices.cos_after_incumbent is None or voices.cos_after_initiator is None:
        return _threshold_vote(voices, limits), None
    margin = voices.cos_after_incumbent - voices.cos_after_initiator
    if voices.speech_after_s < limits.emb_min_s - _EQUAL:
        return None, margin
    if margin >= limits.emb_margin - _EQUAL:
        return "same", margin
    return ("changed" if margin <= -limits.emb_margin + _EQUAL else None), margin


def _threshold_vote(voices: VoiceEvidence, limits: TimbreLimits) -> Vote | None:
    """By the voices before and after alone; what was not calibrated yet is no threshold."""
    cosine, threshold = voices.cos_before_after, limits.emb_threshold
    if cosine is None or threshold is None or threshold == "calibrate":
        return None
    if voices.speech_after_s < limits.emb_min_s - _EQUAL:
        return None
    return "same" if cosine >= threshold - _EQUAL else "changed"


def cast_votes(
    event: MinedEvent,
    local: LocalSolo | None,
    voices: VoiceEvidence | None,
    limits: TimbreLimits,
    take_min_solo_s: float,
) -> TimbreVotes:
    """All three votes on one event."""
    embed, margin = embed_vote(voices, limits)
    return TimbreVotes(
        label=label_vote(event, take_min_solo_s),
        local=local_vote(local, limits),
        embed=embed,
        cos_before_after=voices.cos_before_after if voices else None,
        margin=margin,
        win_before_s=voices.speech_before_s if voices else None,
        win_after_s=voices.speech_after_s if voices else None,
        model=voices.model if voices else None,
    )


def verdict_of(event: MinedEvent, votes: TimbreVotes) -> RejectCode | None:
    """What the votes say against an event: nothing where at least two are cast, all agree, and agree with the tree.

    The tree has an opinion where step 7 decided: the voice changes in an interruption and in a terminal overlap,
    and stays in a failed interruption and in a short incursion.
    """
    cast = [vote for vote in (votes.label, votes.local, votes.embed) if vote is not None]
    if len(cast) < 2:
        return RejectCode.TIMBRE_ABSTAIN
    expected = "changed" if event.type in _TAKEN else "same" if event.type in _KEPT else cast[0]
    return None if all(vote == expected for vote in cast) else RejectCode.TIMBRE_CONFLICT


def with_votes(
    candidates: tuple[Candidate, ...],
    votes: Mapping[str, TimbreVotes],
    voices: Mapping[str, VoiceEvidence],
    limits: TimbreLimits,
) -> tuple[Candidate, ...]:
    """Step 8: candidates with their votes (both mappings by event id), and what the votes say against them.

    Candidates without votes stay as they are: backchannels in a gap have no overlap to vote on. Too little speech for
    an embedding is named beside the abstention that it causes.
    """
    return tuple(
        _with_votes(c, votes[c.event.event_id], voices.get(c.event.event_id), limits)
        if c.event.event_id in votes
        else c
        for c in candidates
    )


def _with_votes(
    candidate: Candidate, votes: TimbreVotes, voices: VoiceEvidence | None, limits: TimbreLimits
) -> Candidate:
    voted = Candidate.of(candidate.event.model_copy(update={"timbre": votes}), candidate.values)
    code = verdict_of(voted.event, votes)
    if code is None:
        return voted
    against: list[AuditValue] = [because(code, votes.margin, limits.emb_margin)]
    if code is RejectCode.TIMBRE_ABSTAIN and voices is not None and voices.speech_after_s < limits.emb_min_s:
        against.append(because(RejectCode.WINDOW_TOO_SHORT, voices.speech_after_s, limits.emb_min_s))
    return voted.rejected_for(*against)


def speaker_problems(
    clean_chunks: Mapping[str, int], centroid_cos: float | None, limits: TimbreLimits
) -> tuple[AuditValue, ...]:
    """What a diarization's own figures say against a recording.

    `clean_chunks` are by kept label; `centroid_cos` is that of the two main speakers.
    """
    if len(clean_chunks) < 2:
        return (because(RejectCode.ONE_SPEAKER, len(clean_chunks), 2),)
    fewest = min(clean_chunks.values())
    found = []
    if fewest < limits.min_clean_chunks:
        found.append(because(RejectCode.DIARIZATION_UNRELIABLE, fewest, limits.min_clean_chunks))
    if centroid_cos is not None and centroid_cos > limits.max_centroid_cos + _EQUAL:
        found.append(because(RejectCode.DIARIZATION_UNRELIABLE, centroid_cos, limits.max_centroid_cos))
    return tuple(found)

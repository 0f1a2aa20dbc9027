"""Gates of segments and recordings that need numbers only: who talks how much, clipping, noise, structure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from pydantic import Field

from pipeline.core.mining.activity import TIME_EQUALITY_S
from pipeline.core.mining.audit import because
from pipeline.core.mining.candidates import Candidate
from pipeline.domain.mining import AuditValue, MinedType, RecordedActivity, RejectCode
from pipeline.domain.record import Record
from pipeline.domain.span import Span


class QualityLimits(Record):
    """Gates of section `quality`. A gate that is None is off."""

    min_speaker_share: float = Field(default=0.10, ge=0, le=0.5)
    """Of the speech of a segment, each of the two main speakers."""
    max_third_speaker_s: float = Field(default=0.5, ge=0)
    """Of any one speaker beside the main two."""
    snr_min_db: float = 10.0
    clip_max: float = Field(default=0.001, gt=0, le=1)
    """Share of clipped samples from which a channel is refused."""
    bandwidth_min_hz: float | None = None
    """Off: telephone speech is speech."""
    structure_min_candidates: int = Field(default=100, ge=1)
    structure_max_share: float = Field(default=0.25, ge=0, le=1)
    """Of `no_incumbent_floor` and `undecided`: 0.12 in Switchboard, 0.33 where the channels are of two calls."""


class SegmentMeasures(Record):
    """What was measured on a segment; None where nobody looked."""

    speech_s: tuple[float, ...]
    """Per speaker, longest first."""
    snr_db: tuple[float, ...] = ()
    """Per channel."""
    clipped_share: tuple[float, ...] = ()
    """Per channel."""
    bandwidth_hz: float | None = None


def speech_in(activity: RecordedActivity, span: Span) -> tuple[float, ...]:
    """Seconds of speech per speaker inside a span, longest first."""
    rate = activity.sampling_rate
    totals = (sum(len(part) for part in _inside(speaker.talkspurts, span)) for speaker in activity.speakers)
    return tuple(sorted((total / rate for total in totals), reverse=True))


def _inside(talkspurts: tuple[Span, ...], span: Span) -> list[Span]:
    first = bisect_right(talkspurts, span.start, key=lambda spurt: spurt.end)
    last = bisect_left(talkspurts, span.end, key=lambda spurt: spurt.start)
    return [part for spurt in talkspurts[first:last] if (part := spurt.overlap(span))]


def segment_problems(measures: SegmentMeasures, limits: QualityLimits) -> tuple[AuditValue, ...]:
    """Every gate that a segment fails, in the order of the gates."""
    found = [*_speaker_problems(measures.speech_s, limits)]
    quietest = min(measures.snr_db, default=None)
    if quietest is not None and quietest < limits.snr_min_db:
        found.append(because(RejectCode.LOW_SNR, quietest, limits.snr_min_db))
    worst = max(measures.clipped_share, default=0.0)
    if worst >= limits.clip_max:
        found.append(because(RejectCode.CLIPPING, worst, limits.clip_max))
    width, floor = measures.bandwidth_hz, limits.bandwidth_min_hz
    if width is not None and floor is not None and width < floor:
        found.append(because(RejectCode.LOW_BANDWIDTH, width, floor))
    return tuple(found)


def _speaker_problems(speech_s: tuple[float, ...], limits: QualityLimits) -> list[AuditValue]:
    total = sum(speech_s)
    second = speech_s[1] if len(speech_s) > 1 else 0.0
    share = second / total if total else 0.0
    found = []
    if second <= 0 or share < limits.min_speaker_share - TIME_EQUALITY_S:
        found.append(because(RejectCode.ONE_SPEAKER, share, limits.min_speaker_share))
    third = speech_s[2] if len(speech_s) > 2 else 0.0
    if third > limits.max_third_speaker_s + TIME_EQUALITY_S:
        found.append(because(RejectCode.EXTRA_SPEAKER, third, limits.max_third_speaker_s))
    return found


def unrelated_share(candidates: Iterable[Candidate]) -> tuple[float, int]:
    """Share of overlaps whose class says that nobody listened to anybody, and how many overlaps there are.

    Of overlaps that are long enough to count, as the figures from Switchboard are.
    """
    kinds = [
        c.event.type
        for c in candidates
        if c.event.rule not in ("gap", "9") and RejectCode.OVERLAP_TOO_SHORT not in c.reasons
    ]
    strange = sum(kind in (MinedType.NO_INCUMBENT_FLOOR, MinedType.UNDECIDED) for kind in kinds)
    return (strange / len(kinds) if kinds else 0.0), len(kinds)


def structure_problems(
    candidates: Iterable[Candidate], limits: QualityLimits | None = None
) -> tuple[AuditValue, ...]:
    """`channels_unrelated`: two channels of different conversations overlap by chance, and it shows.

    Too few candidates prove nothing: below 100 (some ten minutes of a call) a pair of strangers passes. That is the
    specification's rule, and recordings are not pooled to get round it: one wrong pair among many right ones would not
    show, and the right ones would answer for it. A shift of one channel by 5 s stays below the threshold (0.21): it is
    found by the lag of the channels' correlation, not here.
    """
    limits = limits or QualityLimits()
    share, count = unrelated_share(candidates)
    if count < limits.structure_min_candidates or share <= limits.structure_max_share:
        return ()
    return (because(RejectCode.CHANNELS_UNRELATED, share, limits.structure_max_share),)

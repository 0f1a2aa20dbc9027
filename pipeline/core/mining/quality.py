"""Gates of segments and recordings that need numbers only: who talks how much, clipping, noise, structure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from math import log10

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.core.mining.activity import TIME_EQUALITY_S
from pipeline.core.mining.audit import because
from pipeline.core.mining.candidates import Candidate
from pipeline.domain.mining import AuditValue, MinedType, RecordedActivity, RejectCode
from pipeline.domain.record import Record
from pipeline.domain.span import Span

_FRAME_S = 0.025
_QUIETEST_POWER = 1e-10
"""-100 dB: digital silence has no level."""
_CLIPPED = 0.999
"""Of full scale: what a converter at its limit writes, after rounding and resampling too."""


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
    language_probability_min: float = Field(default=0.8, ge=0, le=1)
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
    language_probability: float | None = None
    """That it is in the language that is required."""


def speech_in(activity: RecordedActivity, span: Span) -> tuple[float, ...]:
    """Seconds of speech per speaker inside a span, longest first."""
    rate = activity.sampling_rate
    totals = (sum(len(part) for part in _inside(speaker.talkspurts, span)) for speaker in activity.speakers)
    return tuple(sorted((total / rate for total in totals), reverse=True))


def _inside(talkspurts: tuple[Span, ...], span: Span) -> list[Span]:
    first = bisect_right(talkspurts, span.start, key=lambda spurt: spurt.end)
    last = bisect_left(talkspurts, span.end, key=lambda spurt: spurt.start)
    return [part for spurt in talkspurts[first:last] if (part := spurt.overlap(span))]


def snr_db(samples: npt.NDArray[np.float32], sampling_rate: int, speech: Iterable[Span]) -> float | None:
    """90th percentile of the level in speech minus 10th percentile outside; `samples` `[num_samples]`, -1...1.

    Levels of frames of 25 ms. None where either side is empty: nothing to compare is no ratio.
    """
    frame = max(1, round(_FRAME_S * sampling_rate))
    frames = len(samples) // frame
    if not frames:
        return None
    power = np.square(samples[: frames * frame].astype(np.float64)).reshape(frames, frame).mean(axis=1)
    level = 10 * np.log10(power + _QUIETEST_POWER)
    middles = np.arange(frames) * frame + frame // 2
    spoken = np.zeros(frames, dtype=np.bool_)
    for span in speech:
        spoken |= (middles >= span.start) & (middles < span.end)
    if spoken.all() or not spoken.any():
        return None
    return float(np.percentile(level[spoken], 90) - np.percentile(level[~spoken], 10))


def clipped_share(samples: npt.NDArray[np.float32]) -> float:
    """Share of samples at full scale in `[num_samples]`, -1...1; 0 for no samples."""
    return float(np.mean(np.abs(samples) >= _CLIPPED)) if len(samples) else 0.0


def level_db(samples: npt.NDArray[np.float32]) -> float:
    """Mean power in dB of full scale; -100 for digital silence or nothing."""
    power = float(np.mean(np.square(samples.astype(np.float64)))) if len(samples) else 0.0
    return 10 * log10(power + _QUIETEST_POWER)


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
    sure = measures.language_probability
    if sure is not None and sure < limits.language_probability_min:
        found.append(because(RejectCode.LANGUAGE, sure, limits.language_probability_min))
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

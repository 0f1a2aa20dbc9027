"""What was heard in one recording: the input of everything that decides, and all that is cached."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from pipeline.core.mining.activity import clean
from pipeline.core.mining.candidates import Evidence, SpurtEvidence
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.quality import SegmentMeasures, speech_in
from pipeline.core.mining.voices import DiarizedEvidence
from pipeline.core.probing import ProbedAudio
from pipeline.core.suppression import FRAME_S
from pipeline.domain.mining import AuditValue, RecordedActivity, Segment, SpeakerActivity
from pipeline.domain.record import Record

_STEPS_PER_DB = 2
_QUIETEST_DB = -100.0


class Heard(Record):
    """One recording: who speaks when, or why it is refused as a whole."""

    recording_id: str
    probed: ProbedAudio | None
    """None where only words or RTTM are given, or where the audio could not be read."""
    activity: RecordedActivity | None
    problems: tuple[AuditValue, ...] = ()
    detail: str | None = None
    """Of the first problem, for a person."""
    voices: DiarizedEvidence | None = None
    """Of a recording that was diarized."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Levels per channel and 10 ms, and where it clips.

    `levels` is `[channels, num_frames]` uint8: steps of 0.5 dB above -100 dB. `clipped` is `[channels, num_frames]`
    uint16: samples at full scale. Together six bytes per 10 ms of two channels: 2 MB per hour.
    """

    levels: npt.NDArray[np.uint8]
    clipped: npt.NDArray[np.uint16]

    def levels_db(self, channel: int, first: int = 0, last: int | None = None) -> npt.NDArray[np.float32]:
        """Levels of frames [first, last) of one channel."""
        steps = self.levels[channel, first:last].astype(np.float32)
        return np.asarray(steps / _STEPS_PER_DB + _QUIETEST_DB, np.float32)


def pack_levels(levels_db: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Levels as they are kept."""
    steps = levels_db - np.float32(_QUIETEST_DB)
    steps *= _STEPS_PER_DB
    np.rint(steps, out=steps)
    np.clip(steps, 0, 255, out=steps)
    return steps.astype(np.uint8)


def evidence_of(activity: RecordedActivity, frames: Frames | None, limits: EventLimits) -> Evidence:
    """How loud each talkspurt is over the noise floor of its channel: its 90th percentile minus the 10th of silence."""
    if frames is None or activity.mode != "two_channel":
        return Evidence()
    rate = activity.sampling_rate
    spurts = {}
    for speaker in activity.speakers:
        if speaker.channel is None:
            continue
        levels = frames.levels_db(speaker.channel)
        floor_db = _floor_db(levels, _speaking(speaker, rate, len(levels)))
        if floor_db is None:
            continue
        for span in clean(speaker.talkspurts, rate, limits.ipu_gap_s, limits.min_ipu_s):
            inside = levels[_frame(span.start, rate) : _frame(span.end, rate) + 1]
            if len(inside):
                snr_db = _percentile(inside, 0.9) - floor_db
                spurts[speaker.speaker, span.start] = SpurtEvidence(snr_db=round(snr_db, 2))
    return Evidence(spurts=spurts)


def measures_of(
    segment: Segment, activity: RecordedActivity, frames: Frames | None, probed: ProbedAudio | None
) -> SegmentMeasures:
    """What the gates of a segment ask about."""
    speech_s = speech_in(activity, segment.span)
    if frames is None:
        return SegmentMeasures(speech_s=speech_s)
    rate = activity.sampling_rate
    first, last = _frame(segment.span.start, rate), _frame(segment.span.end, rate)
    snr_db, clipped = [], []
    for channel in range(len(frames.levels)):
        heard = [s for s in activity.speakers if s.channel in (channel, None)]
        levels = frames.levels_db(channel, first, last)
        speaking = np.zeros(last - first, dtype=bool)
        for speaker in heard:
            speaking |= _speaking(speaker, rate, last, first)
        speaking = speaking[: len(levels)]
        floor_db = _floor_db(levels, speaking)
        if floor_db is not None and speaking.any():
            snr_db.append(round(_percentile(levels[speaking], 0.9) - floor_db, 2))
        clipped.append(int(frames.clipped[channel, first:last].sum(dtype=np.int64)) / len(segment.span))
    widths = [c.bandwidth_hz for c in probed.channels if c.bandwidth_hz is not None] if probed else []
    return SegmentMeasures(
        speech_s=speech_s,
        snr_db=tuple(snr_db),
        clipped_share=tuple(round(share, 6) for share in clipped),
        bandwidth_hz=min(widths, default=None),
    )


def _frame(sample: int, rate: int) -> int:
    return int(sample / (rate * FRAME_S))


def _speaking(speaker: SpeakerActivity, rate: int, last: int, first: int = 0) -> npt.NDArray[np.bool_]:
    """Frames [first, last) that a speaker's talkspurts touch: of hours, only the ones there are looked at."""
    mask = np.zeros(max(last - first, 0), dtype=bool)
    before = bisect_left(speaker.talkspurts, int(first * rate * FRAME_S) - 1, key=lambda span: span.end)
    for span in islice(speaker.talkspurts, before, None):
        start, end = _frame(span.start, rate) - first, _frame(span.end, rate) + 1 - first
        if start >= len(mask):
            break
        mask[max(start, 0) : max(end, 0)] = True
    return mask


def _floor_db(levels: npt.NDArray[np.float32], speaking: npt.NDArray[np.bool_]) -> float | None:
    quiet = levels[~speaking]
    return _percentile(quiet, 0.1) if len(quiet) else None


def _percentile(values: npt.NDArray[np.float32], share: float) -> float:
    """The value that this share of the others is below; a selection, as there are many short ones to be found."""
    at = min(int(share * len(values)), len(values) - 1)
    return float(np.partition(values, at)[at])

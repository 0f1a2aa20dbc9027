"""Lines of `segments.jsonl`: a segment in seconds on its recording's clock, and all that was decided about it."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, Field

from pipeline.core.mining.activity import Silence, Talk, silences, talk_of
from pipeline.core.mining.limits import EventLimits, SegmentLimits
from pipeline.core.mining.quality import QualityLimits, SegmentMeasures
from pipeline.core.mining.splits import Assigned
from pipeline.core.mining.spurts import middle_of, text_of
from pipeline.core.mining.timbre import TimbreLimits
from pipeline.core.probing import ProbedAudio
from pipeline.core.suppression import SuppressionLimits
from pipeline.core.turntaking.activity import talk_times
from pipeline.domain.labels import Language, Split
from pipeline.domain.mining import (
    Margin,
    MinedEvent,
    MinedType,
    Mode,
    RecordedActivity,
    Recording,
    Rights,
    Segment,
    TimbreVotes,
)
from pipeline.domain.record import Record
from pipeline.domain.span import Span

_SHORTEST_PAUSE_S = 0.2
_SOURCES: Mapping[Mode, Literal["vad", "rttm", "words", "diarization"]] = {
    "two_channel": "vad",
    "given_rttm": "rttm",
    "given_words": "words",
    "mono_diarized": "diarization",
}
SCHEMA = "interact.filter.segment/1"
Interval = tuple[float, float]


class AudioRow(Record):
    """The recording that a segment lies in."""

    paths: tuple[str, ...]
    channels: int | None
    sample_rate: int
    native_bandwidth_hz: float | None
    encoding: str | None
    duration: float


class SpeakerRow(Record):
    """A speaker inside a segment."""

    id: str
    channel: int | None
    speech_s: float
    solo_s: float
    share: float
    """Of all speech of the segment."""


class TurnRow(Record):
    """A talkspurt, cut at the segment's ends; its words only where derived texts are allowed."""

    speaker: str
    start: float
    end: float
    text: str | None
    source: Literal["vad", "rttm", "words", "diarization"]


class FloorRow(Record):
    """Who holds the floor in the window on one side of the overlap."""

    speaker: str | None
    solo_s: float
    other_s: float


class EventRow(Record):
    """An event whose onset is in the segment."""

    event_id: str
    type: MinedType
    tags: tuple[str, ...]
    initiator: str
    incumbent: str
    is_anchor: bool
    onset: float
    overlap: Interval | None
    initiator_span: Interval
    incumbent_span: Interval
    before: FloorRow | None
    after: FloorRow | None
    floor_changed: bool | None
    fto: float | None
    prev_own_silence: float | None
    next_own_silence: float | None
    incumbent_prev_silence: float | None
    joint_silence_before: float | None
    incumbent_complete: Literal["yes", "no", "unknown"]
    lexicon_match: bool | None
    lexicon_verified: bool | None
    ctx_pre_s: float
    ctx_post_s: float
    timbre: TimbreVotes | None
    rule: str
    confidence: float
    margins: tuple[Margin, ...]


class MetricsRow(Record):
    """Figures of a segment."""

    overlap_s: float
    overlap_ratio: float
    """Time with both speaking over time with any speaking."""
    events_per_min: float
    boundary_silence: Interval


class QualityRow(Record):
    """What was measured on the audio; empty where there is none."""

    snr_db: tuple[float, ...]
    clip_frac: tuple[float, ...]
    bleed_db: tuple[float, ...]


class ParamsRow(Record):
    """Every threshold as used; None where what it belongs to had no part in the segment."""

    events: EventLimits
    segments: SegmentLimits
    quality: QualityLimits
    timbre: TimbreLimits | None
    """With the threshold of the corpus; only where voices voted."""
    suppression: SuppressionLimits | None
    """Only where two channels were told apart."""


class ProvenanceRow(Record):
    """How it was found. `config_sha256` names the declaration in `filter.json`: a row is understood without it."""

    tool: Literal["humdial-pipeline"] = "humdial-pipeline"
    version: str
    config_sha256: str
    detector: str | None
    """Who found speech, or told speakers apart, with its version; None where words or RTTM say who speaks when."""
    params: ParamsRow
    label_source: Literal["automatic"] = "automatic"
    i_have_rights: bool = False
    """Whoever mined said that they may pass the audio on, whatever `rights` say."""


class SegmentRow(Record):
    """One accepted segment."""

    model_config = ConfigDict(serialize_by_alias=True)

    schema_name: str = Field(default=SCHEMA, alias="schema")
    segment_id: str
    recording_id: str
    audio: AudioRow
    start: float
    end: float
    duration: float
    mode: Mode
    language: Language | None
    speakers: tuple[SpeakerRow, ...]
    turns: tuple[TurnRow, ...]
    events: tuple[EventRow, ...]
    counts: dict[str, int]
    metrics: MetricsRow
    quality: QualityRow
    provenance: ProvenanceRow
    rights: Rights
    split: Split
    split_key: str
    """Of the speakers, or of the conversation: rows with one key are in one split."""
    dialogue_id: str | None
    """Of its line in `timelines.jsonl`; None where `quarantine.jsonl` says why it has none."""
    dialogue_audio: str | None = None
    """The file that it was cut out to, from this directory; None where it was not."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all segments of one recording share."""

    activity: RecordedActivity
    probed: ProbedAudio | None
    talk: Talk
    quiet: tuple[Silence, ...]

    @classmethod
    def of(
        cls, activity: RecordedActivity, probed: ProbedAudio | None, limits: EventLimits
    ) -> "Surroundings":
        """Talkspurts as the events saw them, and the silences between."""
        talk = talk_of(activity, limits.ipu_gap_s, limits.min_ipu_s)
        return cls(activity, probed, talk, silences(talk, _SHORTEST_PAUSE_S))


def segment_row(
    segment: Segment,
    recording: Recording,
    measures: SegmentMeasures,
    provenance: ProvenanceRow,
    surroundings: Surroundings,
    assigned: Assigned,
    dialogue_id: str | None,
) -> SegmentRow:
    """Write a segment down; `surroundings` are of the recording that it was cut from."""
    activity, probed, talk = surroundings.activity, surroundings.probed, surroundings.talk
    rate, span = activity.sampling_rate, segment.span
    start, end = _interval(span, rate)
    times = talk_times(_spurts_in(talk, index, span) for index in range(len(talk.names)))
    overlap_s, any_s = times.overlap / rate, times.any_speech / rate
    minutes = len(span) / rate / 60
    return SegmentRow(
        segment_id=segment.segment_id,
        recording_id=segment.recording_id,
        audio=AudioRow(
            paths=recording.audio,
            channels=len(probed.channels) if probed else None,
            sample_rate=rate,
            native_bandwidth_hz=measures.bandwidth_hz,
            encoding=probed.encoding if probed else None,
            duration=round(activity.num_samples / rate, 3),
        ),
        start=start,
        end=end,
        duration=round(len(span) / rate, 3),
        mode=segment.mode,
        language=recording.language,
        speakers=_speakers(talk, activity, span),
        turns=_turns(talk, activity, span, recording),
        events=tuple(_event(event, segment) for event in segment.events),
        counts=_counts(segment, surroundings.quiet),
        metrics=MetricsRow(
            overlap_s=round(overlap_s, 3),
            overlap_ratio=round(overlap_s / any_s, 4) if any_s else 0.0,
            events_per_min=round(len(segment.events) / minutes, 2),
            boundary_silence=(
                round(segment.boundary_silence_s[0], 3),
                round(segment.boundary_silence_s[1], 3),
            ),
        ),
        quality=QualityRow(
            snr_db=measures.snr_db, clip_frac=measures.clipped_share, bleed_db=activity.bleed_db
        ),
        provenance=provenance,
        rights=recording.rights,
        split=assigned.split,
        split_key=assigned.key,
        dialogue_id=dialogue_id,
    )


def _event(event: MinedEvent, segment: Segment) -> EventRow:
    rate, context = segment.sampling_rate, event.context
    before = after = None
    if context is not None:
        before = _floor(event, context.incumbent_solo_before_s, context.initiator_solo_before_s)
        after = _floor(event, context.incumbent_solo_after_s, context.initiator_solo_after_s)
    changed = None
    if before is not None and after is not None and before.speaker and after.speaker:
        changed = before.speaker != after.speaker
    return EventRow(
        event_id=event.event_id,
        type=event.type,
        tags=event.tags,
        initiator=event.initiator,
        incumbent=event.incumbent,
        is_anchor=event.event_id in segment.anchors,
        onset=round(event.onset / rate, 3),
        overlap=_interval(event.overlap, rate) if event.overlap else None,
        initiator_span=_interval(event.initiator_span, rate),
        incumbent_span=_interval(event.incumbent_span, rate),
        before=before,
        after=after,
        floor_changed=changed,
        fto=_rounded(context.fto_s) if context else None,
        prev_own_silence=_rounded(context.prev_own_silence_s) if context else None,
        next_own_silence=_rounded(context.next_own_silence_s) if context else None,
        incumbent_prev_silence=_rounded(context.incumbent_prev_silence_s) if context else None,
        joint_silence_before=_rounded(context.joint_silence_before_s) if context else None,
        incumbent_complete=event.incumbent_complete,
        lexicon_match=context.lexicon_match if context else None,
        lexicon_verified=context.lexicon_verified if context else None,
        ctx_pre_s=round((event.onset - segment.span.start) / rate, 3),
        ctx_post_s=round((segment.span.end - event.initiator_span.end) / rate, 3),
        timbre=event.timbre,
        rule=event.rule,
        confidence=round(event.confidence, 4),
        margins=event.margins,
    )


def _floor(event: MinedEvent, incumbent_s: float, initiator_s: float) -> FloorRow:
    """Whoever is alone for longer; nobody where neither is."""
    first, second = (incumbent_s, event.incumbent), (initiator_s, event.initiator)
    longer, shorter = (first, second) if incumbent_s >= initiator_s else (second, first)
    return FloorRow(
        speaker=longer[1] if longer[0] > 0 else None, solo_s=round(longer[0], 3), other_s=round(shorter[0], 3)
    )


def _speakers(talk: Talk, activity: RecordedActivity, span: Span) -> tuple[SpeakerRow, ...]:
    rate = activity.sampling_rate
    spoken = [talk.spoken(index, span.start, span.end) for index in range(len(talk.names))]
    total = sum(spoken)
    return tuple(
        SpeakerRow(
            id=speaker.speaker,
            channel=speaker.channel,
            speech_s=round(spoken[index] / rate, 3),
            solo_s=round(talk.solo(index, span.start, span.end) / rate, 3),
            share=round(spoken[index] / total, 4) if total else 0.0,
        )
        for index, speaker in enumerate(activity.speakers)
    )


def _turns(talk: Talk, activity: RecordedActivity, span: Span, recording: Recording) -> tuple[TurnRow, ...]:
    source, with_text = _SOURCES[activity.mode], recording.rights.derivative_allowed
    rows = []
    for index, speaker in enumerate(activity.speakers):
        for spurt in _spurts_in(talk, index, span):
            words = [word for word in speaker.words if middle_of(word) in spurt] if with_text else []
            text = text_of(words, recording.language)
            start, end = _interval(spurt, activity.sampling_rate)
            rows.append(TurnRow(speaker=speaker.speaker, start=start, end=end, text=text, source=source))
    return tuple(sorted(rows, key=lambda row: (row.start, row.speaker)))


def _spurts_in(talk: Talk, speaker: int, span: Span) -> list[Span]:
    """Talkspurts of one speaker, cut at the ends of a span."""
    starts, ends = talk.starts[speaker], talk.ends[speaker]
    first, last = bisect_right(ends, span.start), bisect_left(starts, span.end)
    return [
        Span(max(a, span.start), min(b, span.end))
        for a, b in zip(starts[first:last], ends[first:last], strict=True)
    ]


def _counts(segment: Segment, quiet: tuple[Silence, ...]) -> dict[str, int]:
    found = Counter(event.type for event in segment.events)
    kinds = Counter(silence.kind for silence in quiet if segment.span.covers(silence.span))
    return {**{kind.value: found[kind] for kind in MinedType}, "gap": kinds["gap"], "pause": kinds["pause"]}


def _interval(span: Span, rate: int) -> Interval:
    start, end = span.seconds(rate)
    return round(start, 3), round(end, 3)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)

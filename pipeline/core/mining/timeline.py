"""A segment as a timeline: real talk in the types of synthetic talk, so that one code describes and mixes both.

What a recording does not tell stays unsaid: no emotion, no style, no gender. Talk without a transcript is written as
`[speech]`, and so is talk whose transcript the rights keep from being copied. Roles are places, not people: the first
speaker takes the user's channel, the second the assistant's.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.mining.activity import Talk, talk_of
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.splits import SplitRule, person_of
from pipeline.core.mining.spurts import Spurt, spurts_of
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Language, Recipe, Speaker, Split
from pipeline.domain.licence import Licence
from pipeline.domain.mining import (
    MinedEvent,
    MinedType,
    RecordedActivity,
    Recording,
    Rights,
    Segment,
    TimedWord,
)
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AfterSeconds, Anchor, Follows
from pipeline.domain.span import Span
from pipeline.domain.timeline import Event, Provenance, Supervision, Timeline, Voicing
from pipeline.domain.words import TimeSource, Word

UNTRANSCRIBED = "[speech]"
"""What is heard where there is no transcript."""
ENGINE = "recording"
_PLACES = (Speaker.USER, Speaker.ASSISTANT, Speaker.THIRD_PARTY)
_TYPES = {
    MinedType.INTERRUPTION: EventType.INTERRUPTION,
    MinedType.FAILED_INTERRUPTION: EventType.INTERRUPTION,
    MinedType.BACKCHANNEL: EventType.BACKCHANNEL,
    MinedType.GAP_BACKCHANNEL: EventType.BACKCHANNEL,
}
"""The other classes are in `segments.jsonl` alone: nobody plans them."""


@dataclass(frozen=True, slots=True)
class RecordedTalk:
    """A recording, ready to be written as timelines: `RecordedTalk.of` once, `timeline` for each segment."""

    recording: Recording
    language: Language
    talk: Talk
    spurts: tuple[tuple[Spurt, ...], ...]
    channels: tuple[int | None, ...]
    """By speaker; None where nobody says which one is theirs."""
    rule: SplitRule

    @classmethod
    def of(
        cls,
        recording: Recording,
        recorded: RecordedActivity,
        limits: EventLimits | None = None,
        rule: SplitRule | None = None,
    ) -> "RecordedTalk":
        """Raises RecordError where nobody declared the language."""
        if recording.language is None:
            raise RecordError(
                Reason.MISSING_FIELD,
                f"{recording.recording_id}: no language; wanted it in the recording's declaration",
            )
        limits = limits or EventLimits()
        talk = talk_of(recorded, limits.ipu_gap_s, limits.min_ipu_s)
        speakers = recorded.speakers
        if not recording.rights.derivative_allowed:
            speakers = tuple(speaker.model_copy(update={"words": ()}) for speaker in speakers)
        spurts = tuple(
            spurts_of(talk, index, speaker, recording.language) for index, speaker in enumerate(speakers)
        )
        channels = tuple(speaker.channel for speaker in speakers)
        return cls(recording, recording.language, talk, spurts, channels, rule or SplitRule())

    def tracks(self, segment: Segment) -> tuple[int, int]:
        """The channels of the recording that hold the user's and the assistant's track.

        Raises RecordError where a speaker has no channel, or two who are to be apart share one.
        """
        channels: dict[Speaker, int] = {}
        for one in _place(segment, self):
            channel = self.channels[one.spurt.speaker]
            if channel is None:
                raise RecordError(
                    Reason.ONE_CHANNEL,
                    f"{segment.segment_id}: {one.name!r} is known to be on no channel; wanted two channels, and "
                    "their `speakers` in the recording's declaration",
                )
            channels[one.speaker] = channel
        user = channels.get(Speaker.USER, 1 - channels.get(Speaker.ASSISTANT, 1))
        assistant = channels.get(Speaker.ASSISTANT, 1 - user)
        if user == assistant or channels.get(Speaker.THIRD_PARTY, user) != user:
            raise RecordError(
                Reason.ONE_CHANNEL,
                f"{segment.segment_id}: speakers who are to be on tracks of their own share channel {assistant}",
            )
        return user, assistant

    def timeline(self, segment: Segment, split: Split, stages: tuple[str, ...]) -> Timeline:
        """One segment on its own clock. Raises RecordError where the types have no place for it.

        Every cleaned talkspurt is a supervision; a turn is a run of one speaker's talkspurts, backchannels left out,
        as turn-taking is measured.
        """
        placed = _place(segment, self)
        supervisions = _supervisions(placed, segment)
        people = {one.speaker: one.name for one in placed}
        return Timeline(
            dialogue_id=dialogue_id_of(segment.segment_id),
            language=self.language,
            recipe=Recipe.MINED,
            scene=None,
            split=split,
            topic="",
            sampling_rate=segment.sampling_rate,
            num_samples=len(segment.span),
            profile="recorded",
            supervisions=tuple(supervisions.values()),
            events=tuple(_event(e, supervisions, segment) for e in segment.events if e.type in _TYPES),
            unsaid=(),
            voicing=tuple(
                _voicing(place, person_of(self.recording, people[place], self.rule))
                for place in _PLACES
                if place in people
            ),
            licence=_licence(self.recording.rights),
            provenance=Provenance(seed_id=segment.recording_id, author=(), root_seed=0, stages=stages),
        )


def dialogue_id_of(segment_id: str) -> str:
    """A name that files can have, too.

    >>> dialogue_id_of("calls:monday:000002")
    'calls-monday-000002'
    """
    return segment_id.replace(":", "-")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A talkspurt of the recording and whose place its speaker takes."""

    name: str
    speaker: Speaker
    spurt: Spurt


Supervisions = dict[tuple[str, int], Supervision]
"""By the speaker's name and the start of the talkspurt in the recording; by start."""


def _place(segment: Segment, recorded: RecordedTalk) -> tuple[_Placed, ...]:
    """Talkspurts inside the segment by start; cuts lie in silences, so each is inside or outside as a whole."""
    talk = recorded.talk
    inside = [
        _inside(segment.span, spurts, name) for name, spurts in zip(talk.names, recorded.spurts, strict=True)
    ]
    heard = [index for index, spurts in enumerate(inside) if spurts]
    if len(heard) > len(_PLACES):
        raise RecordError(
            Reason.TOO_MANY_SPEAKERS, f"{segment.segment_id}: {len(heard)} speakers; wanted three or fewer"
        )
    places = _places_of(heard)
    placed = [_Placed(talk.names[index], places[index], spurt) for index in heard for spurt in inside[index]]
    return tuple(sorted(placed, key=lambda one: (one.spurt.start, _PLACES.index(one.speaker))))


def _inside(span: Span, spurts: tuple[Spurt, ...], name: str) -> tuple[Spurt, ...]:
    first = bisect_right(spurts, span.start, key=lambda spurt: spurt.end)
    last = bisect_left(spurts, span.end, key=lambda spurt: spurt.start)
    for spurt in spurts[first:last]:
        if spurt.start < span.start or spurt.end > span.end:
            raise RecordError(
                Reason.CANNOT_BE_TIMED,
                f"{name} speaks from {spurt.start} to {spurt.end}, across a border of [{span.start}, {span.end}); "
                "wanted a segment cut in silence, with the same limits of a talkspurt",
            )
    return spurts[first:last]


def _places_of(heard: Sequence[int]) -> dict[int, Speaker]:
    """Two speakers keep their channel's place even where the other is not heard; else places go by order."""
    if all(index < 2 for index in heard):
        return {index: _PLACES[index] for index in heard}
    return dict(zip(heard, _PLACES, strict=False))


def _turns(placed: Sequence[_Placed], backchannels: set[tuple[str, int]]) -> tuple[int, ...]:
    """Number of the turn that each talkspurt belongs to; a backchannel is one of its own."""
    numbers: list[int] = []
    count, current = 0, None
    number = 0
    for one in placed:
        if (one.name, one.spurt.start) in backchannels:
            numbers.append(count)
            count += 1
            continue
        if one.name != current:
            current, number = one.name, count
            count += 1
        numbers.append(number)
    return tuple(numbers)


def _supervisions(placed: tuple[_Placed, ...], segment: Segment) -> Supervisions:
    backchannels = {
        (event.initiator, event.onset)
        for event in segment.events
        if _TYPES.get(event.type) is EventType.BACKCHANNEL
    }
    turns = _turns(placed, backchannels)
    return {
        (one.name, one.spurt.start): _supervision(one, turn, index, segment)
        for index, (one, turn) in enumerate(zip(placed, turns, strict=True))
    }


def _supervision(one: _Placed, turn: int, index: int, segment: Segment) -> Supervision:
    span = Span(one.spurt.start - segment.span.start, one.spurt.end - segment.span.start)
    words = _words(one.spurt.words, span, segment.span.start)
    text = one.spurt.text if one.spurt.text and words else UNTRANSCRIBED
    return Supervision(
        supervision_id=f"s{index:04d}",
        turn=turn,
        speaker=one.speaker,
        span=span,
        text=text,
        planned_text=text,
        words=words or (Word(UNTRANSCRIBED, span, TimeSource.DETECTOR),),
        emotion=None,
        style=None,
        clip=f"{segment.recording_id}@{one.spurt.start}",
        clip_samples=len(span),
        engine=ENGINE,
        fade_samples=0,
        distance=None,
    )


def _words(words: tuple[TimedWord, ...], span: Span, shift: int) -> tuple[Word, ...]:
    """On the segment's clock. A word that reaches into the next, or out of the talkspurt, ends there."""
    placed: list[Word] = []
    reached = span.start
    for word in words:
        start, end = max(word.span.start - shift, reached), min(word.span.end - shift, span.end)
        if start < end:
            placed.append(Word(word.text, Span(start, end), TimeSource.ALIGNER))
            reached = end
    return tuple(placed)


def _event(event: MinedEvent, supervisions: Supervisions, segment: Segment) -> Event:
    own = supervisions[event.initiator, event.initiator_span.start]
    host = supervisions.get((event.incumbent, event.incumbent_span.start))
    onset = event.onset - segment.span.start
    takes = event.type is MinedType.INTERRUPTION
    if host is not None and _TYPES[event.type].is_backchannel and not _in_turn(onset, host, supervisions):
        host = None
    heard_out = FloorEffect.FINISHES if event.incumbent_complete == "yes" else FloorEffect.YIELDS
    return Event(
        type=_TYPES[event.type],
        supervision_id=own.supervision_id,
        initiator=own.speaker,
        host=host.supervision_id if host else None,
        effect=heard_out if takes else FloorEffect.CONTINUES,
        anchor=_anchor(host, onset, segment.sampling_rate),
        onset=onset,
        anchor_at=onset,
        yielded_at=host.span.end if takes and host else None,
    )


def _in_turn(onset: int, host: Supervision, supervisions: Supervisions) -> bool:
    """Whether a backchannel falls inside its host's turn: after the last word, with somebody else next, it does not."""
    turn = [one.span for one in supervisions.values() if one.turn == host.turn]
    return min(span.start for span in turn) <= onset <= max(span.end for span in turn)


def _anchor(host: Supervision | None, onset: int, sampling_rate: int) -> Anchor:
    """Where it attaches, measured: so many seconds into its host."""
    if host is None or onset <= host.span.start:
        return Follows()
    return AfterSeconds(host=host.supervision_id, seconds=(onset - host.span.start) / sampling_rate)


def _voicing(speaker: Speaker, person: str) -> Voicing:
    return Voicing(speaker=speaker, voice_id=person, person=person, gender=None, gain_db=0.0)


def _licence(rights: Rights) -> Licence:
    return Licence(
        id=rights.licence_id,
        non_commercial=not rights.commercial_allowed,
        share_alike="SA" in rights.licence_id.upper().split("-"),
        redistributable=rights.redistribution_allowed,
        attribution=rights.attribution,
    )

"""Turns as annotators see them: one segment per turn, with its text and its words."""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.span import Span
from pipeline.domain.timeline import Supervision, Timeline
from pipeline.domain.words import Word


@dataclass(frozen=True, slots=True)
class Segment:
    """What one party says in one turn, sentences and the pauses between them together."""

    turn: int
    speaker: Speaker
    span: Span
    text: str
    supervisions: tuple[Supervision, ...]


@dataclass(frozen=True, slots=True)
class Clamped:
    """How much an annotation that cannot overlap leaves out at the end of a turn."""

    turn: int
    speaker: Speaker
    samples: int


def segments_of(timeline: Timeline) -> tuple[Segment, ...]:
    """The turns in order of their onsets.

    A hesitation inside a turn is marked `[break]` and does not end the segment::

        |== please remind me to ==|   (pause)   |== water the tomatoes ==|
        |== please remind me to [break] water the tomatoes ==============|
    """
    segments = []
    for turn in timeline.turns():
        speakers = {supervision.speaker for supervision in turn}
        if len(speakers) != 1:
            names = ", ".join(sorted(speaker.value for speaker in speakers))
            raise RecordError(
                Reason.NOT_EXPORTABLE,
                f"{timeline.dialogue_id}: turn {turn[0].turn} is by {names}; wanted one speaker",
            )
        span = Span(start=turn[0].span.start, end=max(supervision.span.end for supervision in turn))
        segments.append(Segment(turn[0].turn, turn[0].speaker, span, _text(timeline, turn), turn))
    return tuple(segments)


def _text(timeline: Timeline, turn: tuple[Supervision, ...]) -> str:
    hesitant = {e.supervision_id for e in timeline.events if e.type is EventType.HESITATION_PAUSE}
    parts: list[str] = []
    for index, supervision in enumerate(turn):
        if index and supervision.supervision_id in hesitant:
            parts.append("[break]")
        parts.append(" ".join(supervision.text.split()))
    return ("" if timeline.language is Language.ZH else " ").join(parts)


def clamp_overlaps(
    dialogue_id: str, segments: tuple[Segment, ...]
) -> tuple[tuple[Segment, ...], tuple[Clamped, ...]]:
    """Segments that end no later than the next one begins, and what that cost.

    ::

        assistant  |======= host =========|            |= host =|
        user                |= mhm =|           ->               |= mhm =|

    Raises RecordError where two turns begin on the same sample: nothing of the first would be left.
    """
    kept: list[Segment] = []
    clamped: list[Clamped] = []
    onsets = [segment.span.start for segment in segments[1:]]
    for segment, onset in zip(segments, [*onsets, None], strict=True):
        end = segment.span.end if onset is None else min(segment.span.end, onset)
        if end <= segment.span.start:
            raise RecordError(
                Reason.NOT_EXPORTABLE,
                f"{dialogue_id}: two turns begin at sample {segment.span.start}, wanted distinct onsets",
            )
        if end < segment.span.end:
            clamped.append(Clamped(segment.turn, segment.speaker, segment.span.end - end))
        span = Span(start=segment.span.start, end=end)
        kept.append(Segment(segment.turn, segment.speaker, span, segment.text, segment.supervisions))
    return tuple(kept), tuple(clamped)


def spans_of(segments: Iterable[Segment]) -> tuple[Span, ...]:
    """Where something is said: the spans of the supervisions, not of the turns."""
    return tuple(supervision.span for segment in segments for supervision in segment.supervisions)


def words_of_segments(segments: Iterable[Segment]) -> tuple[Word, ...]:
    """The words that are heard, by onset; of a word broken off before its first letter nothing is."""
    words = [w for segment in segments for s in segment.supervisions for w in s.words if w.text]
    return tuple(sorted(words, key=lambda word: (word.span.start, word.span.end)))

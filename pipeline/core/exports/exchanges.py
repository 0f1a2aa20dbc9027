"""Emotional dialogues as their readers see them: exchanges of a user turn and a response to it.

::

    user       |= sentence =| |= sentence =|              |= sentence =|
    assistant                                 (response)                   (response)
    exchange   1 ----------------------------------------- 2 -----------------------

A response is heard where the run renders responses, else it is a text of the timeline's `unsaid`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.exports.tagged_text import with_tags
from pipeline.domain.emotional import EmotionalArc, Feeling
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.span import Span
from pipeline.domain.timeline import Supervision, Timeline, Unsaid


@dataclass(frozen=True, slots=True)
class Response:
    """What the assistant answers to one user turn."""

    text: str
    supervisions: tuple[Supervision, ...]
    """Empty where nobody renders it."""

    @property
    def span(self) -> Span | None:
        """From its first sentence to the end of its last; None where it is not heard."""
        return _span_of(self.supervisions) if self.supervisions else None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One user turn, what is felt in it, and the response."""

    number: int
    """From 1."""
    feeling: Feeling
    supervisions: tuple[Supervision, ...]
    """The sentences of the user turn."""
    text: str
    """Of the user turn, with its tags written in."""
    response: Response | None
    """None only in dialogues of one turn, which are not about an answer."""

    @property
    def span(self) -> Span:
        """From the first sentence of the user turn to the end of its last."""
        return _span_of(self.supervisions)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Everything that one turn number holds, heard or not."""

    speaker: Speaker
    heard: tuple[Supervision, ...]
    silent: tuple[Unsaid, ...]


def exchanges_of(timeline: Timeline) -> tuple[Exchange, ...]:
    """The exchanges in order. Raises RecordError where the dialogue is not made of such."""
    arc = arc_of(timeline)
    turns = _turns(timeline)
    users, responses = turns[::2], turns[1::2]
    wanted = [(Speaker.USER, Speaker.ASSISTANT)[i % 2] for i in range(len(turns))]
    if [turn.speaker for turn in turns] != wanted:
        got = ", ".join(turn.speaker.value for turn in turns)
        raise _unfit(timeline, f"turns by {got}; wanted user and assistant by turns, the user first")
    if len(users) != len(arc.feelings):
        raise _unfit(timeline, f"{len(users)} user turns and {len(arc.feelings)} feelings; wanted as many")
    if len(responses) < len(users) and not arc.task.single_turn:
        raise _unfit(timeline, f"no response to user turn {len(users)}; wanted one to every turn")
    return tuple(
        _exchange(timeline, number, arc.feelings[number - 1], user, responses[number - 1 : number])
        for number, user in enumerate(users, start=1)
    )


def arc_of(timeline: Timeline) -> EmotionalArc:
    """What the dialogue is about. Raises RecordError for another recipe's."""
    if timeline.arc is None:
        raise _unfit(
            timeline, f"a dialogue of recipe {timeline.recipe.value}; wanted one of recipe emotional"
        )
    return timeline.arc


def _turns(timeline: Timeline) -> list[_Turn]:
    turns = []
    for number in sorted({s.turn for s in timeline.supervisions} | {u.turn for u in timeline.unsaid}):
        heard = tuple(s for s in timeline.supervisions if s.turn == number)
        silent = tuple(u for u in timeline.unsaid if u.turn == number)
        speakers = {s.speaker for s in heard} | {u.speaker for u in silent}
        if len(speakers) != 1:
            raise _unfit(timeline, f"turn {number} has {len(speakers)} speakers; wanted one")
        if any(part.why != "text_only" for part in silent):
            raise _unfit(timeline, f"turn {number} loses the floor; wanted turns that are said to their end")
        turns.append(_Turn(speakers.pop(), heard, silent))
    return turns


def _exchange(
    timeline: Timeline, number: int, feeling: Feeling, user: _Turn, answered: Sequence[_Turn]
) -> Exchange:
    if user.silent or not user.heard:
        raise _unfit(timeline, f"user turn {number} is not heard as a whole; wanted all of it spoken")
    voiced = {s.emotion for s in user.heard}
    if feeling.emotion not in voiced:
        got = ", ".join(sorted(emotion.value for emotion in voiced if emotion))
        raise _unfit(
            timeline, f"user turn {number} is labelled {feeling.emotion.value} and was spoken as {got}"
        )
    sentences = [with_tags(_plain(s.text), s.tags) for s in user.heard]
    response = _response(timeline, number, answered[0]) if answered else None
    return Exchange(number, feeling, user.heard, _join(sentences, timeline.language), response)


def _response(timeline: Timeline, number: int, turn: _Turn) -> Response:
    if turn.heard and turn.silent:
        raise _unfit(timeline, f"response {number} is heard in part; wanted all of it spoken, or none")
    texts = [s.text for s in turn.heard] or [u.text for u in turn.silent]
    text = _join([_plain(one) for one in texts], timeline.language)
    if not text:
        raise _unfit(timeline, f"response {number} is empty; wanted words")
    return Response(text, turn.heard)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _join(sentences: Sequence[str], language: Language) -> str:
    return ("" if language is Language.ZH else " ").join(sentences)


def _span_of(supervisions: tuple[Supervision, ...]) -> Span:
    return Span(start=supervisions[0].span.start, end=max(s.span.end for s in supervisions))


def _unfit(timeline: Timeline, problem: str) -> RecordError:
    return RecordError(Reason.NOT_EXPORTABLE, f"{timeline.dialogue_id}: {problem}; fix or drop its script")

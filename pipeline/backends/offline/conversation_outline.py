"""What the planned events ask of the dialogue, before a word of it is written.

    e1 warning by the assistant       exchange 3: the user announces something that is better left alone
    e2 urgency                        exchange 1: in exchange 2 the user comes back
    e3 disagreement                   exchange 4: in exchange 5 the user does not build on what was rejected

An exchange is a user turn and the answer to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.backends.offline.frames import Composer
from pipeline.backends.offline.planted import PLANTED_FILES
from pipeline.core.scripting.conversation_steps import PlannedEvent
from pipeline.core.scripting.event_plan import CLOSING
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType
from pipeline.domain.labels import Speaker
from pipeline.domain.quarantine import Reason

UPSETTING = frozenset({EventType.DISSATISFACTION, EventType.DISAGREEMENT})
"""After these the user asks for something else, and nothing about what was just said."""


@dataclass(frozen=True, slots=True)
class Outline:
    """By number of the exchange."""

    in_question: Mapping[int, str]
    """From which file a sentence is planted in the user's turn."""
    in_answer: Mapping[int, str]
    """From which file one is planted in the answer."""
    leaves: frozenset[int]
    """The user has to run in the middle of the answer, and comes back in the next exchange."""
    upset: frozenset[int]
    """The user rejects something of the answer."""
    crowd: int
    """Events that leave the floor where it is, per answer, rounded up."""


def draw_outline(events: Sequence[PlannedEvent], exchanges: int, composer: Composer) -> Outline:
    """Give every event that needs preparation an exchange of its own.

    Raises RecordError where there are more of them than exchanges.
    """
    breaks = [event for event in events if event.effect.takes_floor]
    in_question: dict[int, str] = {}
    # The first question is the seed's own: it is the last one to be touched.
    questions = [*composer.sample(range(1, exchanges), exchanges), 0]
    answers = list(composer.sample(range(exchanges), exchanges))
    if any(event.type in CLOSING for event in breaks):
        answers.remove(exchanges - 1)
    for event in breaks:
        if event.initiator is Speaker.ASSISTANT:
            in_question[_take(questions, event)] = PLANTED_FILES[event.type, event.initiator]
    in_answer: dict[int, str] = {}
    leaves, upset = set(), set()
    for event in sorted(breaks, key=_need):
        if event.initiator is not Speaker.USER or event.type in CLOSING:
            continue
        if (event.type, event.initiator) in PLANTED_FILES:
            in_answer[_take(answers, event)] = PLANTED_FILES[event.type, event.initiator]
        elif event.type is EventType.URGENCY:
            # In the last answer there is nothing to come back to.
            answers.sort(key=lambda number: number == exchanges - 1)
            leaves.add(_take(answers, event))
        elif event.type in UPSETTING:
            upset.add(_take(answers, event))
        else:
            _take(answers, event)
    quiet = sum(not event.effect.takes_floor and event.initiator is not Speaker.ASSISTANT for event in events)
    return Outline(in_question, in_answer, frozenset(leaves), frozenset(upset), -(-quiet // exchanges))


def _need(event: PlannedEvent) -> int:
    """Urgency first, since it wants any but the last answer; what can go anywhere last."""
    if event.type is EventType.URGENCY:
        return 0
    return 1 if (event.type, event.initiator) in PLANTED_FILES or event.type in UPSETTING else 2


def _take(free: list[int], event: PlannedEvent) -> int:
    if not free:
        raise RecordError(
            Reason.NO_SUITABLE_TURN,
            f"no turn is left for {event.event_id} ({event.type.value} by the {event.initiator.value}); "
            "wanted one turn of the other party for every event that takes the floor",
        )
    return free.pop(0)

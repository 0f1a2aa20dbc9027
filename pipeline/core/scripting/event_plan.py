"""Which events a conversation will hold: drawn per dialogue from rates.

rates (per ten turns)  ->  counts  ->  as many as there is room for  ->  (type, initiator, effect) each
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from pydantic import Field, model_validator

from pipeline.core.scripting.conversation_steps import PlannedEvent
from pipeline.core.seeding import draw_uniform
from pipeline.domain.events import EVENTS, EventDefinition, EventType
from pipeline.domain.labels import Speaker
from pipeline.domain.record import Record

DEFAULT_RATES: Mapping[EventType, float] = {
    EventType.FOLLOW_UP_QUESTION: 0.22,
    EventType.INFORMATION_REQUEST: 0.2,
    EventType.CLARIFICATION_REQUEST: 0.3,
    EventType.REPETITION_REQUEST: 0.15,
    EventType.DISAGREEMENT: 0.15,
    EventType.DISSATISFACTION: 0.12,
    EventType.CORRECTION: 0.25,
    EventType.SUPPLEMENT: 0.2,
    EventType.COOPERATIVE_COMPLETION: 0.2,
    EventType.TOPIC_SHIFT: 0.1,
    EventType.URGENCY: 0.1,
    EventType.STOP_REQUEST: 0.1,
    EventType.WARNING: 0.12,
    EventType.BACKCHANNEL: 0.0,
    EventType.CONTINUER: 0.8,
    EventType.ACKNOWLEDGEMENT: 0.7,
    EventType.REACTION: 0.4,
    EventType.HESITATION_PAUSE: 0.4,
    EventType.THIRD_PARTY_SPEECH: 0.2,
    EventType.SPEECH_DIRECTED_AT_OTHERS: 0.2,
}
"""Expected events per ten turns. A generic `backchannel` is for HumDial's scene; conversations say which kind."""

CLOSING = frozenset({EventType.TOPIC_SHIFT, EventType.STOP_REQUEST})
"""What nothing of the dialogue can follow: placed in the assistant's last turn, at most one per dialogue."""

_BYSTANDING = (EventType.THIRD_PARTY_SPEECH, EventType.SPEECH_DIRECTED_AT_OTHERS)
_FIRST_EFFECT = 0.6
"""Share of an event's commonest floor effect; the others share the rest."""
TURNS_PER_INTERRUPTION = 4
"""An interruption brings two turns of its own, and needs two of the dialogue to fall between."""


class TurnRange(Record):
    """How many turns a conversation has, its interruptions and the reactions to them included."""

    min: int = Field(default=8, ge=4, le=40)
    max: int = Field(default=20, ge=4, le=40)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min must not exceed max, got {self.min} and {self.max}")
        return self


class ConversationConfig(Record):
    """What conversations are made of (`recipe: conversation`)."""

    turns: TurnRange = TurnRange()
    """Drawn evenly over the even numbers in it: the assistant has the last word."""
    rates: dict[EventType, float] = Field(default_factory=dict)
    """Expected events per ten turns, by type; what is not named keeps its default."""
    assistant_share: float = Field(default=0.3, ge=0, le=1)
    """Of the events that either side may start, the share that the assistant starts."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for event, rate in self.rates.items():
            if not 0 <= rate <= 10:
                raise ValueError(f"rates.{event.value}: wanted 0 to 10 per ten turns, got {rate}")
        if not any(n % 2 == 0 for n in range(self.turns.min, self.turns.max + 1)):
            raise ValueError(f"turns: no even number from {self.turns.min} to {self.turns.max}")
        return self

    def rate_of(self, event: EventType) -> float:
        """Expected number per ten turns."""
        return self.rates.get(event, DEFAULT_RATES[event])


class EventPlan(Record):
    """What one conversation is going to be."""

    turns: int
    """That the dialogue has before its interruptions and their reactions come in."""
    events: tuple[PlannedEvent, ...]


def plan_events(config: ConversationConfig, root_seed: int, dialogue_id: str) -> EventPlan:
    """Draw the number of turns and the events. Depends on this dialogue only.

    Counts are Poisson; of more than fit, a random selection is kept. Every host turn holds one interruption at
    the most, and every interruption adds a turn of the interrupter and one of the host. Each draw has its own
    label: a higher rate of one type adds events of that type and moves no draw of another.
    """

    def draw(what: str) -> float:
        return draw_uniform(root_seed, "script/events", dialogue_id, what)

    even = [n for n in range(config.turns.min, config.turns.max + 1) if n % 2 == 0]
    turns = even[int(draw("turns") * len(even))]
    drawn = [
        (draw(f"{row.type.value}/{i}/rank"), _cast(row, config, draw, f"{row.type.value}/{i}"))
        for row in EVENTS
        for i in range(poisson_count(draw(row.type.value), config.rate_of(row.type) * turns / 10))
    ]
    first_closing = min((rank for rank, one in drawn if one.type in CLOSING), default=0.0)
    drawn = [(rank, one) for rank, one in drawn if one.type not in CLOSING or rank == first_closing]
    interruptions = _keep(drawn, lambda e: e.is_interruption, turns // TURNS_PER_INTERRUPTION)
    base = turns - 2 * len(interruptions)
    others = (
        *_keep(drawn, lambda e: e.is_backchannel, base),
        *_keep(drawn, lambda e: e is EventType.HESITATION_PAUSE, max(1, base // 4)),
        *_keep(drawn, lambda e: e in _BYSTANDING, max(1, base // 4)),
    )
    events = tuple(
        one.model_copy(update={"event_id": f"e{number}"})
        for number, one in enumerate((*interruptions, *others), start=1)
    )
    return EventPlan(turns=base, events=events)


def poisson_count(u: float, mean: float) -> int:
    """The Poisson quantile of a uniform draw (inverse CDF): rises with `u` and with the mean.

    >>> [poisson_count(u, 1.0) for u in (0.1, 0.5, 0.9)]
    [0, 1, 2]
    """
    count, term = 0, math.exp(-mean)
    total = term
    while u >= total and term > 0.0:
        count += 1
        term *= mean / count
        total += term
    return count


def _cast(
    row: EventDefinition, config: ConversationConfig, draw: Callable[[str], float], label: str
) -> PlannedEvent:
    """Who starts it and what becomes of the floor."""
    initiator, effect = row.initiators[0], row.effects[0]
    if len(row.initiators) > 1 and draw(f"{label}/initiator") < config.assistant_share:
        initiator = Speaker.ASSISTANT
    u = draw(f"{label}/effect")
    if len(row.effects) > 1 and u >= _FIRST_EFFECT:
        others = row.effects[1:]
        effect = others[int((u - _FIRST_EFFECT) / (1 - _FIRST_EFFECT) * len(others))]
    return PlannedEvent(event_id="e0", type=row.type, initiator=initiator, effect=effect)


def _keep(
    drawn: Sequence[tuple[float, PlannedEvent]], wanted: Callable[[EventType], bool], most: int
) -> list[PlannedEvent]:
    """Those of a kind, in table order; of more than `most`, the ones with the smallest ranks."""
    kind = [(rank, place, one) for place, (rank, one) in enumerate(drawn) if wanted(one.type)]
    kept = sorted(kind, key=lambda item: item[0])[:most]
    return [one for _, _, one in sorted(kept, key=lambda item: item[1])]

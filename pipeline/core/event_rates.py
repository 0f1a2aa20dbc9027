"""How often each event happens: per ten turns, per minute, per dialogue.

A *turn* here is one that holds the floor. What lies on top of another's turn counts as none: listeners' words,
words to somebody else in the room, anybody else in the room::

    user       |== t0 ==|            |mm-hm|            |= t3, breaks in =|
    assistant            |======== t1 ========~                           |== t4 ==|
    turns           1            2                              3              4

So ten turns are what the rates of `script.conversation` count in, and a rate can be held against them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Field

from pipeline.domain.events import EVENTS, EventType, FloorEffect
from pipeline.domain.labels import Speaker
from pipeline.domain.record import Record
from pipeline.domain.script import Script
from pipeline.domain.timeline import Timeline

EventKind = tuple[EventType, Speaker, FloorEffect]
"""What events are told apart by: type, who starts it, what becomes of the floor."""

_TYPES = tuple(dict.fromkeys((*(row.type for row in EVENTS), *EventType)))
"""Those that authors plan, then what recorded talk holds beside."""
_SPEAKERS, _EFFECTS = tuple(Speaker), tuple(FloorEffect)


@dataclass(frozen=True, slots=True)
class EventTally:
    """One dialogue's events, and what they are counted in."""

    counts: Mapping[EventKind, int]
    turns: int
    duration_s: float


class EventRate(Record):
    """One kind of event, pooled: its number over the whole group's turns, minutes and dialogues."""

    type: EventType
    initiator: Speaker
    effect: FloorEffect
    n: int = Field(gt=0)
    per_ten_turns: float | None
    """None where nobody holds the floor."""
    per_min: float
    per_dialogue: float


class EventRates(Record):
    """The events of a group of dialogues."""

    dialogues: int = Field(gt=0)
    turns: int = Field(ge=0)
    """That hold the floor."""
    minutes: float = Field(gt=0)
    """Of audio, silence included."""
    rows: tuple[EventRate, ...]
    """Kinds that occur, in the event table's order."""


def tally_events(timeline: Timeline) -> EventTally:
    """Count one dialogue's."""
    said = ((one.supervision_id, one.turn, one.speaker) for one in timeline.supervisions)
    events = ((event.supervision_id, event.type, event.effect) for event in timeline.events)
    return EventTally(
        counts=Counter((event.type, event.initiator, event.effect) for event in timeline.events),
        turns=len(_floor_turns(said, events)),
        duration_s=timeline.num_samples / timeline.sampling_rate,
    )


def floor_turns(script: Script) -> frozenset[int]:
    """Numbers of the turns that will hold the floor; a turn that is never spoken is none."""
    unsaid = script.unsaid()
    said = ((u.utterance_id, u.turn, u.speaker) for u in script.utterances if u.utterance_id not in unsaid)
    events = ((event.utterance_id, event.type, event.effect) for event in script.events)
    return _floor_turns(said, events)


def pool_events(tallies: Iterable[EventTally]) -> EventRates | None:
    """Rates of a group: sums over sums, so that a long dialogue weighs as much as its length. None of nothing."""
    counts: Counter[EventKind] = Counter()
    dialogues = turns = 0
    duration_s = 0.0
    for tally in tallies:
        counts.update(tally.counts)
        dialogues += 1
        turns += tally.turns
        duration_s += tally.duration_s
    if not dialogues:
        return None
    minutes = duration_s / 60
    rows = tuple(
        EventRate(
            type=event,
            initiator=initiator,
            effect=effect,
            n=n,
            per_ten_turns=10 * n / turns if turns else None,
            per_min=n / minutes,
            per_dialogue=n / dialogues,
        )
        for (event, initiator, effect), n in sorted(counts.items(), key=lambda item: _rank(item[0]))
    )
    return EventRates(dialogues=dialogues, turns=turns, minutes=minutes, rows=rows)


def _floor_turns(
    said: Iterable[tuple[str, int, Speaker]], events: Iterable[tuple[str, EventType, FloorEffect]]
) -> frozenset[int]:
    """Turns of (id, turn, speaker), without those that an event brings which leaves the floor where it is.

    A hesitation leaves it there, too, but lies inside its speaker's own turn.
    """
    spoken = tuple(said)
    turn_of = {name: turn for name, turn, _ in spoken}
    aside = {
        turn_of[name]
        for name, event, effect in events
        if name in turn_of and not effect.takes_floor and event is not EventType.HESITATION_PAUSE
    }
    return frozenset(turn for _, turn, who in spoken if who is not Speaker.THIRD_PARTY and turn not in aside)


def _rank(kind: EventKind) -> tuple[int, int, int]:
    event, initiator, effect = kind
    return _TYPES.index(event), _SPEAKERS.index(initiator), _EFFECTS.index(effect)

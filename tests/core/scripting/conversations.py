"""Made-up conversations: an author of random words who keeps to every rule, for tests of what comes after."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.scripting.conversation import (
    Site,
    accept_events,
    can_host,
    compose_conversation,
    find_sites,
)
from pipeline.core.scripting.conversation_steps import (
    Conversation,
    EventPlace,
    PlannedEvent,
    WrittenEvent,
)
from pipeline.core.scripting.event_plan import CLOSING, ConversationConfig, EventPlan, plan_events
from pipeline.core.scripting.steps import AdaptedTurn
from pipeline.domain.events import EventType
from pipeline.domain.labels import Emotion, Language, Recipe, Speaker, Split
from pipeline.domain.script import DialoguePlan, Script
from tests.stages.doubles import FERRY, seed_of

SENTENCES = 6
"""Of every turn: room for what a plan can hold."""
_SYLLABLES = tuple(a + b for a in "lmnrsv" for b in ("a", "e", "i", "o", "u"))


@dataclass(frozen=True)
class MadeUp:
    """A conversation and what it was made of."""

    events: EventPlan
    talk: Conversation
    places: tuple[EventPlace, ...]
    sites: tuple[Site, ...]
    written: tuple[WrittenEvent, ...]
    script: Script


def conversation_plan(name: str = "ferry", split: Split = Split.TRAIN) -> DialoguePlan:
    return DialoguePlan(
        dialogue_id=f"en-conversation-{name}",
        seed=seed_of(name, FERRY),
        recipe=Recipe.CONVERSATION,
        scene=None,
        split=split,
    )


def made_up_conversation(number: int, config: ConversationConfig | None = None) -> MadeUp:
    """One by its number: the same number, the same words."""
    plan = conversation_plan(f"{number:04d}")
    events = plan_events(config or ConversationConfig(), number, plan.dialogue_id)
    rng = random.Random(number)
    talk = talk_of(events.turns, rng)
    places = place_all(talk, events.events)
    sites = find_sites(talk, events.events, places)
    written = tuple(words_for(event, rng) for event in events.events)
    script = compose_conversation(plan, talk, sites, accept_events(written, sites, Language.EN))
    return MadeUp(events, talk, places, sites, written, script)


def talk_of(turns: int, rng: random.Random) -> Conversation:
    """So many turns of made-up words, none of which occurs twice in a turn."""
    return Conversation(
        topic="made-up words",
        turns=tuple(
            AdaptedTurn(speaker=Speaker.ASSISTANT if i % 2 else Speaker.USER, sentences=_sentences(rng))
            for i in range(turns)
        ),
    )


def _sentences(rng: random.Random) -> tuple[str, ...]:
    words = ["".join(pair) for pair in rng.sample([(a, b) for a in _SYLLABLES for b in _SYLLABLES], 90)]
    cuts = [rng.randint(6, 15) for _ in range(SENTENCES)]
    return tuple(" ".join(words[15 * i : 15 * i + cut]).capitalize() + "." for i, cut in enumerate(cuts))


def place_all(talk: Conversation, events: Sequence[PlannedEvent]) -> tuple[EventPlace, ...]:
    """Interruptions into last sentences, everything else into the first free one before."""
    free = {number: list(range(SENTENCES - 1)) for number in range(len(talk.turns))}
    hosts = list(reversed(range(len(talk.turns))))
    places = []
    for event in sorted(events, key=lambda e: (e.type not in CLOSING, not e.type.is_interruption)):
        able = [n for n in hosts if can_host(event, talk.turns[n].speaker)]
        if event.type.is_interruption:
            number, sentence = able[0], SENTENCES - 1
            hosts.remove(number)
        else:
            able = [n for n in free if can_host(event, talk.turns[n].speaker)]
            number = max(able, key=lambda n: (len(free[n]), n))
            sentence = free[number].pop(0)
        words = talk.turns[number].sentences[sentence].split()
        places.append(
            EventPlace(
                event_id=event.event_id,
                turn=f"t{number}",
                quote=" ".join(words[: len(words) // 2]),
                why="room",
            )
        )
    return tuple(places)


def words_for(event: PlannedEvent, rng: random.Random) -> WrittenEvent:
    """Something to say, and an answer where the event takes the floor."""
    sentences = _sentences(rng)
    text: str | None = sentences[0]
    if event.type is EventType.HESITATION_PAUSE:
        text = None
    elif event.type.is_backchannel:
        text = "Right."
    return WrittenEvent(
        event_id=event.event_id,
        text=text,
        emotion=Emotion.NEUTRAL,
        reaction=sentences[1:3] if event.effect.takes_floor else (),
    )

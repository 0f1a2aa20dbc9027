"""Whole conversations by the embedded author, as the recipe asks for them."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from pipeline.backends.offline import OfflineAuthor
from pipeline.core.scripting.asking import A, T
from pipeline.core.scripting.conversation import write_conversation, write_conversation_at_once
from pipeline.core.scripting.conversation_steps import PlannedEvent
from pipeline.core.scripting.event_plan import ConversationConfig, EventPlan, plan_events
from pipeline.domain.chat import ChatMessage, ChatRequest
from pipeline.domain.events import EVENTS, EventType, FloorEffect
from pipeline.domain.labels import Language, Recipe, Speaker, Split
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan, Script
from pipeline.domain.seed import SeedDialogue
from tests.stages.doubles import seed_of

CASES: tuple[tuple[EventType, Speaker, FloorEffect], ...] = tuple(
    (row.type, initiator, effect) for row in EVENTS for initiator in row.initiators for effect in row.effects
)
"""Every event type with everybody who may start it and everything that it may do to the floor."""


@dataclass
class Asking:
    """Puts the recipe's questions to the embedded author, once each, and keeps what came back."""

    seed: int
    author: OfflineAuthor = field(default_factory=OfflineAuthor)
    replies: dict[str, Record] = field(default_factory=dict)
    frames: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def __call__(self, step: str, record: Record, output: type[T], accept: Callable[[T], A]) -> A:
        request = ChatRequest(
            step=step,
            prompt=f"script/{step}.v1",
            prompt_sha256="0" * 64,
            messages=(ChatMessage(role="user", content="unused"),),
            input=record.to_line(),
            response_schema="{}",
            seed=self.seed,
            temperature=0.7,
            top_p=0.9,
            max_completion_tokens=1000,
        )
        reply = await self.author.complete(request)
        answer = output.from_line(reply.content)
        self.replies[step], self.frames[step] = answer, reply.frames
        return accept(answer)


def converse(
    plan: DialoguePlan, events: EventPlan, seed: int, at_once: bool = False
) -> tuple[Script, Asking]:
    """One conversation by the three steps, or by one. Raises RecordError where the author refuses."""
    asking = Asking(seed)
    write = write_conversation_at_once if at_once else write_conversation
    return asyncio.run(write(plan, events, asking)), asking


def plan_for(seed: SeedDialogue, name: str) -> DialoguePlan:
    """What the planner would make of a seed."""
    return DialoguePlan(
        dialogue_id=name, seed=seed, recipe=Recipe.CONVERSATION, scene=None, split=Split.TRAIN
    )


@cache
def demo_seeds(language: Language) -> tuple[SeedDialogue, ...]:
    """The seeds that come with the package."""
    text = files("pipeline").joinpath("data", "seeds", f"{language.value}.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    return tuple(
        seed_of(row["id"], tuple(turn["text"] for turn in row["turns"]), language).model_copy(
            update={"topic": row["topic"]}
        )
        for row in rows
    )


def drawn(
    language: Language, number: int, config: ConversationConfig | None = None
) -> tuple[DialoguePlan, EventPlan]:
    """The n-th conversation of a run over the demo seeds."""
    seeds = demo_seeds(language)
    plan = plan_for(seeds[number % len(seeds)], f"{language.value}-{number}")
    return plan, plan_events(config or ConversationConfig(), number // len(seeds), plan.dialogue_id)


def planned(turns: int, *events: tuple[EventType, Speaker, FloorEffect]) -> EventPlan:
    """A plan made by hand."""
    return EventPlan(
        turns=turns,
        events=tuple(
            PlannedEvent(event_id=f"e{number}", type=kind, initiator=initiator, effect=effect)
            for number, (kind, initiator, effect) in enumerate(events, start=1)
        ),
    )


def said(script: Script, party: Speaker) -> Sequence[str]:
    """What one party says, in order."""
    return [utterance.text for utterance in script.utterances if utterance.speaker is party]

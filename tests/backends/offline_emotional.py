"""Emotional dialogues by the embedded author, as the recipe asks for them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from pipeline.core.emotional_plan import EmotionalConfig, EmotionalDealer
from pipeline.core.scripting.asking import A, T
from pipeline.core.scripting.emotional import write_emotional
from pipeline.core.seeding import derive_seed
from pipeline.domain.emotional import EmotionalAssignment
from pipeline.domain.labels import Recipe, Speaker, Split
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan, Script
from pipeline.domain.seed import SeedDialogue
from tests.backends.offline_conversations import Asking

SMALL_TALK = ("Something happened yesterday.", "What was it?")
"""A seed that says nothing: the bank has to do it all."""


@dataclass
class Asked(Asking):
    """Keeps what was asked, too."""

    given: dict[str, Record] = field(default_factory=dict)

    async def __call__(self, step: str, record: Record, output: type[T], accept: Callable[[T], A]) -> A:
        self.given[step] = record
        return await super().__call__(step, record, output, accept)


@dataclass(frozen=True, slots=True)
class Made:
    """One dialogue and the frames that it was made of."""

    script: Script
    frames: frozenset[str]
    asking: Asked

    @property
    def user_turns(self) -> tuple[str, ...]:
        """What the user says, turn by turn."""
        return said_by(self.script, Speaker.USER)

    @property
    def responses(self) -> tuple[str, ...]:
        """What the assistant answers, turn by turn."""
        return said_by(self.script, Speaker.ASSISTANT)


def said_by(script: Script, party: Speaker) -> tuple[str, ...]:
    """One text per turn."""
    turns: dict[int, list[str]] = {}
    for utterance in script.utterances:
        if utterance.speaker is party:
            turns.setdefault(utterance.turn, []).append(utterance.text)
    return tuple(" ".join(texts) for texts in turns.values())


def make(
    seed: SeedDialogue,
    assigned: EmotionalAssignment,
    name: str,
    config: EmotionalConfig | None = None,
    root_seed: int = 1,
) -> Made:
    """The dialogue as the script stage would have it written. Raises RecordError where it would be refused."""
    plan = DialoguePlan(
        dialogue_id=name,
        seed=seed,
        recipe=Recipe.EMOTIONAL,
        scene=None,
        split=Split.TRAIN,
        emotional=assigned,
    )
    asking = Asked(derive_seed(root_seed, "script", name))
    script = asyncio.run(write_emotional(plan, config or EmotionalConfig(), root_seed, asking))
    return Made(script, frozenset(frame for used in asking.frames.values() for frame in used), asking)


def deal_and_make(
    seeds: Sequence[SeedDialogue], count: int, config: EmotionalConfig | None = None
) -> Iterator[Made]:
    """A run over the seeds, again and again until there are enough; what each becomes is dealt out."""
    dealer = EmotionalDealer(config or EmotionalConfig())
    for number, seed in zip(range(count), cycle(seeds), strict=False):
        yield make(seed, dealer.deal(seed), f"{seed.language.value}-{number}", config)

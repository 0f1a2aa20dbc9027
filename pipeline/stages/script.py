"""Stage 2: scripts. Each step is one prompt to the author and one validated reply."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.core.emotional_plan import EmotionalConfig
from pipeline.core.ledger import Call
from pipeline.core.scripting import conversation, emotional, emotional_review, full_duplex
from pipeline.core.scripting.conversation import write_conversation, write_conversation_at_once
from pipeline.core.scripting.emotional import write_emotional
from pipeline.core.scripting.emotional_review import review_emotional
from pipeline.core.scripting.event_plan import ConversationConfig, plan_events
from pipeline.core.scripting.full_duplex import write_full_duplex, write_full_duplex_at_once
from pipeline.core.scripting.review import review_script
from pipeline.domain.labels import Recipe
from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan, Script
from pipeline.ports import ChatModel, PromptLibrary, ReplyStore
from pipeline.stages import author
from pipeline.stages.author import Author
from pipeline.stages.author_config import AuthorConfig, ReviewConfig
from pipeline.stages.shard import Shard

NAME = "script"
VERSION = 2


class Config(Record):
    """What is written, and by whom."""

    recipe: Recipe = Recipe.FULL_DUPLEX
    prompting: Literal["steps", "single"] = "steps"
    """`single` asks for everything in one prompt: the ablation that `humdial compare` is for."""
    conversation: ConversationConfig = ConversationConfig()
    """For `recipe: conversation`."""
    emotional: EmotionalConfig = EmotionalConfig()
    """For `recipe: emotional`."""
    prompts: dict[str, int] = Field(default_factory=dict)
    """Versions to keep to, by name: `{script/adapt: 1}`; what is not named is at its newest."""
    author: AuthorConfig = AuthorConfig()
    review: ReviewConfig = ReviewConfig()

    @model_validator(mode="after")
    def _judged(self) -> Self:
        self.review.judges(self.author)
        if self.recipe is Recipe.MINED:
            raise ValueError("recipe: mined is what `humdial filter` finds; nobody writes it")
        if self.recipe is Recipe.EMOTIONAL and self.prompting == "single":
            raise ValueError(
                "prompting: single is there for full_duplex and conversation; wanted steps for emotional"
            )
        return self


@dataclass(frozen=True, slots=True)
class Deps:
    """What the stage needs from the outside."""

    root_seed: int
    author: ChatModel
    prompts: PromptLibrary
    prompts_sha256: str
    """Hash over the prompts that the recipe uses: a new version makes new scripts."""
    replies: ReplyStore
    judge: ChatModel | None = None
    """Who reads every script; None: nobody."""
    keep_calls: Callable[[int, tuple[Call, ...]], None] | None = None
    """Keeps the ledger of a shard, by its index; None for authors that nobody pays."""

    def fingerprint(self) -> str:
        """Author, judge and prompts."""
        judge = "" if self.judge is None else f"/{self.judge.name}"
        return f"{self.author.name}{judge}/{self.prompts_sha256}"


def prompts_of(config: Config) -> tuple[str, ...]:
    """Names of the prompts that the configured recipe uses."""
    single = config.prompting == "single"
    names: tuple[str, ...]
    judges: tuple[str, ...] = ("script/review",)
    if config.recipe is Recipe.CONVERSATION:
        names = conversation.PROMPTS_SINGLE if single else conversation.PROMPTS
    elif config.recipe is Recipe.EMOTIONAL:
        names, judges = emotional.PROMPTS, emotional_review.PROMPTS
    else:
        names = full_duplex.PROMPTS_SINGLE if single else full_duplex.PROMPTS
    return (*names, *judges) if config.review.judges(config.author) else names


def run(shard: Shard[DialoguePlan], config: Config, deps: Deps) -> Shard[Script]:
    """Write one script per plan; a plan whose replies cannot be used is refused with the reply."""
    authors = tuple(Author(NAME, plan, config.author, config.review, deps) for plan in shard.records)
    recipes = tuple(_recipe(plan, config, deps.root_seed) for plan in shard.records)
    outcomes = asyncio.run(_write_all(authors, recipes, _review(config), config.author.max_in_flight))
    if deps.keep_calls is not None:
        deps.keep_calls(shard.index, tuple(call for one in authors for call in one.calls))
    return Shard(
        index=shard.index,
        records=tuple(one for one in outcomes if isinstance(one, Script)),
        refusals=tuple(one for one in outcomes if isinstance(one, Refusal)),
    )


def _recipe(plan: DialoguePlan, config: Config, root_seed: int) -> author.Recipe:
    """How this plan is written."""
    single = config.prompting == "single"
    if plan.recipe is Recipe.CONVERSATION:
        events = plan_events(config.conversation, root_seed, plan.dialogue_id)
        return partial(write_conversation_at_once if single else write_conversation, plan, events)
    if plan.recipe is Recipe.EMOTIONAL:
        return partial(write_emotional, plan, config.emotional, root_seed)
    return partial(write_full_duplex_at_once if single else write_full_duplex, plan)


def _review(config: Config) -> author.Review:
    """How a script of the recipe is judged."""
    limits = config.review
    if config.recipe is Recipe.EMOTIONAL:
        return partial(
            review_emotional, min_agreement=config.emotional.min_agreement, min_score=limits.min_score
        )
    return partial(review_script, min_score=limits.min_score, min_mean=limits.min_mean)


async def _write_all(
    authors: Sequence[Author], recipes: Sequence[author.Recipe], review: author.Review, max_in_flight: int
) -> list[Script | Refusal | None]:
    gate = asyncio.Semaphore(max_in_flight)

    async def one(writer: Author, recipe: author.Recipe) -> Script | Refusal | None:
        async with gate:
            return await writer.write(recipe, review)

    return await asyncio.gather(*map(one, authors, recipes))

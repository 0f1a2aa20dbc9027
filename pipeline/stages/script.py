"""Stage 2: scripts. Each step is one prompt to the author and one validated reply."""

import asyncio
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import Field

from pipeline.core.prompting import Sampling, build_request, parse_reply
from pipeline.core.scripting.anchors import Place
from pipeline.core.scripting.compose import (
    adapt_input,
    check_adapted,
    check_written,
    compose,
    find_place,
    has_host,
    place_input,
    write_input,
)
from pipeline.core.scripting.steps import Adapted, Placement, Written
from pipeline.core.seeding import derive_seed
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan, PromptUse, Script
from pipeline.ports import ChatModel, PromptLibrary, ReplyStore
from pipeline.stages.shard import Shard

NAME = "script"
VERSION = 1

T = TypeVar("T", bound=Record)


class AuthorConfig(Record):
    """Who writes."""

    backend: Literal["offline"] = "offline"
    """`offline`: the embedded author, which composes from phrase banks and needs no key and no network."""
    max_in_flight: int = Field(default=8, ge=1)
    temperature: float = Field(default=0.8, ge=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_completion_tokens: int = Field(default=2048, gt=0)

    def sampling(self) -> Sampling:
        """The part of it that goes into requests."""
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            max_completion_tokens=self.max_completion_tokens,
        )


class Config(Record):
    """What is written, and by whom."""

    recipe: Literal["full_duplex"] = "full_duplex"
    author: AuthorConfig = AuthorConfig()


@dataclass(frozen=True, slots=True)
class Deps:
    """What the stage needs from the outside."""

    root_seed: int
    author: ChatModel
    prompts: PromptLibrary
    prompts_sha256: str
    """Hash over the prompts that the recipe uses: a new version makes new scripts."""
    replies: ReplyStore

    def fingerprint(self) -> str:
        """Author and prompts."""
        return f"{self.author.name}/{self.prompts_sha256}"


def run(shard: Shard[DialoguePlan], config: Config, deps: Deps) -> Shard[Script]:
    """Write one script per plan; a plan whose replies cannot be used is refused with the reply."""
    outcomes = asyncio.run(_write_all(shard.records, config, deps))
    return Shard(
        index=shard.index,
        records=tuple(one for one in outcomes if isinstance(one, Script)),
        refusals=tuple(one for one in outcomes if isinstance(one, Refusal)),
    )


async def _write_all(plans: tuple[DialoguePlan, ...], config: Config, deps: Deps) -> list[Script | Refusal]:
    gate = asyncio.Semaphore(config.author.max_in_flight)

    async def one(plan: DialoguePlan) -> Script | Refusal:
        async with gate:
            return await _Author(plan, config.author.sampling(), deps).write()

    return await asyncio.gather(*(one(plan) for plan in plans))


class _Author:
    """Takes one plan through the steps, keeping track of what was used."""

    def __init__(self, plan: DialoguePlan, sampling: Sampling, deps: Deps) -> None:
        self._plan = plan
        self._sampling = sampling
        self._deps = deps
        self._uses: list[PromptUse] = []
        self._frames: list[str] = []
        self._last_reply = ""

    async def write(self) -> Script | Refusal:
        """The script, or the reason why there is none."""
        try:
            return await self._write()
        except RecordError as error:
            return Refusal(
                stage=NAME,
                record_id=self._plan.dialogue_id,
                reason=error.reason,
                detail=error.detail,
                payload=self._last_reply or self._plan.to_line(),
            )

    async def _write(self) -> Script:
        plan = self._plan
        adapted = await self._ask("adapt", adapt_input(plan), Adapted)
        check_adapted(adapted, plan.scene)
        place: Place | None = None
        if has_host(plan.scene):
            placement = await self._ask("place", place_input(plan, adapted), Placement)
            place = find_place(plan.scene, adapted, placement)
        written = await self._ask("write", write_input(plan, adapted, place), Written)
        check_written(written, plan.scene)
        return compose(plan, adapted, place, written, tuple(self._frames), tuple(self._uses))

    async def _ask(self, step: str, record: Record, output: type[T]) -> T:
        plan, deps = self._plan, self._deps
        prompt = deps.prompts.render(
            f"{NAME}/{step}", plan.seed.language.value, record.model_dump(mode="json")
        )
        request = build_request(
            step=step,
            prompt=prompt.reference,
            prompt_sha256=prompt.sha256,
            system=prompt.system,
            user=prompt.user,
            record=record,
            output=output,
            seed=derive_seed(deps.root_seed, f"{NAME}/{step}", plan.dialogue_id),
            sampling=self._sampling,
        )
        address = f"{deps.author.name}/{request.fingerprint()}"
        reply = deps.replies.find_reply(address)
        if reply is None:
            reply = await deps.author.complete(request)
            deps.replies.put_reply(address, reply)  # before it is parsed: what was paid for is kept
        self._last_reply = reply.content
        parsed = parse_reply(reply, output)
        self._frames.extend(reply.frames)
        self._uses.append(
            PromptUse(
                step=step,
                prompt=prompt.reference,
                prompt_sha256=prompt.sha256,
                model=reply.model,
                request=request.fingerprint(),
            )
        )
        return parsed

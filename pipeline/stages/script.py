"""Stage 2: scripts. Each step is one prompt to the author and one validated reply."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from pipeline.core.ledger import Call, Prices, call_of, unanswered
from pipeline.core.patience import Patience
from pipeline.core.prompting import Sampling, build_request, parse_reply, repair_request
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
from pipeline.core.scripting.language import check_language
from pipeline.core.scripting.steps import Adapted, Placement, Written
from pipeline.core.seeding import derive_seed
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan, PromptUse, Script
from pipeline.ports import ChatModel, PromptLibrary, ReplyStore
from pipeline.stages.shard import Shard

NAME = "script"
VERSION = 1

T = TypeVar("T", bound=Record)
A = TypeVar("A")

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


class EndpointConfig(Record):
    """One server that speaks OpenAI's chat completions."""

    base_url: str
    """Where `/chat/completions` begins: `http://gpu-1:8000/v1`."""
    server: Literal["vllm", "openai", "other"] = "other"
    """What is declared decides what is sent: `vllm` is told to switch thinking off, which others refuse."""
    max_in_flight: int = Field(default=64, ge=1)
    """Requests at once, whatever number of shards they come from: 64 to 128 per GPU."""
    api_key_variable: str | None = None
    """Name of the environment variable with its key; `server: openai` reads OPENAI_API_KEY by itself."""


class AuthorConfig(Record):
    """Who writes."""

    backend: Literal["offline", "openai"] = "offline"
    """`offline`: the embedded author, which composes from phrase banks and needs no key and no network.
    `openai`: a language model behind `endpoints`. What only one of them reads may stay where it is while the
    other one writes, so that switching takes one line."""
    model: str | None = Field(default=None, min_length=1)
    """The model's name at its servers; with `openai`."""
    endpoints: tuple[EndpointConfig, ...] = ()
    """Servers of that model: the least loaded one is asked; with `openai`."""
    max_in_flight: int = Field(default=8, ge=1)
    """Dialogues at once, per shard."""
    temperature: float = Field(default=0.8, ge=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_completion_tokens: int = Field(default=2048, gt=0)
    repairs: int = Field(default=1, ge=0, le=3)
    """How often a reply that cannot be used is asked for again, told why. The embedded author is never."""
    patience: Patience = Patience()
    prices: Prices | None = None
    """For the ledger."""

    @model_validator(mode="after")
    def _checked(self) -> Self:
        check_endpoints(self)
        return self

    @property
    def attempts(self) -> int:
        """Questions per step and dialogue. Phrase banks do not learn from a complaint."""
        return 1 if self.backend == "offline" else 1 + self.repairs

    def sampling(self) -> Sampling:
        """The part of it that goes into requests."""
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            max_completion_tokens=self.max_completion_tokens,
        )


def check_endpoints(author: AuthorConfig) -> None:
    """Raise ConfigError where a language model is not fully described.

    Values are not repeated in messages: a key or password that strayed into one is among the things refused.
    """
    if author.backend == "openai" and author.model is None:
        raise ConfigError("script.author: backend openai needs to know the model; add `model: <its name>`")
    if author.backend == "openai" and not author.endpoints:
        raise ConfigError(
            "script.author: backend openai needs a server; "
            "add `endpoints: [{base_url: http://localhost:8000/v1, server: vllm}]`"
        )
    for number, endpoint in enumerate(author.endpoints):
        problem = _problem_of(endpoint)
        if problem:
            raise ConfigError(f"script.author.endpoints.{number}.{problem}")
    addresses = [endpoint.base_url.rstrip("/") for endpoint in author.endpoints]
    if len(set(addresses)) != len(addresses):
        raise ConfigError(
            "script.author.endpoints: an address is there twice; raise its max_in_flight instead"
        )


def _problem_of(endpoint: EndpointConfig) -> str | None:
    """What is wrong with one, without its values."""
    variable = endpoint.api_key_variable
    if variable is not None and not _VARIABLE.fullmatch(variable):
        return (
            "api_key_variable is no name of an environment variable; wanted capitals, digits and underscores, for "
            "example OPENAI_API_KEY; the key itself belongs into the environment only"
        )
    try:
        url = urlsplit(endpoint.base_url)
    except ValueError:  # an IPv6 address without its end
        return "base_url is no address; wanted one like http://localhost:8000/v1"
    if url.scheme not in ("http", "https") or not url.hostname:
        return "base_url is no http address; wanted one like http://localhost:8000/v1"
    if url.username or url.password or url.query or url.fragment:
        return "base_url holds a user, password or query; name the variable with the key in api_key_variable"
    if url.path.rstrip("/").endswith("/chat/completions"):
        return "base_url goes too far; leave /chat/completions away"
    return None


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
    keep_calls: Callable[[int, tuple[Call, ...]], None] | None = None
    """Keeps the ledger of a shard, by its index; None for authors that nobody pays."""

    def fingerprint(self) -> str:
        """Author and prompts."""
        return f"{self.author.name}/{self.prompts_sha256}"


def run(shard: Shard[DialoguePlan], config: Config, deps: Deps) -> Shard[Script]:
    """Write one script per plan; a plan whose replies cannot be used is refused with the reply."""
    authors = tuple(_Author(plan, config.author, deps) for plan in shard.records)
    outcomes = asyncio.run(_write_all(authors, config.author.max_in_flight))
    if deps.keep_calls is not None:
        deps.keep_calls(shard.index, tuple(call for author in authors for call in author.calls))
    return Shard(
        index=shard.index,
        records=tuple(one for one in outcomes if isinstance(one, Script)),
        refusals=tuple(one for one in outcomes if isinstance(one, Refusal)),
    )


async def _write_all(authors: "Sequence[_Author]", max_in_flight: int) -> list[Script | Refusal]:
    gate = asyncio.Semaphore(max_in_flight)

    async def one(author: _Author) -> Script | Refusal:
        async with gate:
            return await author.write()

    return await asyncio.gather(*map(one, authors))


class _Author:
    """Takes one plan through the steps, keeping track of what was used."""

    def __init__(self, plan: DialoguePlan, config: AuthorConfig, deps: Deps) -> None:
        self.calls: list[Call] = []
        self._plan = plan
        self._config = config
        self._deps = deps
        self._uses: list[PromptUse] = []
        self._frames: list[str] = []
        self._last_reply = ""

    async def write(self) -> Script | Refusal:
        """The script, or the reason why there is none."""
        try:
            return await self._write()
        except RecordError as error:
            return error.refusal(NAME, self._plan.dialogue_id, self._last_reply or self._plan.to_line())

    async def _write(self) -> Script:
        plan = self._plan
        adapted = await self._ask("adapt", adapt_input(plan), Adapted, self._adapted)
        place: Place | None = None
        if has_host(plan.scene):
            place = await self._ask(
                "place",
                place_input(plan, adapted),
                Placement,
                lambda placement: find_place(plan.scene, adapted, placement),
            )
        written = await self._ask("write", write_input(plan, adapted, place), Written, self._written)
        return compose(plan, adapted, place, written, tuple(self._frames), tuple(self._uses))

    def _adapted(self, adapted: Adapted) -> Adapted:
        check_adapted(adapted, self._plan.scene)
        sentences = [sentence for turn in adapted.turns for sentence in turn.sentences]
        check_language(sentences, self._plan.seed.language)
        return adapted

    def _written(self, written: Written) -> Written:
        check_written(written, self._plan.scene)
        spoken = [text for text in (written.event_text, *written.reaction) if text is not None]
        check_language(spoken, self._plan.seed.language)
        return written

    async def _ask(self, step: str, record: Record, output: type[T], accept: Callable[[T], A]) -> A:
        """The accepted answer to one step; a refused one is asked for again, told what was wrong with it."""
        request = self._request(step, record, output)
        for attempt in range(self._config.attempts):
            reply, stored = await self._reply(request, attempt)
            self._last_reply = reply.content
            keep = partial(call_of, self._plan.dialogue_id, step, attempt, reply=reply, stored=stored)
            try:
                answer = accept(parse_reply(reply, output))
            except RecordError as error:
                if attempt + 1 == self._config.attempts:
                    self.calls.append(keep("refused", request.fingerprint()))
                    raise
                self.calls.append(keep("asked_again", request.fingerprint()))
                request = self._repair(request, reply, error, attempt + 1)
                continue
            self.calls.append(keep("accepted", request.fingerprint()))
            self._note_use(request, reply)
            return answer
        raise AssertionError("a step is asked at least once")

    def _request(self, step: str, record: Record, output: type[Record]) -> ChatRequest:
        plan, deps = self._plan, self._deps
        prompt = deps.prompts.render(
            f"{NAME}/{step}", plan.seed.language.value, record.model_dump(mode="json")
        )
        return build_request(
            step=step,
            prompt=prompt.reference,
            prompt_sha256=prompt.sha256,
            system=prompt.system,
            user=prompt.user,
            record=record,
            output=output,
            seed=derive_seed(deps.root_seed, f"{NAME}/{step}", plan.dialogue_id),
            sampling=self._config.sampling(),
        )

    async def _reply(self, request: ChatRequest, attempt: int) -> tuple[ChatReply, bool]:
        """The reply, and whether it was stored before."""
        deps = self._deps
        address = f"{deps.author.name}/{request.fingerprint()}"
        found = deps.replies.find_reply(address)
        if found is not None:
            return found, True
        try:
            reply = await deps.author.complete(request)
        except RecordError:
            self.calls.append(unanswered(self._plan.dialogue_id, request.step, attempt))
            raise
        deps.replies.put_reply(address, reply)  # before it is parsed: what was paid for is kept
        return reply, False

    def _repair(
        self, request: ChatRequest, reply: ChatReply, error: RecordError, attempt: int
    ) -> ChatRequest:
        plan = self._plan
        seed = derive_seed(self._deps.root_seed, f"{NAME}/{request.step}/repair-{attempt}", plan.dialogue_id)
        return repair_request(request, reply, error.detail, plan.seed.language, seed)

    def _note_use(self, request: ChatRequest, reply: ChatReply) -> None:
        self._frames.extend(reply.frames)
        self._uses.append(
            PromptUse(
                step=request.step,
                prompt=request.prompt,
                prompt_sha256=request.prompt_sha256,
                model=reply.model,
                request=request.fingerprint(),
            )
        )

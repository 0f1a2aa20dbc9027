"""One dialogue's way through the steps of its recipe: every question, reply, repair and review."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from pipeline.core.ledger import Call, call_of, unanswered
from pipeline.core.prompting import build_request, parse_reply, repair_request
from pipeline.core.scripting.asking import Ask
from pipeline.core.scripting.validators import check_copied, spoken_texts
from pipeline.core.seeding import derive_seed
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import RecordError, ReplyAwaitedError
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan, PromptUse, Script
from pipeline.ports import ChatModel, PromptLibrary, ReplyStore
from pipeline.stages.author_config import AuthorConfig, ReviewConfig

T = TypeVar("T", bound=Record)
A = TypeVar("A")

Recipe = Callable[[Ask], Awaitable[Script]]
"""The recipe of one dialogue, waiting for somebody to put its questions to."""
Review = Callable[[Script, Ask], Awaitable[tuple[Script, str | None]]]
"""How a script is judged: the script with its scores, and what its author has to mend."""


class AuthorDeps(Protocol):
    """What is needed from the outside: part of the stage's deps."""

    @property
    def root_seed(self) -> int:
        """Of the run."""
        ...

    @property
    def author(self) -> ChatModel:
        """Who writes."""
        ...

    @property
    def judge(self) -> ChatModel | None:
        """Who reads what was written; None: nobody."""
        ...

    @property
    def prompts(self) -> PromptLibrary:
        """Texts of the questions."""
        ...

    @property
    def replies(self) -> ReplyStore:
        """Where replies are kept, before they are parsed."""
        ...


class Author:
    """Takes one plan through its recipe. `stage` names the prompts and the refusals."""

    def __init__(
        self, stage: str, plan: DialoguePlan, config: AuthorConfig, review: ReviewConfig, deps: AuthorDeps
    ) -> None:
        self.calls: list[Call] = []
        self._stage = stage
        self._plan = plan
        self._config = config
        self._review = review
        self._deps = deps
        self._uses: dict[str, PromptUse] = {}
        self._frames: dict[str, tuple[str, ...]] = {}
        self._answers: dict[str, tuple[ChatRequest, ChatReply, Record]] = {}
        self._fault: str | None = None
        self._last_reply = ""

    async def write(self, recipe: Recipe, review: Review) -> Script | Refusal | None:
        """The script, or the reason why there is none; None where a reply is still awaited."""
        try:
            return await self._write(recipe, review)
        except RecordError as error:
            payload = self._last_reply or self._plan.to_line()
            return error.refusal(self._stage, self._plan.dialogue_id, payload)
        except ReplyAwaitedError:
            return None

    async def _write(self, recipe: Recipe, review: Review) -> Script:
        script = await recipe(self._ask)
        if self._deps.judge is None:
            return self._signed(script)
        script, fault = await self._reviewed(script, review)
        for _ in range(self._config.attempts - 1):
            if fault is None:
                break
            self._fault = fault  # the last step is asked again, told what the judge found
            script, fault = await self._reviewed(await recipe(self._ask), review)
        if fault is not None:
            raise RecordError(Reason.POOR_REVIEW, fault)
        return self._signed(script)

    async def _reviewed(self, script: Script, review: Review) -> tuple[Script, str | None]:
        written = self._last_reply
        found = await review(script, self._ask_judge)
        self._last_reply = written  # what a refusal shows is the script, not what was said of it
        return found

    def _signed(self, script: Script) -> Script:
        return script.model_copy(
            update={
                "frames": tuple(frame for frames in self._frames.values() for frame in frames),
                "author": tuple(self._uses.values()),
            }
        )

    async def _ask_judge(self, step: str, record: Record, output: type[T], accept: Callable[[T], A]) -> A:
        """See `Ask`: the judge's questions."""
        judge, config = self._deps.judge, self._review.judge or self._config
        if judge is None:
            raise AssertionError("a review without a judge")
        accepted: list[A] = []

        def keep(reply: T) -> T:
            accepted.append(accept(reply))
            return reply

        request = self._request(step, record, output, config)
        request, reply, _ = await self._converse(judge, config, request, output, keep)
        self._note_use(request, reply)
        return accepted[-1]

    async def _ask(self, step: str, record: Record, output: type[T], accept: Callable[[T], A]) -> A:
        """See `Ask`. A step that was answered keeps its answer while a later one is repaired."""
        config, author = self._config, self._deps.author
        known = self._answers.get(step)
        last = known is not None and step == next(reversed(self._answers))
        if known is not None and not (last and self._fault is not None):
            answer = known[2]
            if isinstance(answer, output):
                return accept(answer)
        request = self._request(step, record, output, config)
        first = 0
        if known is not None and self._fault is not None:
            request = self._repair(known[0], known[1], self._fault, attempt=config.attempts)
            first, self._fault = config.attempts - 1, None
        accepted: list[A] = []

        def keep(reply: T) -> T:
            self._check_copied(step, reply)
            accepted.append(accept(reply))
            return reply

        request, reply, parsed = await self._converse(author, config, request, output, keep, first)
        self._answers[step] = (request, reply, parsed)
        self._note_use(request, reply)
        return accepted[-1]

    def _check_copied(self, step: str, reply: Record) -> None:
        language = self._plan.seed.language
        examples = self._deps.prompts.spoken_examples(f"{self._stage}/{step}", language.value)
        check_copied(spoken_texts(reply.model_dump(mode="json")), examples, language)

    async def _converse(
        self,
        author: ChatModel,
        config: AuthorConfig,
        request: ChatRequest,
        output: type[T],
        accept: Callable[[T], T],
        first: int = 0,
    ) -> tuple[ChatRequest, ChatReply, T]:
        """Ask until the answer is accepted; a refused one is asked for again, told what was wrong with it."""
        for attempt in range(first, config.attempts):
            reply, stored = await self._reply(author, request, attempt)
            self._last_reply = reply.content
            note = partial(call_of, self._plan.dialogue_id, request.step, attempt, reply=reply, stored=stored)
            try:
                answer = accept(parse_reply(reply, output))
            except RecordError as error:
                if attempt + 1 == config.attempts:
                    self.calls.append(note("refused", request.fingerprint()))
                    raise
                self.calls.append(note("asked_again", request.fingerprint()))
                request = self._repair(request, reply, error.detail, attempt + 1)
                continue
            self.calls.append(note("accepted", request.fingerprint()))
            return request, reply, answer
        raise AssertionError("a step is asked at least once")

    def _request(self, step: str, record: Record, output: type[Record], config: AuthorConfig) -> ChatRequest:
        plan, deps = self._plan, self._deps
        prompt = deps.prompts.render(
            f"{self._stage}/{step}", plan.seed.language.value, record.model_dump(mode="json")
        )
        return build_request(
            step=step,
            prompt=prompt.reference,
            prompt_sha256=prompt.sha256,
            system=prompt.system,
            user=prompt.user,
            record=record,
            output=output,
            seed=derive_seed(deps.root_seed, f"{self._stage}/{step}", plan.dialogue_id),
            sampling=config.sampling(),
        )

    async def _reply(self, author: ChatModel, request: ChatRequest, attempt: int) -> tuple[ChatReply, bool]:
        """The reply, and whether it was stored before."""
        replies = self._deps.replies
        address = f"{author.name}/{request.fingerprint()}"
        found = replies.find_reply(address)
        if found is not None:
            return found, True
        try:
            reply = await author.complete(request)
        except RecordError:
            self.calls.append(unanswered(self._plan.dialogue_id, request.step, attempt))
            raise
        replies.put_reply(address, reply)  # before it is parsed: what was paid for is kept
        return reply, False

    def _repair(self, request: ChatRequest, reply: ChatReply, finding: str, attempt: int) -> ChatRequest:
        plan = self._plan
        label = f"{self._stage}/{request.step}/repair-{attempt}"
        seed = derive_seed(self._deps.root_seed, label, plan.dialogue_id)
        return repair_request(request, reply, finding, plan.seed.language, seed)

    def _note_use(self, request: ChatRequest, reply: ChatReply) -> None:
        self._frames[request.step] = reply.frames
        self._uses[request.step] = PromptUse(
            step=request.step,
            prompt=request.prompt,
            prompt_sha256=request.prompt_sha256,
            model=reply.model,
            request=request.fingerprint(),
        )

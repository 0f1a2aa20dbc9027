"""The server: one endpoint, in a thread with a loop of its own."""

import asyncio
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from pipeline.backends.offline.author import OfflineAuthor
from pipeline.ports import ChatModel
from tests.loopback.answers import is_chinese, is_taken_in, nonsense, useful_answer
from tests.loopback.faults import TEXT, TRANSPORT, Fault, FaultPlan, damage
from tests.loopback.requests import Completion, Dialect, RefusedError, read_request

RETRY_AFTER_S = 0.02
"""Fractions are not in the standard, and servers send them."""


@dataclass(frozen=True)
class Exchange:
    """One request and what became of it."""

    seed: int
    step: str | None
    digest: str
    status: int
    fault: Fault | None
    useful: bool
    """By the author; False for nonsense that fits the schema, and for errors."""

    @property
    def is_paid(self) -> bool:
        """Whether a whole reply went out."""
        return self.status == 200 and self.fault is not Fault.RESET


class LoopbackServer:
    """Use as a context manager; `base_url` is where clients connect."""

    def __init__(
        self,
        faults: FaultPlan | None = None,
        *,
        author: ChatModel | None = None,
        dialect: Dialect = "vllm",
        model: str = "loopback-1",
        api_key: str | None = None,
        max_model_len: int = 32_768,
        slow_s: float = 0.2,
        as_reasoning: bool = False,
        capacity: int | None = None,
        intercept: Callable[[Completion], web.Response | None] = lambda request: None,
    ) -> None:
        """`intercept` may answer a valid request instead; `as_reasoning` puts the JSON where some versions do.

        More than `capacity` requests at once are answered 429.
        """
        self.exchanges: list[Exchange] = []
        self.model = model
        self.most_at_once = 0
        self.organisations: set[str] = set()
        self._at_once = 0
        self._faults = faults or FaultPlan()
        self._author = author or OfflineAuthor()
        self._dialect: Dialect = dialect
        self._api_key = api_key
        self._max_model_len = max_model_len
        self._slow_s = slow_s
        self._as_reasoning = as_reasoning
        self._capacity = capacity
        self._intercept = intercept
        self._seen: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        asyncio.run_coroutine_threadsafe(_drop_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def stop(self) -> None:
        """Go away: connections break, new ones are refused."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()

    @property
    def paid(self) -> int:
        """Whole replies that were sent."""
        return sum(exchange.is_paid for exchange in self.exchanges)

    async def _start(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}/v1"

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _complete(self, http: web.Request) -> web.StreamResponse:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._answer(http)
        except RefusedError as error:
            self.exchanges.append(Exchange(0, None, "", error.status, None, False))
            return error_response(error.status, str(error), error.code)
        finally:
            self._at_once -= 1

    async def _answer(self, http: web.Request) -> web.StreamResponse:
        self._check_key(http)
        self.organisations.update(http.headers.getall("OpenAI-Organization", []))
        body = await http.read()
        request = read_request(body, self._dialect, self.model, self._max_model_len)
        digest = hashlib.sha256(body).hexdigest()
        instead = self._intercept(request)
        if instead is not None:
            self._note(request, digest, instead.status, None, False)
            return instead
        if self._capacity is not None and self._at_once > self._capacity:
            self._note(request, digest, 429, None, False)
            return error_response(429, "too many requests at once", "rate_limit_exceeded")
        seen = self._seen[digest]
        self._seen[digest] += 1
        if self._faults.strikes(Fault.SLOW, digest, seen):
            await asyncio.sleep(self._slow_s)
        fault = self._faults.first(TRANSPORT, digest, seen)
        if fault in (Fault.TOO_MANY_REQUESTS, Fault.UNAVAILABLE):
            status = 429 if fault is Fault.TOO_MANY_REQUESTS else 503
            self._note(request, digest, status, fault, False)
            headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 429 else {}
            return error_response(status, "the scripted server is busy", headers=headers)
        content, useful = await self._write(request)
        if fault is Fault.RESET:
            self._note(request, digest, 200, fault, useful)
            return await self._reset(http, content)
        wrong = self._faults.first(TEXT, digest, seen) if request.step else None
        wrong = Fault.INJECTED if is_taken_in(request) else wrong
        if wrong is not None:
            damaged = damage(content, wrong, is_chinese(request))
            content, wrong = damaged, wrong if damaged != content else None
        self._note(request, digest, 200, wrong, useful)
        return self._completion(request, content, "length" if wrong is Fault.TRUNCATED else "stop")

    def _check_key(self, http: web.Request) -> None:
        sent = http.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._api_key is not None and sent != self._api_key:
            raise RefusedError(401, f"Incorrect API key provided: {sent}.", "invalid_api_key")

    async def _write(self, request: Completion) -> tuple[str, bool]:
        if request.response_format is None:
            return "Hello.", True
        answer = await useful_answer(request, self._author)
        if answer is not None:
            return answer, True
        return nonsense(request.response_format.json_schema.json_schema, request.seed), False

    async def _reset(self, http: web.Request, content: str) -> web.StreamResponse:
        """Half of the reply, then the connection is gone."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(content.encode()) + 500
        await response.prepare(http)
        await response.write(content.encode()[: len(content) // 2])
        if http.transport is not None:
            http.transport.abort()
        return response

    def _note(self, request: Completion, digest: str, status: int, fault: Fault | None, useful: bool) -> None:
        self.exchanges.append(Exchange(request.seed, request.step, digest, status, fault, useful))

    def _completion(self, request: Completion, content: str, finish_reason: str) -> web.Response:
        text: dict[str, str | None] = {"role": "assistant", "content": content}
        if self._as_reasoning:
            text |= {"content": None, "reasoning": content}
        return completion_response(self.model, text, finish_reason, request.prompt_tokens)


async def _drop_all() -> None:
    """End what still waits for somebody: a slow answer that nobody wants any more."""
    mine = asyncio.current_task()
    waiting = [task for task in asyncio.all_tasks() if task is not mine]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def completion_response(
    model: str, message: dict[str, str | None], finish_reason: str, prompt_tokens: int = 100
) -> web.Response:
    """A chat completion. Three in four tokens of the prompt count as cached, each four bytes are a token."""
    words = message.get("content") or message.get("reasoning") or ""
    completion_tokens = len(words.encode()) // 4
    return web.json_response(
        {
            "id": "chatcmpl-loopback",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": prompt_tokens + completion_tokens,
                "prompt_tokens_details": {"cached_tokens": prompt_tokens * 3 // 4},
            },
        }
    )


def error_response(
    status: int, message: str, code: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    """An error as OpenAI and vLLM spell it."""
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)

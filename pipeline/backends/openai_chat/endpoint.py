"""One server: its client, the requests it may have in flight, and how it has been doing."""

import asyncio
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2
import openai
from pydantic import JsonValue

from pipeline.backends.openai_chat.failures import OverloadedError, redact, translate
from pipeline.backends.openai_chat.places import Places
from pipeline.backends.openai_chat.wire import ServerKind, body_of, reply_of
from pipeline.core.patience import Health, Patience
from pipeline.domain.chat import ChatReply, ChatRequest, Served
from pipeline.domain.errors import ConfigError, PipelineError, TransientBackendError

_NO_KEY = "none"
"""The SDK wants one; servers that ask for none ignore it."""
OPENAI_KEY = "OPENAI_API_KEY"


@dataclass(frozen=True, slots=True)
class Server:
    """Where requests go. The key never shows in its `repr`."""

    base_url: str
    kind: ServerKind
    max_in_flight: int
    api_key: str | None = field(default=None, repr=False)


def find_key(
    variable: str | None, server: ServerKind, environment: Mapping[str, str] = os.environ
) -> str | None:
    """The key of an endpoint, from the environment.

    `OPENAI_API_KEY` is for OpenAI alone unless an endpoint names it: a key must not travel to a server that it
    does not belong to. Raises ConfigError where a variable is named and not set.
    """
    name = variable or (OPENAI_KEY if server == "openai" else None)
    if name is None:
        return None
    key = environment.get(name, "").strip()
    if not key:
        raise ConfigError(
            f"script.author: the environment variable {name} is not set; wanted the server's key; "
            f"remedy: export {name}=..."
        )
    return key


class Endpoint:
    """Sends requests to one server, so many at a time. Belongs to the event loop that it is used in."""

    def __init__(self, server: Server, model: str, patience: Patience) -> None:
        self.server = server
        self.health = Health()
        self.load = 0
        """Requests that it has or that wait for it."""
        self._model = model
        self._patience = patience
        self._places = Places(server.max_in_flight)
        self._secrets = (server.api_key,) if server.api_key else ()
        self._closed_until_s = 0.0
        self._last_problem = ""
        self._client = _connect(server, patience)
        # Names of an OpenAI account are nobody else's business; the SDK takes them from the environment.
        account = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
        self._options: openai.RequestOptions = {} if server.kind == "openai" else {"headers": account}

    @property
    def share(self) -> float:
        """Load as a share of what it may have at once: little is asked of one that has just said it is too much."""
        return self.load / self._places.limit

    def is_open(self, now_s: float) -> bool:
        """Whether it may be asked: it works, or it has been left alone for long enough to be tried again."""
        if now_s < self._closed_until_s:
            return False
        rested = now_s - self.health.last_failure_s >= self._patience.give_up_after_s
        return rested or not self.health.is_gone(self._patience)

    def explain(self) -> str:
        """Why it is not open, for a person."""
        return (
            f"{self._last_problem} ({self.health.failures} failures in a row over "
            f"{self.health.last_failure_s - self.health.failing_since_s:.0f} s)"
        )

    async def ask(self, request: ChatRequest, failures: int) -> ChatReply | None:
        """The reply; None if the endpoint was closed while the request waited for its turn.

        `failures` are those of this request so far. Raises TransientBackendError after a pause, when it is time
        to try again; TerminalBackendError; RecordError for a request that cannot be answered.
        """
        self.load += 1
        try:
            async with self._places as place:
                if not self.is_open(_now_s()):
                    return None
                try:
                    reply = await self._try(request, failures)
                    self._places.succeeded()
                    return reply
                except TransientBackendError as error:
                    if is_overload(error):
                        self._places.overloaded(place)
                    # With the place taken: fewer requests in flight are what a troubled server needs.
                    if self.is_open(_now_s()):
                        await asyncio.sleep(
                            self._patience.pause_s(failures + 1, error.retry_after_s, random.random())
                        )
                    raise
        finally:
            self.load -= 1

    async def answers(self) -> bool:
        """Whether the model says anything at all: a greeting, answered in a few tokens."""
        greeting: dict[str, JsonValue] = {
            "model": self._model,
            "messages": [{"role": "user", "content": "Hello"}],
            "max_completion_tokens": 16,  # OpenAI's least
        }
        try:
            await self._post(greeting, "greeting")
        except PipelineError:
            return False
        self.health = Health()
        return True

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()

    async def _try(self, request: ChatRequest, retries: int) -> ChatReply:
        began_s = _now_s()
        try:
            content = await self._post(body_of(request, self._model, self.server.kind), request.step)
            served = Served(
                endpoint=self.server.base_url, latency_s=round(_now_s() - began_s, 4), retries=retries
            )
            reply = reply_of(content, self._model, self.server.base_url, served)
        except TransientBackendError as error:
            self._failed(error)
            raise
        except PipelineError:
            self.health = Health()  # it answered, if not what was hoped for
            raise
        self.health = Health()
        return reply

    async def _post(self, body: dict[str, JsonValue], step: str) -> bytes:
        try:
            response = await self._client.post(
                "/chat/completions", body=body, cast_to=httpx2.Response, options=self._options
            )
        except openai.OpenAIError as error:
            # Not chained: the SDK's exceptions hold the request, headers and all.
            raise translate(error, self.server.base_url, step, self._secrets) from None
        except (OSError, httpx2.TransportError) as error:
            problem = redact(f"{type(error).__name__}: {error}", self._secrets)
            raise TransientBackendError(f"{self.server.base_url}: connection failed: {problem}") from None
        return response.content

    def _failed(self, error: TransientBackendError) -> None:
        now_s, wish_s = _now_s(), error.retry_after_s
        self.health = self.health.failed(now_s, wish_s)
        self._last_problem = str(error)
        if wish_s is not None and wish_s > self._patience.longest_retry_after_s:
            self._closed_until_s = now_s + wish_s
            self._last_problem += (
                f"; it asks to be left alone for {wish_s:.0f} s, and "
                f"script.author.patience.longest_retry_after_s is {self._patience.longest_retry_after_s:.0f}"
            )


def is_overload(error: TransientBackendError) -> bool:
    """Whether the server said so itself: then the request is not to blame."""
    return isinstance(error, OverloadedError)


def _connect(server: Server, patience: Patience) -> openai.AsyncOpenAI:
    timeout = openai.Timeout(patience.timeout_s, connect=patience.connect_timeout_s)
    limits = httpx2.Limits(max_connections=server.max_in_flight + 1)  # one more for the greeting
    client = openai.DefaultAioHttpClient(timeout=timeout, limits=limits)
    return openai.AsyncOpenAI(
        api_key=server.api_key or _NO_KEY,
        base_url=server.base_url,
        timeout=timeout,
        max_retries=0,  # ours know Retry-After beyond 120 s, other endpoints, and when to stop
        http_client=client,
    )


def _now_s() -> float:
    return asyncio.get_running_loop().time()

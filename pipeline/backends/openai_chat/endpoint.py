"""One server: its key, its client, and how a request goes to it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import httpx2
import openai
from pydantic import JsonValue

from pipeline.backends.guard import Guard, loop_s
from pipeline.backends.keys import read_key
from pipeline.backends.openai_chat.failures import translate
from pipeline.backends.openai_chat.wire import ServerKind, body_of, reply_of
from pipeline.backends.server_errors import redact
from pipeline.core.patience import Patience
from pipeline.domain.chat import ChatReply, ChatRequest, Served
from pipeline.domain.errors import PipelineError, TransientBackendError

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
    return None if name is None else read_key(name, "script.author", environment)


class Endpoint:
    """Sends requests to one server, so many at a time. Belongs to the event loop that it is used in."""

    def __init__(self, server: Server, model: str, patience: Patience) -> None:
        self.server = server
        self.guard = Guard("script.author", server.max_in_flight, patience)
        self._model = model
        self._secrets = (server.api_key,) if server.api_key else ()
        self._client = _connect(server, patience)
        # Names of an OpenAI account are nobody else's business; the SDK takes them from the environment.
        account = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
        self._options: openai.RequestOptions = {} if server.kind == "openai" else {"headers": account}

    async def ask(self, request: ChatRequest, failures: int) -> ChatReply | None:
        """The reply; None if the endpoint was closed while the request waited for its turn.

        `failures` are those of this request so far. Raises TransientBackendError after a pause, when it is time
        to try again; TerminalBackendError; RecordError for a request that cannot be answered.
        """
        return await self.guard.ask(partial(self._try, request, failures), failures)

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
        self.guard.answered()
        return True

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()

    async def _try(self, request: ChatRequest, retries: int) -> ChatReply:
        began_s = loop_s()
        content = await self._post(body_of(request, self._model, self.server.kind), request.step)
        served = Served(
            endpoint=self.server.base_url, latency_s=round(loop_s() - began_s, 4), retries=retries
        )
        return reply_of(content, self._model, self.server.base_url, served)

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

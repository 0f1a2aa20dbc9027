"""The author: several servers with one model, asked with patience.

request → least loaded open endpoint → reply
                 │ timeout, 429, 503, reset
                 ▼
         pause, then again: there or elsewhere
                 │ none is open any more                 │ others are answered, this never
                 ▼                                       ▼
         TerminalBackendError: the run stops             RecordError no_reply: the dialogue is refused
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from pipeline.backends.home import Home
from pipeline.backends.openai_chat.endpoint import Endpoint, Server
from pipeline.backends.server_errors import SAME_COMMAND, is_overload
from pipeline.core.patience import Patience
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import ConfigError, RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.quarantine import Reason

_OVERLOAD_FACTOR = 4
"""A server that says itself that it has too much to do is asked more often before the dialogue is refused."""


class OpenAIAuthor:
    """Implements ChatModel. Use as a context manager.

    Stages run one event loop per shard, several at once. Connections and limits belong to all of them, so they
    live in a loop of their own, in a thread of this object.
    """

    def __init__(self, model: str, servers: Sequence[Server], patience: Patience) -> None:
        if not servers:
            raise ConfigError("script.author: no endpoints; wanted one or more base_url")
        self._model = model
        self._servers = tuple(servers)
        self._patience = patience
        self._endpoints: tuple[Endpoint, ...] = ()
        self._home: Home | None = None

    @property
    def name(self) -> str:
        """The model, wherever it is served."""
        return self._model

    def __enter__(self) -> Self:
        self._home = Home("author")
        self._home.submit(self._open()).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        home, self._home = self._home, None
        if home is not None:
            home.leave(self._close)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer one request, however often it has to be sent.

        Raises TerminalBackendError where no server will, and RecordError for a request that none can answer.
        """
        if self._home is None:
            raise RuntimeError("OpenAIAuthor: not open; use it as a context manager")
        return await asyncio.wrap_future(self._home.submit(self._answer(request)))

    async def _open(self) -> None:
        self._endpoints = tuple(Endpoint(server, self._model, self._patience) for server in self._servers)

    async def _close(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.close()

    async def _answer(self, request: ChatRequest) -> ChatReply:
        failures = 0
        while True:
            endpoint = self._choose()
            try:
                reply = await endpoint.ask(request, failures)
            except TransientBackendError as error:
                failures += 1
                limit = self._patience.max_attempts * (_OVERLOAD_FACTOR if is_overload(error) else 1)
                # Only where something else is answered is this request to blame, and not its server.
                if failures >= limit and await endpoint.answers():
                    raise RecordError(
                        Reason.NO_REPLY,
                        f"step {request.step!r} failed {failures} times at a server that answers; last: {error}",
                    ) from None
            else:
                if reply is not None:
                    return reply

    def _choose(self) -> Endpoint:
        """The open endpoint with the least to do. Raises TerminalBackendError if none is open."""
        candidates = [endpoint for endpoint in self._endpoints if endpoint.guard.is_open()]
        if candidates:
            return min(candidates, key=lambda endpoint: endpoint.guard.share)
        problems = "; ".join(endpoint.guard.explain() for endpoint in self._endpoints)
        raise TerminalBackendError(
            f"script.author: no endpoint of {self._model} answers any more: {problems}; remedy: bring one back; "
            f"{SAME_COMMAND}"
        )

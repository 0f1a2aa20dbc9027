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
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

from pipeline.backends.openai_chat.endpoint import Endpoint, Server, is_overload
from pipeline.core.patience import Patience
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import ConfigError, RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.quarantine import Reason

T = TypeVar("T")

_OVERLOAD_FACTOR = 4
"""A server that says itself that it has too much to do is asked more often before the dialogue is refused."""


class _Home:
    """A running event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="author", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[None, None, T]) -> Future[T]:
        """Run it here; the result can be awaited anywhere."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def leave(self) -> None:
        """Stop; nothing may be under way."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


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
        self._home: _Home | None = None

    @property
    def name(self) -> str:
        """The model, wherever it is served."""
        return self._model

    def __enter__(self) -> Self:
        self._home = _Home()
        self._home.submit(self._open()).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        home, self._home = self._home, None
        if home is not None:
            home.submit(self._close()).result()
            home.leave()

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
        """Drop what is still under way, then the connections."""
        mine = asyncio.current_task()
        under_way = [task for task in asyncio.all_tasks() if task is not mine]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        for endpoint in self._endpoints:
            await endpoint.close()
        loop = asyncio.get_running_loop()
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()

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
        now_s = asyncio.get_running_loop().time()
        candidates = [endpoint for endpoint in self._endpoints if endpoint.is_open(now_s)]
        if candidates:
            return min(candidates, key=lambda endpoint: endpoint.share)
        problems = "; ".join(endpoint.explain() for endpoint in self._endpoints)
        raise TerminalBackendError(
            f"script.author: no endpoint of {self._model} answers any more: {problems}; remedy: bring one back; "
            "what was written is kept, and the same command goes on"
        )

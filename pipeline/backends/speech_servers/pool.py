"""Several servers that answer alike, asked with patience.

    request -> least loaded open server -> what `work` makes of its answer
                  |  429, 503 --------------> wait, the same request, for as long as its server counts as there
                  |  refused, reset --------> pause, here or elsewhere, until it is back
                  |  500, 504, a hang ------> once more, elsewhere if there is another; then BadTakeError
                  '  nobody is open any more> TransientBackendError: what there is is kept, try again later

A server whose engine fails at everything is asked last for a while. A request is blamed only where its server
answers something else at that moment.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from pipeline.backends.guard import loop_s
from pipeline.backends.home import Home
from pipeline.backends.server_errors import SAME_COMMAND, OverloadedError, is_overload
from pipeline.backends.speech_servers.servers import SpeechServer
from pipeline.backends.speech_servers.transport import Call, Line, SilentServerError, UnreachableError
from pipeline.core.patience import Patience
from pipeline.domain.errors import BadTakeError, ConfigError, TransientBackendError
from pipeline.domain.takes import Flaw

T = TypeVar("T")

_HANGS = 2
_BROKEN = 3
"""Failures of an engine in a row: it is the server, not what it is asked for."""


class FailedTakeError(BadTakeError):
    """The engine failed at this request. It is asked once more, elsewhere if there is another; then given up."""


@dataclass(frozen=True, slots=True)
class Family:
    """Whose servers these are, and where one shows that it works."""

    section: str
    """Of the configuration: `speech.cosyvoice`."""
    probe: Call
    """Answered at once by a server that could take another request."""
    remedy: str
    """What to do where nobody answers."""


@dataclass(slots=True)
class _Tries:
    """What went wrong with one request so far, by what it tells of the request."""

    failures: int = 0
    """All of them: pauses grow with it. A server that was not there, or had too much to do, tells nothing more."""
    breaks: int = 0
    """Connections that broke over it."""
    hangs: int = 0
    failed_takes: int = 0

    def count(self, error: TransientBackendError) -> None:
        self.failures += 1
        if isinstance(error, SilentServerError):
            self.hangs += 1
        elif not is_overload(error) and not isinstance(error, UnreachableError):
            self.breaks += 1

    def is_suspect(self, patience: Patience) -> bool:
        """Whether the request may be to blame, rather than its server."""
        return self.hangs >= _HANGS or self.breaks >= patience.max_attempts

    def acquit(self) -> None:
        """It was the server's fault."""
        self.breaks = self.hangs = 0


class Pool:
    """Use `open` and `close`; in between, ask from any event loop."""

    def __init__(self, family: Family, servers: Sequence[SpeechServer], patience: Patience) -> None:
        if not servers:
            raise ConfigError(f"{family.section}: no endpoints; wanted one or more base_url")
        self._family = family
        self._servers = tuple(servers)
        self._patience = patience
        self._lines: tuple[Line, ...] = ()
        self._home: Home | None = None

    @property
    def max_in_flight(self) -> int:
        """Requests at once, over all servers."""
        return sum(server.max_in_flight for server in self._servers)

    def open(self) -> None:
        """Begin; nothing is sent."""
        self._home = Home(self._family.section)
        self._home.submit(self._open()).result()

    def close(self) -> None:
        """Drop what is under way and close connections. Safe to repeat."""
        home, self._home = self._home, None
        if home is not None:
            home.leave(self._close)

    def greet(self, work: Callable[[Line], Awaitable[T]]) -> tuple[tuple[str, T], ...]:
        """What every server that answers says of itself, by address; those that are loading are waited for.

        Raises ConfigError where nobody answers.
        """
        answers = self._at_home().submit(self._greet_all(work)).result()
        found = tuple(one for there, _ in answers for one in there)
        if not found:
            problems = "; ".join(problem for _, problem in answers)
            raise ConfigError(
                f"{self._family.section}: nobody answers: {problems}; remedy: {self._family.remedy}"
            )
        return found

    async def ask(self, work: Callable[[Line], Awaitable[T]]) -> T:
        """What `work` makes of a server's answer, however often it has to ask.

        Raises BadTakeError for a request that makes engines fail, TransientBackendError where no server answers
        any more, and what else `work` raises.
        """
        return await asyncio.wrap_future(self._at_home().submit(self._ask(work)))

    def _at_home(self) -> Home:
        if self._home is None:
            raise RuntimeError(f"{self._family.section}: not open; use it as a context manager")
        return self._home

    async def _open(self) -> None:
        self._lines = tuple(Line(self._family.section, server, self._patience) for server in self._servers)
        for line in self._lines:
            await line.open()

    async def _close(self) -> None:
        for line in self._lines:
            await line.close()

    async def _ask(self, work: Callable[[Line], Awaitable[T]]) -> T:
        tries = _Tries()
        last: Line | None = None
        while True:
            line = self._choose(last)
            last = line
            try:
                answer = await line.guard.ask(partial(work, line), tries.failures)
            except FailedTakeError as error:
                self._avoid(line)
                tries.failed_takes += 1
                if tries.failed_takes > 1:
                    raise BadTakeError(error.flaw, f"twice; last: {error.detail}") from None
            except TransientBackendError as error:
                tries.count(error)
                if not tries.is_suspect(self._patience):
                    continue
                if await self._answers(line):
                    flaw = Flaw.TIMED_OUT if isinstance(error, SilentServerError) else Flaw.ENGINE_FAILED
                    raise BadTakeError(
                        flaw, f"failed {tries.failures} times at a server that answers; last: {error}"
                    ) from None
                tries.acquit()
            else:
                if answer is not None:
                    line.failed_takes = 0
                    return answer

    def _avoid(self, line: Line) -> None:
        """Ask others for a while: a server that fails at once always has the least to do."""
        line.failed_takes += 1
        if line.failed_takes >= _BROKEN:
            line.avoided_until_s = loop_s() + self._patience.longest_pause_s

    def _choose(self, last: Line | None) -> Line:
        """The open server with the least to do; one that has just failed only where there is no other."""
        now_s = loop_s()
        candidates = [line for line in self._lines if line.guard.is_open()]
        if candidates:
            return min(
                candidates, key=lambda line: (line is last, now_s < line.avoided_until_s, line.guard.share)
            )
        problems = "; ".join(line.guard.explain() for line in self._lines)
        raise TransientBackendError(
            f"{self._family.section}: no endpoint answers any more: {problems}; remedy: bring one back; "
            f"{SAME_COMMAND}"
        )

    async def _answers(self, line: Line) -> bool:
        """Whether the server is well, whatever became of this request."""
        try:
            answer = await line.send(self._family.probe)
        except TransientBackendError:
            return False
        if answer.status >= 500 or answer.status == 429:
            return False
        line.guard.answered()
        return True

    async def _greet_all(
        self, work: Callable[[Line], Awaitable[T]]
    ) -> list[tuple[tuple[tuple[str, T], ...], str]]:
        return await asyncio.gather(*(self._greet_one(line, work) for line in self._lines))

    async def _greet_one(
        self, line: Line, work: Callable[[Line], Awaitable[T]]
    ) -> tuple[tuple[tuple[str, T], ...], str]:
        """Address and answer, or nothing and why."""
        until_s = loop_s() + self._patience.give_up_after_s
        attempt = 0
        while True:
            attempt += 1
            try:
                return ((line.server.base_url, await work(line)),), ""
            except OverloadedError as error:  # it is there, and loads its model
                pause_s = self._patience.pause_s(attempt, error.retry_after_s, 0.5)
                if loop_s() + pause_s > until_s:
                    return (), str(error)
                await asyncio.sleep(pause_s)
            except (TransientBackendError, BadTakeError) as error:
                return (), str(error)


class PoolClient(ABC):
    """What asks a pool: opened with it, when every server has been met, and closed with it. A context manager."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @abstractmethod
    def _meet(self) -> None:
        """Ask every server what it is. Raises ConfigError where nobody answers, or they differ."""

    def __enter__(self) -> Self:
        self._pool.open()
        try:
            self._meet()
        except BaseException:
            self._pool.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

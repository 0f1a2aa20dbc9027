"""N engines behind one bounded queue.

             submit --> [ queue ] --> engine 0: loading -> ready <-> busy -> recycling -> loading ...
    429 when it is full    ^   \\--> engine 1
    503 when no engine is up   504 and a kill when a deadline passes, 500 and a restart when an engine dies

An engine is up once a warm-up synthesis passed the gate. It is replaced when it dies, when it is killed, after a
number of requests, above a size in memory (the model's process grows), and after several errors in a row.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .engine import EngineLostError, EngineProcess
from .messages import Greeting, Job, Reply
from .refusals import Code, RefusalError, past_deadline

_LOG = logging.getLogger(__name__)
_ERRORS_IN_A_ROW = 3
_FAILED_STARTS = 3
_LONGEST_WAIT_S = 60

Spoken = tuple[Reply, npt.NDArray[np.float32]]
WarmUp = Callable[[Greeting], Job]


@dataclass(frozen=True)
class Limits:
    """When to refuse, and when to replace an engine."""

    queue: int = 16
    """Requests that wait; those in engines come on top."""
    requests_per_engine: int = 3000
    rss_mb: int | None = None
    load_s: float = 900.0
    """Of starting a process, loading its model and warming up."""


class _Work:
    """One job on its way, and the future that its caller waits for."""

    def __init__(self, job: Job, deadline_s: float, waited_s: float) -> None:
        loop = asyncio.get_running_loop()
        self.job = job
        self.deadline_s = deadline_s
        self._deadline = time.monotonic() + deadline_s - waited_s
        self.answer: asyncio.Future[Spoken] = loop.create_future()
        self._alarm = loop.call_later(self.left_s, self.fail_deadline, "in the queue")

    @property
    def left_s(self) -> float:
        """Until its deadline."""
        return self._deadline - time.monotonic()

    def take(self) -> bool:
        """Whether somebody still waits for it; from here on the deadline is the engine's matter."""
        self._alarm.cancel()
        if self.left_s <= 0:
            self.fail_deadline("in the queue")
        return not self.answer.done()

    def resolve(self, spoken: Spoken) -> None:
        """Answer."""
        if not self.answer.done():
            self.answer.set_result(spoken)

    def fail(self, refusal: RefusalError) -> None:
        """Refuse."""
        if not self.answer.done():
            self.answer.set_exception(refusal)

    def fail_deadline(self, where: str) -> None:
        """The deadline passed."""
        self.fail(past_deadline(self.deadline_s, where))


class Pool:
    """Engines that are kept alive until `close`."""

    def __init__(
        self, engines: list[EngineProcess], limits: Limits, warm_up: WarmUp, give_up: Callable[[str], None]
    ) -> None:
        """`warm_up` makes a job of what an engine says it can do; `give_up` is told why no engine ever starts."""
        self.engines = engines
        self.greeting: Greeting | None = None
        self._limits = limits
        self._warm_up = warm_up
        self._give_up = give_up
        self._queue: asyncio.Queue[_Work] = asyncio.Queue()
        self._waiting: set[_Work] = set()
        self._starting = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._load_s = 1.0
        self._synthesis_s = 1.0

    def open(self) -> None:
        """Start the engines."""
        self._tasks = [asyncio.create_task(self._keep(engine)) for engine in self.engines]

    async def close(self) -> None:
        """Kill the engines; whoever still waits is told that they are being replaced."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for engine in self.engines:
            await engine.kill()
        while not self._queue.empty():
            work = self._queue.get_nowait()
            if work.take():
                work.fail(RefusalError("recycling", "the worker is shutting down", retry_after_s=5))

    @property
    def is_up(self) -> bool:
        """Whether any engine has passed its warm-up and runs."""
        return any(engine.state in ("ready", "busy") for engine in self.engines)

    @property
    def queue_size(self) -> int:
        """How many requests may wait."""
        return self._limits.queue

    @property
    def num_waiting(self) -> int:
        """Requests in the queue that somebody still waits for."""
        return len(self._waiting)

    def require_up(self) -> Greeting:
        """What the engines can do; raises the refusal that says why there is none."""
        if self.is_up and self.greeting is not None:
            return self.greeting
        wait_s = _whole(self._load_s)
        problems = {str(engine.number): engine.problem for engine in self.engines if engine.problem}
        code: Code = "loading" if self.greeting is None else "recycling"
        raise RefusalError(code, "no engine is ready yet", retry_after_s=wait_s, details={**problems})

    async def speak(self, job: Job, deadline_s: float, waited_s: float = 0.0) -> Spoken:
        """The answer of an engine; raises RefusalError instead of waiting where waiting is the client's part.

        `waited_s` of the deadline have passed already. Cancelled, it leaves the queue; what an engine has begun is
        finished.
        """
        self.require_up()
        idle = sum(engine.state == "ready" for engine in self.engines)
        waiting = self.num_waiting
        if waiting >= self._limits.queue + idle:
            wait_s = _whole(waiting * self._synthesis_s / len(self.engines))
            raise RefusalError(
                "overloaded",
                f"{waiting} requests wait already, the queue holds {self._limits.queue}",
                retry_after_s=wait_s,
                details={"waiting": waiting},
            )
        work = _Work(job, deadline_s, waited_s)
        self._queue.put_nowait(work)
        self._waiting.add(work)
        try:
            reply, samples = await work.answer
        finally:
            self._waiting.discard(work)
            work.take()
        if reply.refused is not None:
            if reply.refused.reason is None:
                raise RefusalError("engine_error", reply.refused.message)
            details = {"reason": reply.refused.reason, **reply.refused.details}
            raise RefusalError("bad_audio", reply.refused.message, details=details)
        return reply, samples

    async def _keep(self, engine: EngineProcess) -> None:
        """Start an engine whenever it does not run."""
        failures = 0
        while True:
            try:
                # First starts go one after another: the first one may have to write what the others only read.
                async with self._starting if engine.restarts < 0 else contextlib.nullcontext():
                    await self._start(engine)
                failures = 0
                engine.problem = await self._serve(engine)
                _LOG.warning("engine %d is replaced: %s", engine.number, engine.problem)
            except Exception as error:  # nobody else would start the engine again
                failures += 1
                engine.problem = str(error) or repr(error)
                _LOG.error("engine %d did not start (%d): %s", engine.number, failures, engine.problem)
                if failures == _FAILED_STARTS and self.greeting is None:
                    self._give_up(f"no engine starts: {engine.problem}")
            await engine.kill()
            if failures:
                await asyncio.sleep(min(0.25 * 2**failures, _LONGEST_WAIT_S))

    async def _start(self, engine: EngineProcess) -> None:
        """Load and warm up."""
        engine.state, began = "loading", time.monotonic()
        try:
            greeting = await asyncio.wait_for(engine.start(), self._limits.load_s)
            reply, _ = await asyncio.wait_for(engine.ask(self._warm_up(greeting)), self._limits.load_s)
        except asyncio.TimeoutError:  # noqa: UP041 - not the same exception before Python 3.11
            raise EngineLostError(f"not loaded and warm within {self._limits.load_s:g} s") from None
        except RefusalError as refusal:
            raise EngineLostError(f"cannot be warmed up: {refusal}") from None
        if reply.refused is not None:
            raise EngineLostError(f"the warm-up was refused: {reply.refused.message}")
        self._load_s = time.monotonic() - began
        self.greeting = greeting
        engine.state, engine.served = "ready", 0

    async def _serve(self, engine: EngineProcess) -> str:
        """Serve until it has to be replaced; says why."""
        errors = 0
        while True:
            work = await self._next(engine)
            if work is None:
                engine.state = "recycling"
                return "its process ended"
            self._waiting.discard(work)
            if not work.take():
                continue
            engine.state = "busy"
            try:
                reply, samples = await asyncio.wait_for(engine.ask(work.job), work.left_s)
            except asyncio.TimeoutError:  # noqa: UP041 - as above
                engine.state = "recycling"
                work.fail_deadline("in an engine, which was restarted")
                return f"request {work.job.request_id!r} passed its deadline of {work.deadline_s:g} s"
            except asyncio.CancelledError:
                work.fail(RefusalError("recycling", "the worker is shutting down", retry_after_s=5))
                raise
            except Exception as error:  # its process ended, or answers nonsense
                engine.state = "recycling"
                work.fail(RefusalError("engine_error", f"{error}; it is restarted"))
                return f"in the middle of a request: {error}"
            failed = reply.refused is not None and reply.refused.reason is None
            errors = errors + 1 if failed else 0
            due = self._due(engine, errors)
            engine.state = "ready" if due is None else "recycling"
            self._synthesis_s += 0.1 * (reply.engine_ms / 1000 - self._synthesis_s)
            work.resolve((reply, samples))
            if due is not None:
                return due

    def _due(self, engine: EngineProcess, errors: int) -> str | None:
        """Why an engine has to be replaced now, if it has to."""
        limits = self._limits
        if engine.served >= limits.requests_per_engine:
            return f"{limits.requests_per_engine} requests served"
        if limits.rss_mb is not None and engine.rss_mb > limits.rss_mb:
            return f"{engine.rss_mb} MB of memory, limit {limits.rss_mb}"
        if errors >= _ERRORS_IN_A_ROW:
            return f"{errors} errors in a row"
        return None

    async def _next(self, engine: EngineProcess) -> _Work | None:
        """The next work, or None where the engine ends while it waits."""
        ended = asyncio.ensure_future(engine.ended())
        wanted = asyncio.ensure_future(self._queue.get())
        try:
            await asyncio.wait({ended, wanted}, return_when=asyncio.FIRST_COMPLETED)
            return wanted.result() if wanted.done() else None
        finally:
            for task in (ended, wanted):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


def _whole(seconds: float) -> int:
    """For `Retry-After`, which is whole seconds."""
    return max(1, min(_LONGEST_WAIT_S, math.ceil(seconds)))

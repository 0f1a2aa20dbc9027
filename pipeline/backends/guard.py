"""One server as its callers see it: what it may be asked at once, how it has been doing, when it is left alone.

request --wait for a place--> ask --success-----------> a little more at once
                               |---- 429, 503 --------> half as much at once, and a pause
                               |---- transient -------> a pause; too many for too long: closed
                               '---- any other error -> it answers, if not what was hoped for
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pipeline.backends.places import Places
from pipeline.backends.server_errors import is_overload
from pipeline.core.patience import Health, Patience
from pipeline.domain.errors import PipelineError, TransientBackendError

T = TypeVar("T")


class Guard:
    """Belongs to the event loop that it is used in. `section` is where the run's configuration sets `patience`."""

    def __init__(self, section: str, max_in_flight: int, patience: Patience) -> None:
        self.health = Health()
        self.load = 0
        """Requests that the server has or that wait for it."""
        self._section = section
        self._patience = patience
        self._places = Places(max_in_flight)
        self._closed_until_s = 0.0
        self._last_problem = ""

    @property
    def share(self) -> float:
        """Load as a share of what it may have at once: little is asked of one that has just said it is too much."""
        return self.load / self._places.limit

    def is_open(self) -> bool:
        """Whether it may be asked: it works, or it has been left alone for long enough to be tried again."""
        now_s = loop_s()
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

    async def ask(self, work: Callable[[], Awaitable[T]], failures: int) -> T | None:
        """What `work` returns; None if the server was closed while the request waited for its turn.

        `failures` are those of this request so far. A TransientBackendError is raised after a pause, when it is
        time to try again.
        """
        self.load += 1
        try:
            async with self._places as place:
                if not self.is_open():
                    return None
                try:
                    answer = await self._watch(work)
                except TransientBackendError as error:
                    if is_overload(error):
                        self._places.overloaded(place)
                    # With the place taken: fewer requests in flight are what a troubled server needs.
                    if self.is_open():
                        await asyncio.sleep(
                            self._patience.pause_s(failures + 1, error.retry_after_s, random.random())
                        )
                    raise
                self._places.succeeded()
                return answer
        finally:
            self.load -= 1

    def answered(self) -> None:
        """It said something: whatever went wrong before is over."""
        self.health = Health()

    async def _watch(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            answer = await work()
        except TransientBackendError as error:
            self._failed(error)
            raise
        except PipelineError:
            self.answered()
            raise
        self.answered()
        return answer

    def _failed(self, error: TransientBackendError) -> None:
        now_s, wish_s = loop_s(), error.retry_after_s
        self.health = self.health.failed(now_s, wish_s)
        self._last_problem = str(error)
        if wish_s is not None and wish_s > self._patience.longest_retry_after_s:
            self._closed_until_s = now_s + wish_s
            self._last_problem += (
                f"; it asks to be left alone for {wish_s:.0f} s, and "
                f"{self._section}.patience.longest_retry_after_s is {self._patience.longest_retry_after_s:.0f}"
            )


def loop_s() -> float:
    """The running loop's clock."""
    return asyncio.get_running_loop().time()

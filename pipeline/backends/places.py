"""Places for requests at one server: as many as its window has room for, and in turn."""

import asyncio
from types import TracebackType

from pipeline.core.patience import Window


class Places:
    """A semaphore whose size follows a `Window`. `async with places as sent_in:` holds one.

    asyncio's own semaphore keeps the order and survives cancelled waiters; it cannot shrink. So what a smaller
    window takes away is *owed*, and paid by whoever comes or leaves next::

        64 held, window 32   ->  owed 32: the next 32 who leave hand their place to nobody
    """

    def __init__(self, ceiling: int) -> None:
        self._window = Window.open(ceiling)
        self._free = asyncio.Semaphore(ceiling)
        self._owed = 0
        self._held = 0

    @property
    def limit(self) -> int:
        """Requests at once, as things stand."""
        return self._window.limit

    async def __aenter__(self) -> int:
        """Wait for a place; says under how many cuts of the window it was given."""
        await self._free.acquire()
        while self._owed:
            self._owed -= 1
            await self._free.acquire()
        self._held += 1
        return self._window.cuts

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held -= 1
        self._give()

    def succeeded(self) -> None:
        """The server answered."""
        self._resize(self._window.succeeded())

    def overloaded(self, sent_in: int) -> None:
        """It said that it has too much to do, to a request that came in under so many cuts."""
        self._resize(self._window.overloaded(sent_in, self._held))

    def _resize(self, window: Window) -> None:
        change = window.limit - self._window.limit
        self._window = window
        self._owed += max(-change, 0)
        for _ in range(change):
            self._give()

    def _give(self) -> None:
        """A place becomes free, unless one is owed."""
        if self._owed:
            self._owed -= 1
        else:
            self._free.release()

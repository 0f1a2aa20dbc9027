"""An event loop in a thread of its own, for connections that belong to many callers.

    shard 1 --loop--.
    shard 2 --loop--+--submit--> home: one loop, its connections, its limits
    shard 3 --loop--'

Stages run one event loop per shard, several at once; a connection works in the loop only that opened it.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Home:
    """A running event loop. `name` is what its thread is called."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[None, None, T]) -> Future[T]:
        """Run it here; the result can be awaited anywhere, and whoever stops waiting stops the work."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def leave(self, close: Callable[[], Awaitable[None]]) -> None:
        """Drop what is still under way, close what belongs to this loop, end the thread."""
        self.submit(_drop_and_close(close)).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _drop_and_close(close: Callable[[], Awaitable[None]]) -> None:
    mine = asyncio.current_task()
    under_way = [task for task in asyncio.all_tasks() if task is not mine]
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    await close()
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()

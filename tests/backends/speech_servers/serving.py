"""A small HTTP server for protocol doubles: in a thread with a loop of its own, on a loopback port.

It can go away and come back at the same address, reset a connection, break off in the middle, and hang.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Serving:
    """Use as a context manager. `routes` are handlers by `"<METHOD> <path>"`; what they raise is answered 500."""

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        self.under_way = 0
        self.most_at_once = 0
        self._routes = dict(routes)
        self._port = free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        asyncio.run_coroutine_threadsafe(_drop_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self) -> None:
        """Be there (again), at the same address."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    def stop(self) -> None:
        """Go away: connections break, new ones are refused."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()

    async def _start(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        for route, handler in self._routes.items():
            method, path = route.split()
            app.router.add_route(method, path, self._counted(handler))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _counted(self, handler: Handler) -> Handler:
        async def counted(request: web.Request) -> web.StreamResponse:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            try:
                return await handler(request)
            finally:
                self.under_way -= 1

        return counted


async def _drop_all() -> None:
    mine = asyncio.current_task()
    waiting = [task for task in asyncio.all_tasks() if task is not mine]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def reset(request: web.Request) -> web.StreamResponse:
    """The connection is gone before a byte was sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def break_off(request: web.Request, content: bytes) -> web.StreamResponse:
    """Half of what was announced, then the connection is gone."""
    response = web.StreamResponse(headers={"Content-Type": "audio/wav"})
    response.content_length = len(content)
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response


async def hang(request: web.Request) -> web.StreamResponse:
    """Until somebody hangs up."""
    await asyncio.sleep(3600)
    return web.Response()


async def endless_silence(request: web.Request) -> web.StreamResponse:
    """A wav file of unknown length that never ends."""
    response = web.StreamResponse(headers={"Content-Type": "audio/wav"})
    await response.prepare(request)
    await response.write(STREAMED_HEADER)
    while True:
        await response.write(bytes(1 << 16))


STREAMED_HEADER = (
    b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0"
    + (24000).to_bytes(4, "little")
    + (48000).to_bytes(4, "little")
    + b"\x02\0\x10\0data\xff\xff\xff\xff"
)
"""Of a writer that does not know the length beforehand: mono, 24 kHz, 16 bits."""

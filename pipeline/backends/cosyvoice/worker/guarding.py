"""What stands before the routes: bodies have a limit, and who is gone is no longer worked for.

    client --body--> Guard --whole body, once--> routes --> pool --> engine
             |         |                            ^
    too much: 400      +---- gone: cancelled -------+

Cancelling takes a request out of the queue. One that an engine has begun is finished, unheard and still bound by its
deadline: a model cannot be stopped in the middle, and killing its process costs minutes of loading, which whoever
waits next would pay.
"""

import asyncio
import contextlib

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .refusals import RefusalError

LARGEST_JSON = 1 << 20
"""A batch of 32 of the longest texts, every character of them escaped, is 0.96 MB."""
LARGEST_UPLOAD = 32 << 20
"""30 s of four channels at 48 kHz in float32 are 23 MB."""
HEARD_OUT = 64 << 20
"""Up to here a body that is too large is read and forgotten: most clients send all of it before they read why not."""
VOICES = "/v1/voices"


class Guard:
    """ASGI middleware. Routes read the whole body at once, and hear of a client that leaves by being cancelled."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, answer or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            announced = Headers(scope=scope).get("content-length", "")
            body = await _read(receive, _limit(scope["path"]), int(announced) if announced.isdecimal() else 0)
        except RefusalError as refusal:
            answer = JSONResponse(refusal.body(None), status_code=refusal.status)
            await answer(scope, receive, send)
            return
        if body is not None:
            await _answer(self._app, scope, body, receive, send)


def _limit(path: str) -> int:
    return LARGEST_UPLOAD if path.rstrip("/") == VOICES else LARGEST_JSON


async def _read(receive: Receive, limit: int, announced: int) -> bytes | None:
    """The body; None where the client is gone. Raises RefusalError where it is, or is said to be, too large."""
    content, size, is_whole = bytearray(), 0, False
    while not is_whole and max(size, announced) <= HEARD_OUT:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size <= limit:
            content += part
        is_whole = not message.get("more_body", False)
    if max(size, announced) > limit:
        raise RefusalError("invalid_request", f"body: too large; wanted {limit} bytes at most")
    return bytes(content)


async def _answer(app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
    """Let the routes answer, for as long as somebody listens."""
    gone = asyncio.ensure_future(_gone(receive))
    unread = [body]
    sent: list[str] = []

    async def read_once() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        await asyncio.shield(gone)
        return {"type": "http.disconnect"}

    async def note_and_send(message: Message) -> None:
        sent.append(message["type"])
        await send(message)

    answering = asyncio.ensure_future(app(scope, read_once, note_and_send))
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done() and not sent:
            answering.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answering
    finally:
        answering.cancel()
        gone.cancel()


async def _gone(receive: Receive) -> None:
    """Return when the client has closed its connection, or has its whole answer."""
    while (await receive())["type"] != "http.disconnect":
        pass

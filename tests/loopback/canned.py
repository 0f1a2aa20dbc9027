"""A server that says the same to everybody, for measuring clients: `python -m tests.loopback.canned`.

Prints its address and answers until its standard input ends.
"""

import asyncio
import sys

from aiohttp import web

from pipeline.core.scripting.steps import Placement
from tests.loopback.server import completion_response

DELAY_S = 0.2
"""Long enough for 512 requests to be in flight at once."""
ANSWER = Placement(quote="the last ferry leaves", why="the clause is complete")


async def serve() -> None:
    body = completion_response(
        "canned-1", {"role": "assistant", "content": ANSWER.to_line()}, "stop", prompt_tokens=1500
    ).body
    assert isinstance(body, bytes)

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(DELAY_S)
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())

"""Our client against the SDK as it comes, 512 requests in flight at a server that always says the same.

Both do the whole path: build the request, send it, store the reply, validate it. Each runs in a process of its
own, so that CPU time and memory are its own. With 256 in flight, what one vLLM server is given, a request must
cost what it costs with 512.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import openai
from pydantic import BaseModel

from pipeline.backends.openai_chat import OpenAIAuthor, Server
from pipeline.core.patience import Patience
from pipeline.core.prompting import Sampling, build_request, parse_reply
from pipeline.core.scripting.steps import AdaptedTurn, Placement
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.labels import Speaker
from pipeline.io.prompts import load_prompts
from pipeline.io.store import Store
from pipeline.runner import relax_collector
from tests.bench.measure import Row, peak_mb

IN_FLIGHT = 512
IN_FLIGHT_AT_ONE_SERVER = 256
REQUESTS = 3 * IN_FLIGHT
REPEATS = 3
MODEL = "canned-1"
SAMPLING = Sampling(temperature=0.8, top_p=0.95, max_completion_tokens=512)


class Taken(BaseModel):
    """What one way of asking took."""

    cpu_ms: float
    """Per request."""
    peak_mb: float
    wall_s: float


def measure(directory: Path) -> Iterator[Row]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.loopback.canned"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        url = server.stdout.readline().strip()
        ways = (("ours", IN_FLIGHT), ("sdk", IN_FLIGHT), ("ours", IN_FLIGHT_AT_ONE_SERVER))
        rounds = [[_run(way, in_flight, url) for way, in_flight in ways] for _ in range(REPEATS)]
        server.stdin.close()
    ours, sdk, one_server = map(_median, zip(*rounds, strict=True))
    note = f"{ours.cpu_ms:.2f} and {sdk.cpu_ms:.2f} ms per request, {REQUESTS / ours.wall_s:.0f} requests/s"
    yield Row("author, whole path", "SDK, default transport", sdk.cpu_ms / ours.cpu_ms, "at least", 2, note)
    note = f"peaks {ours.peak_mb:.0f} and {sdk.peak_mb:.0f} MB, {IN_FLIGHT} in flight"
    yield Row("author, MB", "SDK, default transport", ours.peak_mb - sdk.peak_mb, "at most", 40, note)
    rate = f"{1e3 / one_server.cpu_ms:.0f} requests/s per core, {REQUESTS / one_server.wall_s:.0f} in all"
    ratio = one_server.cpu_ms / ours.cpu_ms
    yield Row(f"author, {IN_FLIGHT_AT_ONE_SERVER} in flight", f"{IN_FLIGHT}", ratio, "at most", 1.2, rate)


def _median(taken: Sequence[Taken]) -> Taken:
    return Taken(
        cpu_ms=statistics.median(one.cpu_ms for one in taken),
        peak_mb=statistics.median(one.peak_mb for one in taken),
        wall_s=statistics.median(one.wall_s for one in taken),
    )


def _run(way: str, in_flight: int, url: str) -> Taken:
    command = [sys.executable, "-m", "tests.bench.authoring", way, str(in_flight), url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Taken.model_validate_json(done.stdout)


def _requests() -> Callable[[int], ChatRequest]:
    """The `place` step of dialogues that differ in one number."""
    turns = (AdaptedTurn(speaker=Speaker.USER, sentences=("When does the last ferry leave tonight?",)),)
    record = turns[0]
    prompt = load_prompts().current("script/place")
    system = "You write scripts for spoken dialogues. " * 150  # the length of a real head

    def build(number: int) -> ChatRequest:
        return build_request(
            step="place",
            prompt=prompt.reference,
            prompt_sha256=prompt.sha256,
            system=system,
            user=f"Dialogue {number}: {record.to_line()}",
            record=record,
            output=Placement,
            seed=number,
            sampling=SAMPLING,
        )

    return build


async def _ask_all(
    complete: Callable[[ChatRequest], Awaitable[ChatReply]], in_flight: int, store: Store
) -> None:
    gate, build = asyncio.Semaphore(in_flight), _requests()

    async def one(number: int) -> None:
        async with gate:
            request = build(number)
            reply = await complete(request)
            store.put_reply(request.fingerprint(), reply)
            parse_reply(reply, Placement)

    await asyncio.gather(*map(one, range(REQUESTS)))


def _ours(url: str, in_flight: int, store: Store) -> None:
    servers = (Server(base_url=url, kind="vllm", max_in_flight=in_flight),)
    with OpenAIAuthor(MODEL, servers, Patience()) as author:
        asyncio.run(_ask_all(author.complete, in_flight, store))


def _sdk(url: str, in_flight: int, store: Store) -> None:
    async def ask() -> None:
        async with openai.AsyncOpenAI(api_key="none", base_url=url) as client:

            async def complete(request: ChatRequest) -> ChatReply:
                done = await client.chat.completions.create(
                    model=MODEL,
                    messages=[
                        {"role": "system", "content": request.messages[0].content},
                        {"role": "user", "content": request.messages[1].content},
                    ],
                    response_format={
                        "type": "json_schema",
                        "json_schema": {
                            "name": request.step,
                            "strict": True,
                            "schema": json.loads(request.response_schema),
                        },
                    },
                    temperature=request.temperature,
                    top_p=request.top_p,
                    max_completion_tokens=request.max_completion_tokens,
                    seed=request.seed,
                    extra_body={"chat_template_kwargs": {"enable_thinking": False}},
                )
                assert done.usage is not None
                return ChatReply(
                    model=done.model,
                    content=done.choices[0].message.content or "",
                    finish_reason="stop",
                    prompt_tokens=done.usage.prompt_tokens,
                    cached_tokens=0,
                    completion_tokens=done.usage.completion_tokens,
                    frames=(),
                )

            await _ask_all(complete, in_flight, store)

    asyncio.run(ask())


def main(way: str, in_flight: str, url: str) -> None:
    relax_collector()  # as every command does
    with tempfile.TemporaryDirectory(prefix="humdial-bench-") as directory:
        began_cpu_s, began_s = time.process_time(), time.perf_counter()
        (_ours if way == "ours" else _sdk)(url, int(in_flight), Store(Path(directory)))
        cpu_s, wall_s = time.process_time() - began_cpu_s, time.perf_counter() - began_s
    print(Taken(cpu_ms=1e3 * cpu_s / REQUESTS, peak_mb=peak_mb(), wall_s=wall_s).model_dump_json())


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What a served clip costs beside the engine: client, gate, word times and store against a bare request.

Both ask the same server, which always says the same. Each runs in a process of its own, so that CPU time and memory
are its own; the engine of a real server works for a second or more on a clip of this length.
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

import aiohttp
from aiohttp import web
from pydantic import BaseModel

from pipeline.backends.speech_servers import CosyVoice, CosyVoiceSettings, SpeechServer
from pipeline.core.patience import Patience
from pipeline.domain.voice import SpeechRequest
from pipeline.io.store import Store
from pipeline.runner import relax_collector
from pipeline.stages.speaking import Ladder, Speaking
from pipeline.stages.speech import Deps, clip_of
from tests.backends.speech_servers.cosyvoice_double import BUILT_IN, Body, CosyVoiceDouble
from tests.backends.speech_servers.speaking import read_reference, request_for, sound, voice_of, wav
from tests.bench.measure import Row, peak_mb

IN_FLIGHT = 64
CLIPS = 2 * IN_FLIGHT
REPEATS = 3
RATE_HZ = 24_000
"""Of the server and of the run: CosyVoice 2 and 3 need no resampling."""
TEXT = "The last ferry to the island leaves at a quarter past ten tonight."
VOICE = voice_of("cosyvoice", BUILT_IN[1])
DELAY_S = 0.3
"""Long enough for all to be in flight at once. Whoever asks alone is answered at once."""


class Taken(BaseModel):
    """What one way of asking took."""

    cpu_ms: float
    """Per clip."""
    peak_mb: float
    wall_s: float


def measure(directory: Path) -> Iterator[Row]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.speaking", "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        url = server.stdout.readline().strip()
        ways = (("ours", IN_FLIGHT), ("bare", IN_FLIGHT), ("ours", 1))
        rounds = [[_run(way, in_flight, url) for way, in_flight in ways] for _ in range(REPEATS)]
        server.stdin.close()
    ours, bare, alone = map(_median, zip(*rounds, strict=True))
    length_s = len(sound(TEXT)) / RATE_HZ
    note = (
        f"{ours.cpu_ms:.1f} and {bare.cpu_ms:.1f} ms CPU ({ours.cpu_ms / bare.cpu_ms:.0f} x) for {length_s:.1f} s of "
        f"speech; {CLIPS / ours.wall_s:.0f} clips/s at {IN_FLIGHT} in flight"
    )
    yield Row("served clip, whole path, ms", "bare request", ours.cpu_ms - bare.cpu_ms, "at most", 10, note)
    note = f"peaks {ours.peak_mb:.0f} and {alone.peak_mb:.0f} MB"
    growth_mb = ours.peak_mb - alone.peak_mb
    yield Row(f"served clips, {IN_FLIGHT} in flight, MB", "1 in flight", growth_mb, "at most", 60, note)


def _median(taken: Sequence[Taken]) -> Taken:
    return Taken(
        cpu_ms=statistics.median(one.cpu_ms for one in taken),
        peak_mb=statistics.median(one.peak_mb for one in taken),
        wall_s=statistics.median(one.wall_s for one in taken),
    )


def _run(way: str, in_flight: int, url: str) -> Taken:
    command = [sys.executable, "-m", "tests.bench.speaking", way, str(in_flight), url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Taken.model_validate_json(done.stdout)


def _serve() -> None:
    """The same clip for everybody, until standard input ends."""
    meta = {
        "model": "double",
        "revision": "1",
        "applied": {"emotion": True, "speed": True, "seed": True},
        "warnings": [],
    }
    headers = {"X-TTS-Meta": json.dumps(meta)}
    content = wav(sound(TEXT, sampling_rate=RATE_HZ), RATE_HZ)
    with CosyVoiceDouble() as double:

        async def answer(request: web.Request, body: Body) -> web.StreamResponse | None:
            double.requests.clear()
            await asyncio.sleep(DELAY_S if double.serving.under_way > 1 else 0)
            return web.Response(body=content, content_type="audio/wav", headers=headers)

        double.act = answer
        print(double.url, flush=True)
        sys.stdin.read()


async def _ask_all(speak: Callable[[SpeechRequest], Awaitable[object]]) -> None:
    await asyncio.gather(*(speak(request_for(VOICE, TEXT, seed=number)) for number in range(CLIPS)))


def _ours(url: str, in_flight: int, store: Store) -> None:
    settings = CosyVoiceSettings((SpeechServer(url, in_flight),), Patience(), slowest=5.0)
    with CosyVoice(settings, read_reference) as engine:
        ladder = Ladder((engine,), (VOICE,))
        deps = Deps(root_seed=0, ladder=ladder, voices=(VOICE,), clips=store, sampling_rate=RATE_HZ)

        async def ask() -> None:
            speaking = Speaking(ladder)
            await _ask_all(lambda request: clip_of(request, deps, speaking))

        asyncio.run(ask())


def _bare(url: str, in_flight: int) -> None:
    async def ask() -> None:
        places = asyncio.Semaphore(in_flight)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def speak(request: SpeechRequest) -> int:
                body = {"spoken_text": request.text, "seed": request.seed}
                async with places, session.post(f"{url}/v1/tts", json=body) as response:
                    return len(await response.read())

            await _ask_all(speak)

    asyncio.run(ask())


def main(way: str, in_flight: str, url: str) -> None:
    relax_collector()  # as every command does
    with tempfile.TemporaryDirectory(prefix="humdial-bench-") as directory:
        began_cpu_s, began_s = time.process_time(), time.perf_counter()
        if way == "ours":
            _ours(url, int(in_flight), Store(Path(directory)))
            assert len(list(Path(directory).glob("clips/*/*.wav"))) == CLIPS
        else:
            _bare(url, int(in_flight))
        cpu_s, wall_s = time.process_time() - began_cpu_s, time.perf_counter() - began_s
    print(Taken(cpu_ms=1e3 * cpu_s / CLIPS, peak_mb=peak_mb(), wall_s=wall_s).model_dump_json())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve()
    else:
        main(*sys.argv[1:])

"""Talking HTTP to a worker."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from pipeline.backends.cosyvoice.worker.wav import Wav, read_wav, write_wav

HELLO = "今天天气很好，我们去公园吧。"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):  # type: ignore[no-untyped-def]  # whatever was sent
        return json.loads(self.body)

    @property
    def error(self):  # type: ignore[no-untyped-def]
        return self.json["error"]

    @property
    def meta(self):  # type: ignore[no-untyped-def]
        return json.loads(self.headers["x-tts-meta"])

    @property
    def wav(self) -> Wav:
        return read_wav(self.body)


def ask(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """GET, or POST where there is a body."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return Answer(reply.status, {k.lower(): v for k, v in reply.headers.items()}, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def post(url: str, content: JsonValue, **headers: str) -> Answer:
    return ask(url, json.dumps(content).encode(), {"Content-Type": "application/json", **headers})


def speak(url: str, request_id: str = "r", **changes: JsonValue) -> Answer:
    return post(f"{url}/v1/tts", wish(request_id, **changes))


def wish(request_id: str = "r", **changes: JsonValue) -> dict[str, JsonValue]:
    """A request that succeeds, changed."""
    plain: dict[str, JsonValue] = {"spoken_text": HELLO, "language": "zh", "voice": "中文女"}
    return {"request_id": request_id, **plain, **changes}


def upload(url: str, wav: bytes | None = None, **fields: str) -> Answer:
    """A new voice."""
    given = {
        "id": "anna",
        "prompt_text": "好的，没问题。",
        "licence": "CC0-1.0",
        "consent": "release form 7",
        **fields,
    }
    boundary = uuid.uuid4().hex
    parts = [(name, value.encode()) for name, value in given.items()]
    parts.append(("wav", prompt() if wav is None else wav))
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in parts
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return ask(f"{url}/v1/voices", body + f"--{boundary}--\r\n".encode(), headers)


def prompt(duration_s: float = 2.0, rate_hz: int = 24_000, gain: float = 0.3, pitch_hz: float = 140) -> bytes:
    """A recording of somebody who says one long vowel."""
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return write_wav((gain * np.sin(2 * np.pi * pitch_hz * time_s)).astype(np.float32), rate_hz, "pcm16")


def until(holds: Callable[[], bool], wait_s: float = 20.0) -> bool:
    """Whether it comes to hold."""
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


def is_ready(url: str) -> bool:
    return ask(f"{url}/health").status == 200

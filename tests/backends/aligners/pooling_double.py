"""vLLM's `POST /pooling` for Qwen3-ForcedAligner over real HTTP, as far as a client can tell the difference.

Requests are read as strictly as the server would: model, task, template, one text part with the model's marks, one
sound that decodes. Answers are logits in which the bins stand that the test asked for::

    with running_aligner(Script(bins=(1, 3, 4, 9))) as (address, asked):
        ...                          # one word per two bins; `asked` fills with what came in

`faults` are answered first, one per request, the greeting not counted.
"""

import base64
import io
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import numpy as np
import soundfile

MODEL = "Qwen/Qwen3-ForcedAligner-0.6B"
BINS = 5000
GREETING = ("hello", "world")
_PROMPT = re.compile(r"<\|audio_start\|><\|audio_pad\|><\|audio_end\|>((?:[^<]+<timestamp><timestamp>)+)")

Fault = Literal["500", "503", "400", "reset", "nan", "html", "float", "broken"]


@dataclass(frozen=True)
class Asked:
    """What the server understood of a request."""

    words: tuple[str, ...]
    sampling_rate: int
    num_samples: int


@dataclass
class Script:
    """What it answers."""

    model: str = MODEL
    bins: tuple[int, ...] = ()
    """Of every mark; none: word n from bin 3n + 1 to 3n + 3."""
    faults: list[Fault] = field(default_factory=list)
    trusts_templates: bool = True
    sent: list[bytes] = field(default_factory=list)
    """Bodies as they came, the greeting's first."""
    steps: bool = True
    """Started with STEP pooling: logits of marks only."""


@contextmanager
def running_aligner(script: Script) -> Iterator[tuple[str, list[Asked]]]:
    """A server on this machine: its address, and the requests that it got."""
    asked: list[Asked] = []
    connections: list[socket.socket] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script, asked, connections))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for connection in connections:  # kept alive by the client
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class RefusedError(Exception):
    """What vLLM answers 400 to."""


def understand(body: dict[str, object], script: Script) -> Asked:
    """Read a request, or refuse it in the server's words."""
    wanted = {
        "model": script.model,
        "task": "token_classify",
        "encoding_format": "base64",
        "embed_dtype": "float16",
    }
    for name, value in wanted.items():
        if body.get(name) != value:
            raise RefusedError(f"{name}: {body.get(name)!r}, wanted {value!r}")
    if not script.trusts_templates:
        raise RefusedError(
            "Chat template is passed with request, but --trust-request-chat-template is not set."
        )
    assert body["chat_template"] == "{{ messages[0]['content'] }}"
    assert (body["endianness"], body["use_activation"]) == ("little", False)
    (message,) = body["messages"]  # type: ignore[misc, attr-defined]
    text, sound = message["content"]
    prompt = _PROMPT.fullmatch(text["text"])
    if prompt is None:
        raise RefusedError(f"prompt: {text['text']!r}")
    words = tuple(re.findall(r"([^<]+)<timestamp><timestamp>", prompt.group(1)))
    head, content = sound["audio_url"]["url"].split(",")
    assert head == "data:audio/wav;base64"
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(content)))
    return Asked(words, rate, len(samples))


def logits_of(bins: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float16]]:
    """Noise with a peak at each bin."""
    logits = np.random.default_rng(0).normal(0, 1, (len(bins), BINS)).astype("<f2")
    logits[np.arange(len(bins)), list(bins)] = 12.0
    return logits


def _handler(
    script: Script, asked: list[Asked], connections: list[socket.socket]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.append(self.connection)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            self._answer(200 if self.path == "/v1/models" else 404, {"data": [{"id": script.model}]})

        def do_POST(self) -> None:
            script.sent.append(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.loads(script.sent[-1])
            if self.path != "/pooling":
                self._answer(404, {"error": {"message": "Not Found"}})
                return
            try:
                one = understand(body, script)
            except RefusedError as error:
                self._answer(400, {"error": {"message": str(error), "code": 400}})
                return
            greeting = one.words == GREETING
            if not greeting:
                asked.append(one)
            if script.faults and not greeting:
                self._fail(script.faults.pop(0), one)
            else:
                self._align(one)

        def _align(self, one: Asked) -> None:
            bins = script.bins if script.bins and one.words != GREETING else ()
            bins = bins or tuple(3 * (mark // 2) + 1 + 2 * (mark % 2) for mark in range(2 * len(one.words)))
            logits = logits_of(bins)
            if not script.steps:  # every token of the prompt has a row
                logits = np.concatenate([logits, logits[:1], logits])
            self._answer(200, {"data": [{"index": 0, "data": base64.b64encode(logits.tobytes()).decode()}]})

        def _fail(self, fault: Fault, one: Asked) -> None:
            match fault:
                case "500" | "503" | "400":
                    self._answer(int(fault), {"error": {"message": "no"}})
                case "reset":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                case "html":
                    self._send(200, b"<html>welcome</html>")
                case "float":
                    self._answer(200, {"data": [{"index": 0, "data": [[0.5] * 10]}]})
                case "broken":
                    self._answer(200, {"data": [{"index": 0, "data": "AAAA*"}]})
                case "nan":
                    logits = np.full((2 * len(one.words), BINS), np.nan, "<f2")
                    self._answer(200, {"data": [{"data": base64.b64encode(logits.tobytes()).decode()}]})

        def _answer(self, status: int, content: dict[str, object]) -> None:
            self._send(status, json.dumps(content).encode())

        def _send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler

"""What a client may send without costing anybody else: too much, nonsense, or nothing more because it is gone."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from pydantic import JsonValue

from pipeline.backends.cosyvoice.worker.messages import LONGEST_TEXT, MOST_IN_BATCH
from tests.backends.cosyvoice_worker.asking import ask, post, prompt, speak, until, upload, wish
from tests.backends.cosyvoice_worker.double import RunningWorker, running_worker

FORM = "multipart/form-data; boundary=x"


@pytest.fixture(scope="module")
def worker() -> Iterator[RunningWorker]:
    with running_worker() as running:
        yield running


def forget_peak(worker: RunningWorker) -> int:
    """Begin to measure its memory anew; what it holds now."""
    Path(f"/proc/{worker.pid}/clear_refs").write_text("5")
    return peak_mb(worker)


def peak_mb(worker: RunningWorker) -> int:
    """The most memory that the parent held."""
    lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM"))


def first_line(worker: RunningWorker, path: str, content_type: str, size: int | None, sent: int) -> str:
    """What is answered to `sent` bytes of a body that is announced as `size`, or sent in chunks."""
    host, port = worker.url.removeprefix("http://").split(":")
    announced = "Transfer-Encoding: chunked" if size is None else f"Content-Length: {size}"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n{announced}\r\n\r\n"
    part = b"a" * (1 << 20)
    piece = b"100000\r\n" + part + b"\r\n" if size is None else part
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode())
        try:
            for _ in range(sent >> 20):
                connection.sendall(piece)
        except OSError:
            pass  # refused while it was still being sent: the answer is what counts
        try:
            return connection.recv(4096).decode().partition("\r\n")[0]
        except OSError:
            return "closed"


@pytest.mark.parametrize(
    ("path", "content_type", "size"),
    [
        ("/v1/tts", "application/json", 300 << 20),
        ("/v1/tts", "application/json", None),
        ("/v1/tts/batch", "application/json", 300 << 20),
        ("/v1/voices", FORM, 300 << 20),
        ("/v1/voices", "application/json", None),
        ("/v1/sing", "application/json", 300 << 20),
    ],
)
def test_a_body_without_end_is_refused_and_never_held(
    worker: RunningWorker, path: str, content_type: str, size: int | None
) -> None:
    before = forget_peak(worker)
    said = first_line(worker, path, content_type, size, 96 << 20)
    assert said in ("HTTP/1.1 400 Bad Request", "closed")
    assert peak_mb(worker) - before < 80
    assert ask(f"{worker.url}/live").status == 200


def test_who_announces_too_much_is_told_before_sending_it(worker: RunningWorker) -> None:
    assert first_line(worker, "/v1/tts", "application/json", 300 << 20, 0) == "HTTP/1.1 400 Bad Request"


def test_a_body_that_is_too_large_is_named_with_its_limit(worker: RunningWorker) -> None:
    for answer, limit in (
        (post(f"{worker.url}/v1/tts", wish(instruction="x" * (1 << 20))), 1 << 20),
        (upload(worker.url, bytes(33 << 20)), 32 << 20),
    ):
        assert (answer.status, answer.error["code"]) == (400, "invalid_request")
        assert answer.error["retryable"] is False
        assert f"wanted {limit} bytes at most" in answer.error["message"]


def test_the_largest_batch_that_is_valid_fits(worker: RunningWorker) -> None:
    longest = {"spoken_text": "\U00020000" * LONGEST_TEXT, "instruction": "\U00020000" * 200}
    items: list[JsonValue] = [wish("\U00020000" * 128, **longest) for _ in range(MOST_IN_BATCH)]
    answer = post(f"{worker.url}/v1/tts/batch", {"items": items})
    assert answer.status == 200
    assert {item["status"] for item in answer.json["items"]} == {400}
    assert "split at clauses" in answer.json["items"][0]["error"]["message"]


def _of_chunks() -> bytes:
    """30 MB of chunks that hold nothing, each with a name of its own."""
    names = np.arange((30 << 20) // 8, dtype="<u8")
    return b"RIFF\0\0\0\0WAVE" + names.tobytes()


def _of_parts() -> bytes:
    """A form of half a million parts."""
    return b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 500_000 + b"--x--"


@pytest.mark.parametrize("what", ["chunks", "parts", "a long recording"])
def test_nothing_that_is_uploaded_stalls_the_others(worker: RunningWorker, what: str) -> None:
    recording = {"chunks": _of_chunks, "a long recording": lambda: prompt(200.0)}.get(what)
    answers = []

    def send() -> None:
        if recording is None:
            answers.append(ask(f"{worker.url}/v1/voices", _of_parts(), {"Content-Type": FORM}))
        else:
            answers.append(upload(worker.url, recording(), id="evil"))

    sender = threading.Thread(target=send)
    sender.start()
    slowest_s = 0.0
    while sender.is_alive():
        began = time.monotonic()
        assert ask(f"{worker.url}/live").status == 200
        slowest_s = max(slowest_s, time.monotonic() - began)
        time.sleep(0.01)
    assert [(answer.status, answer.error["code"]) for answer in answers] == [(400, "invalid_request")]
    assert slowest_s < 2.0


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": "\ud800"},
        {"request_id": "\ud800", "spoken_text": ""},
        {"spoken_text": "\ud800好的"},
        {"voice": "\ud800"},
        {"\ud800": 1},
    ],
)
def test_half_a_character_is_400(worker: RunningWorker, changes: dict[str, JsonValue]) -> None:
    content = {**wish("r"), **changes}
    alone = post(f"{worker.url}/v1/tts", content)
    assert (alone.status, alone.error["code"]) == (400, "invalid_request")
    batch = post(f"{worker.url}/v1/tts/batch", {"items": [content]})
    assert (batch.status, batch.json["items"][0]["status"]) == (200, 400)
    wanted = None if "request_id" in changes else "r"
    assert alone.error["request_id"] == batch.json["items"][0]["error"]["request_id"] == wanted


@pytest.mark.parametrize(
    "body", [b"[" * 900_000, b'{"items": [' + b"[" * 900_000, b"1" * 10_000, b'{"a": NaN}']
)
@pytest.mark.parametrize("path", ["/v1/tts", "/v1/tts/batch"])
def test_json_that_is_only_meant_to_hurt_is_400(worker: RunningWorker, path: str, body: bytes) -> None:
    answer = ask(f"{worker.url}{path}", body, {"Content-Type": "application/json"})
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")


@contextmanager
def _asking(
    worker: RunningWorker, request_id: str, path: str = "/v1/tts", **changes: JsonValue
) -> Iterator[None]:
    """A request whose client leaves at the end."""
    host, port = worker.url.removeprefix("http://").split(":")
    content = wish(request_id, **changes)
    body = json.dumps(content if path == "/v1/tts" else {"items": [content] * 8}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        yield


def state(worker: RunningWorker) -> tuple[int, list[str]]:
    health = ask(f"{worker.url}/health").json
    return health["waiting"], [engine["state"] for engine in health["engines"]]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v1/tts", "/v1/tts/batch"])
def test_who_is_gone_does_not_wait_in_the_queue(path: str) -> None:
    with running_worker(synthesis_s=1.0, arguments=("--queue", "2")) as worker:
        served = ask(f"{worker.url}/health").json["engines"][0]["served"]
        with _asking(worker, "first", path):
            assert until(lambda: state(worker)[1] == ["busy"])
            with _asking(worker, "a"), _asking(worker, "b"):
                assert until(lambda: state(worker)[0] == 2)
        assert until(lambda: state(worker)[0] == 0, wait_s=0.5)
        assert speak(worker.url, "last").status == 200
        # The one that an engine had begun is finished, for loading a model again costs more: no other is.
        assert ask(f"{worker.url}/health").json["engines"][0]["served"] == served + 2
        assert ask(f"{worker.url}/health").json["engines"][0]["restarts"] == 0


@pytest.mark.slow
def test_an_engine_that_is_stuck_for_somebody_who_is_gone_is_still_bound_by_the_deadline() -> None:
    with running_worker(script={"stuck": "stuck"}) as worker:
        with _asking(worker, "stuck", deadline_s=0.5):
            assert until(lambda: state(worker)[1] == ["busy"])
        assert until(lambda: ask(f"{worker.url}/health").status == 503)
        assert until(lambda: ask(f"{worker.url}/health").status == 200)
        assert speak(worker.url).status == 200

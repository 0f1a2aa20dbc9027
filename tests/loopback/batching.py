"""What becomes of batch files: a double of `vllm run-batch` and of OpenAI's Batch API, over the loopback server.

Every line is sent as the request that it is, so the server checks it as it checks all; answers are written in the
target's own form, in no order.
"""

import json
import random
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from pipeline.core.batch import BatchRequest

Form = Literal["vllm", "openai"]


def run_batch(
    url: str, files: Sequence[Path], out: Path, *, form: Form = "vllm", lose: float = 0.0, seed: int = 0
) -> list[Path]:
    """Answer the lines of some files into `out`; returns the files that came of it.

    A share `lose` is not answered: vLLM drops it (a killed run), OpenAI calls it expired.
    """
    rng = random.Random(seed)
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    rng.shuffle(lines)
    answers: list[JsonValue] = []
    errors: list[JsonValue] = []
    for line in lines:
        request = BatchRequest.from_line(line)
        if rng.random() < lose:
            expired: JsonValue = {
                "code": "batch_expired",
                "message": "not executed before the window expired.",
            }
            if form == "openai":
                errors.append({"id": "b", "custom_id": request.custom_id, "response": None, "error": expired})
            continue
        status, body = _post(url, request)
        result = _result(form, request.custom_id, status, body)
        (errors if form == "openai" and status >= 400 else answers).append(result)
    return [
        path
        for path, results in ((out, answers), (out.with_suffix(".errors.jsonl"), errors))
        if results and path.write_text("".join(json.dumps(one) + "\n" for one in results))
    ]


def _post(url: str, request: BatchRequest) -> tuple[int, JsonValue]:
    assert request.url == "/v1/chat/completions"
    http = urllib.request.Request(f"{url}/chat/completions", json.dumps(request.body).encode())
    try:
        with urllib.request.urlopen(http) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def _result(form: Form, custom_id: str, status: int, body: JsonValue) -> JsonValue:
    """As vLLM 0.33 writes it (`vllm/entrypoints/launchers/run_batch.py`), or as OpenAI documents it."""
    failed = status >= 400
    response: dict[str, JsonValue] = {"status_code": status, "request_id": "r"}
    if form == "openai" or not failed:
        response["body"] = body
    error = body if failed and form == "vllm" else None
    return {"id": "b", "custom_id": custom_id, "response": response, "error": error}

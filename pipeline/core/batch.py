"""Requests as lines of a batch file, and the lines that come back.

    {"custom_id": "en-12:place:3f09c1d2a4b5e6f7", "method": "POST", "url": "/v1/chat/completions", "body": {...}}

One form for `vllm run-batch` and OpenAI's Batch API (https://platform.openai.com/docs/guides/batch). What comes
back names its request by `custom_id`, in whatever order::

    {"custom_id": ..., "response": {"status_code": 200, "body": {<chat completion>}}, "error": null}      answered
    {"custom_id": ..., "response": {"status_code": 400, "body": {"error": {"message": ...}}}, ...}   OpenAI refused
    {"custom_id": ..., "response": {"status_code": 400}, "error": {"error": {"message": ...}}}         vLLM refused
    {"custom_id": ..., "response": null, "error": {"code": "batch_expired", "message": ...}}          OpenAI was late
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from pipeline.domain.chat import ChatRequest
from pipeline.domain.record import Record

MAX_LINES = 50_000
MAX_BYTES = 200_000_000
"""OpenAI's limits per file; vLLM has none."""
_DIGITS = 16
"""Of the fingerprint: 64 bits, so that among a billion requests two agree with a chance of 1 in 37; an id also
names dialogue and step, which would have to agree with them."""


class BatchRequest(Record):
    """One line of a batch file."""

    custom_id: str
    method: Literal["POST"] = "POST"
    url: Literal["/v1/chat/completions"] = "/v1/chat/completions"
    body: dict[str, JsonValue]


class _Input(BaseModel):
    """What every step's input begins with."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    dialogue_id: str


def custom_id_of(request: ChatRequest) -> str:
    """`<dialogue>:<step>:<first 16 digits of the request's fingerprint>`: unique, and a person can trace it."""
    dialogue_id = _Input.model_validate_json(request.input).dialogue_id
    return f"{dialogue_id}:{request.step}:{short(request.fingerprint())}"


def short(fingerprint: str) -> str:
    """The part of a fingerprint that ids carry.

    >>> short("0123456789abcdef0123")
    '0123456789abcdef'
    """
    return fingerprint[:_DIGITS]


def short_of(custom_id: str) -> str:
    """That part of an id.

    >>> short_of("en-12:place:3f09c1d2a4b5e6f7")
    '3f09c1d2a4b5e6f7'
    """
    return custom_id.rpartition(":")[2]


def cache_order(request: ChatRequest) -> tuple[str, ...]:
    """Sort by this for a server's prefix cache.

    Sorted texts are the prefix tree in depth-first order: requests with the longest common beginning (prompt
    version, language, the same dialogue's repair) follow each other, and each beginning is computed once.
    """
    return (request.prompt, *(message.content for message in request.messages), request.fingerprint())


def split_lines(
    lines: Iterable[str], max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES
) -> Iterator[tuple[str, ...]]:
    """Files' worth of lines, in order; `max_bytes` counts line ends. A line longer than that gets its own file.

    >>> [len(part) for part in split_lines(["a", "bb", "ccc"], max_lines=2)]
    [2, 1]
    """
    part: list[str] = []
    size = 0
    for line in lines:
        length = len(line.encode()) + 1
        if part and (len(part) == max_lines or size + length > max_bytes):
            yield tuple(part)
            part, size = [], 0
        part.append(line)
        size += length
    if part:
        yield tuple(part)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered: the body of a chat completion, as JSON, yet to be read."""

    custom_id: str
    completion: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that was not."""

    custom_id: str
    code: str
    """Of the server or of HTTP: `context_length_exceeded`, `batch_expired`, `400`."""
    message: str


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Response(_Part):
    status_code: int = 200
    body: JsonValue = None


class _Line(_Part):
    custom_id: str
    response: _Response | None = None
    error: JsonValue = None


def read_result(line: str | bytes) -> Answered | Failed:
    """One line of an output or error file. Raises pydantic.ValidationError for one that is neither."""
    read = _Line.model_validate_json(line)
    response = read.response or _Response(status_code=0)
    if read.response is not None and response.status_code < 400 and not read.error and response.body:
        return Answered(read.custom_id, json.dumps(response.body).encode())
    code, message = _explain(read.error or response.body)
    return Failed(read.custom_id, code or str(response.status_code or "no response"), message)


def _explain(error: JsonValue) -> tuple[str, str]:
    """(code, message), wherever a server puts them."""
    if isinstance(error, dict):
        inner = error.get("error")
        if isinstance(inner, dict | str):
            return _explain(inner)
        code, message = error.get("code"), error.get("message")
        return str(code or ""), str(message or "without a word")
    return "", str(error or "without a word")

"""From the exceptions of the package `openai` to ours.

    timeout, reset, 408, 409, 429, 5xx        → TransientBackendError   ask again
    429 without credit, 400, 401, 403, 404 …  → TerminalBackendError    stop the run
    one request too long or filtered (400)    → RecordError             refuse the dialogue

Messages never show a key: bodies of 401 and 403 are not quoted, because servers repeat (part of) the key in
them, and everything else is searched for the keys in use.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import openai
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.domain.errors import (
    BackendError,
    PipelineError,
    RecordError,
    TerminalBackendError,
    TransientBackendError,
)
from pipeline.domain.quarantine import Reason

_EXCERPT = 300
_OVERLOADED = frozenset({429, 503})
_TRANSIENT = frozenset({408, 409, *_OVERLOADED})
_ABOUT_THE_RECORD = frozenset({"context_length_exceeded", "content_filter", "content_policy_violation"})
_TOO_LONG = ("context length", "context window", "max_model_len")
_SAME_COMMAND = "what was written is kept, and the same command goes on"


class OverloadedError(TransientBackendError):
    """The server is there and has too much to do: 429 or 503."""


class _Body(BaseModel):
    """What servers say of an error. OpenAI wraps it in `error`, which the SDK has taken off."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    message: str = ""
    code: str | int | None = None


def translate(error: openai.OpenAIError, endpoint: str, step: str, secrets: tuple[str, ...]) -> PipelineError:
    """The exception to raise instead, for a request of one step to one endpoint."""
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, endpoint, step, secrets)
    if isinstance(error, openai.APIConnectionError):
        # The transport's own words: the SDK calls refused and dropped connections timeouts, too.
        cause = redact(str(error.__cause__ or error), secrets)
        return TransientBackendError(f"{endpoint}: connection failed: {cause}")
    return BackendError(f"{endpoint}: {type(error).__name__}: {redact(str(error), secrets)}")


def _of_status(
    error: openai.APIStatusError, endpoint: str, step: str, secrets: tuple[str, ...]
) -> PipelineError:
    status, body = error.status_code, _read_body(error)
    said = redact(body.message, secrets)
    who = f"{endpoint}: answered {status}"
    if status in (401, 403):
        return TerminalBackendError(
            f"{who} to a request of step {step!r}: it does not accept the key; remedy: set the endpoint's key in "
            f"the environment (OPENAI_API_KEY, or the variable that api_key_variable names); {_SAME_COMMAND}"
        )
    if status == 429 and body.code in ("insufficient_quota", "billing_hard_limit_reached"):
        return TerminalBackendError(f"{who}: no credit left: {said}; remedy: add some; {_SAME_COMMAND}")
    if status in _TRANSIENT or status >= 500:
        kind = OverloadedError if status in _OVERLOADED else TransientBackendError
        return kind(f"{who}: {said or 'without a word'}", retry_after_s(error.response.headers))
    if status in (400, 413) and is_about_the_record(body.code, body.message):
        return RecordError(Reason.NO_REPLY, f"{who} to step {step!r}: {said}")
    if status == 404:
        return TerminalBackendError(
            f"{who}: {said or 'not found'}; remedy: compare script.author.model with the models that it serves, "
            "and let base_url end where /chat/completions begins (mostly /v1)"
        )
    return TerminalBackendError(
        f"{who} to a request of step {step!r}: {said or 'without a word'}; remedy: a server that knows "
        "response_format json_schema, and a model that takes temperature, top_p and seed; "
        "`server` of the endpoint must say what it is"
    )


def _read_body(error: openai.APIStatusError) -> _Body:
    try:
        return _Body.model_validate(error.body)
    except ValidationError:
        text = error.body if isinstance(error.body, str) else json.dumps(error.body, default=repr)
        return _Body(message="" if error.body is None else text)


def is_about_the_record(code: str | int | None, message: str) -> bool:
    """Whether a server refuses this one request for good, by its error's code or words: too long, or filtered."""
    return code in _ABOUT_THE_RECORD or any(mark in message.lower() for mark in _TOO_LONG)


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """On one line, without keys, not longer than a person reads."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = " ".join(text.split())
    return text if len(text) <= _EXCERPT else text[:_EXCERPT] + " (and more)"


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """What the server wants to be left alone for: `Retry-After` in seconds or as a date, or `retry-after-ms`.

    >>> retry_after_s({"retry-after": "150"})
    150.0
    >>> retry_after_s({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, datetime(2015, 10, 21, 7, 27, tzinfo=UTC))
    60.0
    """
    for name, unit_s in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        try:
            wish_s = float(text) * unit_s
        except ValueError:
            continue
        return wish_s if 0 <= wish_s < math.inf else None
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())

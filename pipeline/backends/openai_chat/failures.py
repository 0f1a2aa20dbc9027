"""From the exceptions of the package `openai` to ours.

timeout, reset, 408, 409, 429, 5xx        → TransientBackendError   ask again
429 without credit, 400, 401, 403, 404 …  → TerminalBackendError    stop the run
one request too long or filtered (400)    → RecordError             refuse the dialogue
"""

import json

import openai
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.backends.server_errors import OVERLOADED, SAME_COMMAND, OverloadedError, redact, retry_after_s
from pipeline.domain.errors import (
    BackendError,
    PipelineError,
    RecordError,
    TerminalBackendError,
    TransientBackendError,
)
from pipeline.domain.quarantine import Reason

_TRANSIENT = frozenset({408, 409, *OVERLOADED})
_ABOUT_THE_RECORD = frozenset({"context_length_exceeded", "content_filter", "content_policy_violation"})
_TOO_LONG = ("context length", "context window", "max_model_len")


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
            f"the environment (OPENAI_API_KEY, or the variable that api_key_variable names); {SAME_COMMAND}"
        )
    if status == 429 and body.code in ("insufficient_quota", "billing_hard_limit_reached"):
        return TerminalBackendError(f"{who}: no credit left: {said}; remedy: add some; {SAME_COMMAND}")
    if status in _TRANSIENT or status >= 500:
        kind = OverloadedError if status in OVERLOADED else TransientBackendError
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

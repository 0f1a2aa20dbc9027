"""From statuses to our exceptions, for servers of any dialect.

401, 403, 3xx, 404, 429 without credit -> TerminalBackendError   nothing else will do either
400, 413, 422                          -> RecordError            this text cannot be said
429, 503                               -> OverloadedError        wait, the same request
408, 409, 502                          -> TransientBackendError  the same request again
504, other 5xx                         -> FailedTakeError        once more, then another seed
"""

import re

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from pipeline.backends.server_errors import OVERLOADED, SAME_COMMAND, OverloadedError, redact, retry_after_s
from pipeline.backends.speech_servers.pool import FailedTakeError
from pipeline.backends.speech_servers.transport import Answer
from pipeline.domain.errors import RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.quarantine import Reason
from pipeline.domain.takes import Flaw

_JSON = TypeAdapter[JsonValue](JsonValue)
_OF_THE_TEXT = frozenset({"", "input", "text", "tts_text", "spoken_text"})
_NOT_THE_TEXT = re.compile(
    r"\b(voice|speaker)\b.*\b(unknown|invalid|unsupported|not (found|supported|available))"
    r"|\b(unknown|invalid|unsupported|no such)\b.*\b(voice|speaker)\b"
    r"|forced-aligner|word_timestamps",
    re.IGNORECASE,
)
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


class Said(BaseModel):
    """What an error's body says, whatever it is wrapped in."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    code: str = ""
    message: str = ""
    param: str = ""
    """The field of the request that it is about."""
    details: dict[str, JsonValue] = {}

    @property
    def reason(self) -> str:
        """Why a take was no good, where the server judges its takes itself."""
        return _text(self.details.get("reason"))


def read_error(body: bytes, secrets: tuple[str, ...]) -> Said:
    """The error in a body: OpenAI's `error`, FastAPI's `detail` (text, object or list), or plain text.

    >>> read_error(b'{"error": {"code": "overloaded", "message": "later"}}', ()).code
    'overloaded'
    >>> read_error(b'{"detail": [{"loc": ["body", "input"], "msg": "Field required"}]}', ()).message
    'Field required'
    >>> read_error(b"<html>bad gateway</html>", ()).message
    '<html>bad gateway</html>'
    """
    try:
        content = _JSON.validate_json(body)
    except ValidationError:
        return Said(message=redact(body.decode("utf-8", "replace"), secrets))
    for name in ("error", "detail"):
        if isinstance(content, dict) and content.get(name):
            content = content[name]
            break
    if isinstance(content, list) and content:
        content = content[0]
    if not isinstance(content, dict):
        return Said(message=redact("" if content is None else str(content), secrets))
    details = content.get("details")
    return Said(
        code=_text(content.get("code")),
        message=redact(_text(content.get("message")) or _text(content.get("msg")), secrets),
        param=_text(content.get("param")) or _last(content.get("loc")),
        details=details if isinstance(details, dict) else {},
    )


def check_status(answer: Answer, what: str, secrets: tuple[str, ...], not_found: str) -> None:
    """Raise what a status means; return for 200. `not_found` is the remedy for a 404."""
    if answer.status == 200:
        return
    said = read_error(answer.body, secrets)
    who, words = f"{answer.who}: answered {answer.status} to {what}", said.message or "without a word"
    status = answer.status
    if status in (401, 403):
        raise TerminalBackendError(
            f"{who}: it does not accept the key; remedy: name the variable with its key in api_key_variable of the "
            f"endpoint, and set it; {SAME_COMMAND}"
        )
    if status == 429 and said.code in _NO_CREDIT:
        raise TerminalBackendError(f"{who}: no credit left: {words}; remedy: add some; {SAME_COMMAND}")
    if status in OVERLOADED:
        raise OverloadedError(f"{who}: {words}", retry_after_s(answer.headers))
    if status in (408, 409, 502):
        raise TransientBackendError(f"{who}: {words}", retry_after_s(answer.headers))
    if status == 504:
        raise FailedTakeError(Flaw.TIMED_OUT, f"{who}: {words}")
    if status >= 500:
        raise FailedTakeError(Flaw.ENGINE_FAILED, f"{who}: {words}")
    if status in (400, 413, 422) and _is_about_the_text(said):
        raise RecordError(Reason.UNSPEAKABLE_TEXT, f"{who}: {words}")
    about_us = status in (400, 404, 405, 413, 422)
    remedy = not_found if about_us else "look at what the server's documentation says of this status"
    raise TerminalBackendError(f"{who}: {words}; remedy: {remedy}; {SAME_COMMAND}")


def _is_about_the_text(said: Said) -> bool:
    """Whether a bad request is bad because of what shall be said; else no other text will do better."""
    return said.param in _OF_THE_TEXT and not _NOT_THE_TEXT.search(said.message)


def _last(value: JsonValue) -> str:
    """Of a path to a field, its name."""
    return _text(value[-1]) if isinstance(value, list) and value else ""


def _text(value: JsonValue) -> str:
    return "" if value is None else str(value)

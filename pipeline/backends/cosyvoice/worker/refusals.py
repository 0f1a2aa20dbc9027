"""Every answer that is not audio. The code decides the status and whether the same request may be sent again.

| status | code | what the client does |
|---|---|---|
| 400 | invalid_request | never retry |
| 404 | voice_not_found | never retry |
| 422 | bad_audio + reason | retry with another seed |
| 429 | overloaded | wait `Retry-After`, then the same request |
| 503 | loading, recycling | wait `Retry-After` |
| 504 | deadline | retry once |
| 500 | engine_error | retry once on another worker |
"""

from typing import Literal

from pydantic import JsonValue

Code = Literal[
    "invalid_request",
    "voice_not_found",
    "bad_audio",
    "overloaded",
    "loading",
    "recycling",
    "deadline",
    "engine_error",
]
STATUS: dict[str, int] = {
    "invalid_request": 400,
    "voice_not_found": 404,
    "bad_audio": 422,
    "overloaded": 429,
    "loading": 503,
    "recycling": 503,
    "deadline": 504,
    "engine_error": 500,
}
_FINAL = frozenset({"invalid_request", "voice_not_found"})


class RefusalError(Exception):
    """Raised anywhere, answered in one place."""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        retry_after_s: int | None = None,
        details: "dict[str, JsonValue] | None" = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_s = retry_after_s
        self.details: dict[str, JsonValue] = details or {}

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code]

    @property
    def headers(self) -> dict[str, str]:
        """`Retry-After`, where waiting helps."""
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}

    def body(self, request_id: str | None) -> dict[str, JsonValue]:
        """What is sent as JSON."""
        return {
            "error": {
                "code": self.code,
                "message": str(self).encode("utf-8", "replace").decode("utf-8"),
                "request_id": request_id if request_id is None or _is_text(request_id) else None,
                "retryable": self.code not in _FINAL,
                "details": self.details,
            }
        }


def _is_text(text: str) -> bool:
    """Whether it can be sent: JSON can write half a surrogate pair, which no encoding has."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def past_deadline(deadline_s: float, where: str) -> RefusalError:
    """What is said where the time ran out."""
    message = f"no audio within deadline_s = {deadline_s:g}; the time passed {where}"
    return RefusalError("deadline", message, details={"where": where})

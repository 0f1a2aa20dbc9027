import httpx2
import openai
import pytest
from pydantic import JsonValue

from pipeline.backends.openai_chat.failures import translate
from pipeline.backends.server_errors import OverloadedError
from pipeline.domain.errors import PipelineError, RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.quarantine import Reason

KEY = "sk-a-secret-key"
REQUEST = httpx2.Request("POST", "http://a/v1/chat/completions", headers={"Authorization": f"Bearer {KEY}"})


def of_status(
    status: int, message: str = "no", code: str | None = None, headers: dict[str, str] | None = None
) -> PipelineError:
    response = httpx2.Response(status, headers=headers, request=REQUEST)
    body: JsonValue = {"message": message, "code": code, "type": "x", "param": None}
    error = openai.APIStatusError("Error code", response=response, body=body)
    return translate(error, "http://a/v1", "place", (KEY,))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, TerminalBackendError),
        (401, None, TerminalBackendError),
        (403, None, TerminalBackendError),
        (404, None, TerminalBackendError),
        (422, None, TerminalBackendError),
        (429, "insufficient_quota", TerminalBackendError),
        (429, "rate_limit_exceeded", OverloadedError),
        (503, None, OverloadedError),
        (408, None, TransientBackendError),
        (409, None, TransientBackendError),
        (500, None, TransientBackendError),
        (502, None, TransientBackendError),
        (529, None, TransientBackendError),
        (400, "context_length_exceeded", RecordError),
        (400, "content_filter", RecordError),
    ],
)
def test_every_status_means_wait_stop_or_refuse(
    status: int, code: str | None, kind: type[PipelineError]
) -> None:
    error = of_status(status, code=code)
    assert type(error) is kind
    assert str(status) in str(error)
    assert "\n" not in str(error)


def test_a_dialogue_too_long_for_the_model_is_refused_and_no_reason_to_stop() -> None:
    error = of_status(400, "This model's maximum context length is 4096 tokens. However, ...")
    assert isinstance(error, RecordError)
    assert error.reason is Reason.NO_REPLY


@pytest.mark.parametrize("status", [401, 403])
def test_what_a_server_says_of_a_key_is_not_repeated(status: int) -> None:
    message = str(of_status(status, f"Incorrect API key provided: {KEY[:5]}***{KEY[-4:]}."))
    assert KEY[-4:] not in message
    assert "api_key_variable" in message


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_a_key_in_a_message_is_blotted_out(status: int) -> None:
    message = str(of_status(status, f"header 'Bearer {KEY}' is bad"))
    assert KEY not in message
    assert "Bearer ***" in message


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (openai.APITimeoutError(request=REQUEST), "connection failed: Request timed out."),
        (openai.APIConnectionError(request=REQUEST), "connection failed: Connection error."),
    ],
)
def test_connections_that_fail_are_worth_another_try(error: openai.OpenAIError, said: str) -> None:
    found = translate(error, "http://a/v1", "place", (KEY,))
    assert type(found) is TransientBackendError
    assert said in str(found)


def test_the_wish_comes_with_the_error() -> None:
    error = of_status(429, headers={"Retry-After": "150"})
    assert isinstance(error, TransientBackendError)
    assert error.retry_after_s == 150.0

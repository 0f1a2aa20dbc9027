import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backends.server_errors import OverloadedError
from pipeline.backends.speech_servers.refusals import check_status, read_error
from pipeline.backends.speech_servers.transport import Answer
from pipeline.domain.errors import BackendError, RecordError, TerminalBackendError
from pipeline.domain.quarantine import Reason


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"code": "overloaded", "message": "later"}}, "overloaded", "later"),
        ({"error": {"code": 400, "message": "bad"}}, "400", "bad"),
        ({"error": "out of memory"}, "", "out of memory"),
        ({"detail": "Not Found"}, "", "Not Found"),
        ({"detail": {"error": "validation_error", "message": "voice"}}, "", "voice"),
        ({"detail": [{"loc": ["body"], "msg": "Field required", "type": "missing"}]}, "", "Field required"),
        ({"message": "no", "code": None}, "", "no"),
        ({}, "", ""),
        ([], "", "[]"),
        (None, "", ""),
        ("plain", "", "plain"),
    ],
)
def test_an_error_is_found_in_whatever_it_is_wrapped(body: object, code: str, message: str) -> None:
    said = read_error(json.dumps(body).encode(), ())
    assert (said.code, said.message) == (code, message)


def test_an_error_that_is_no_json_is_shown_as_it_is_on_one_line() -> None:
    assert read_error(b"<html>\n bad  gateway</html>", ()).message == "<html> bad gateway</html>"
    assert read_error(b"\xff\xfe", ()).message


def test_why_a_take_was_no_good_is_in_the_details() -> None:
    body = {"error": {"code": "bad_audio", "message": "x", "details": {"reason": "nan", "num_broken": 3}}}
    said = read_error(json.dumps(body).encode(), ())
    assert said.reason == "nan"
    assert said.details["num_broken"] == 3


@given(st.binary(max_size=60))
def test_no_body_whatever_breaks_the_reader(body: bytes) -> None:
    assert read_error(body, ()).code is not None


def answer(status: int, code: str = "", **headers: str) -> Answer:
    body = json.dumps({"error": {"code": code, "message": "because of a-key"}}).encode()
    return Answer(
        "http://a", status, {name.replace("_", "-"): value for name, value in headers.items()}, body
    )


def check(found: Answer) -> None:
    check_status(found, "voice 'x'", ("a-key",), "another voice")


def test_success_says_nothing() -> None:
    check(answer(200))


def test_a_text_that_cannot_be_said_is_about_the_record() -> None:
    with pytest.raises(RecordError) as caught:
        check(answer(400))
    assert caught.value.reason is Reason.UNSPEAKABLE_TEXT


@pytest.mark.parametrize(
    "error",
    [
        {"message": "nope", "param": "voice"},
        {"message": "Voice 'x' not found. Available voices: af_heart", "error": "validation_error"},
        {"message": "must be a data URL", "param": "ref_audio", "code": 400},
        {"message": "word_timestamps requires --forced-aligner"},
        {"message": "Invalid speaker 'x'. Supported: vivian, ryan"},
        {"msg": "Input should be 'alloy' or 'ash'", "loc": ["body", "voice"]},
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_bad_request_because_of_voice_or_settings_is_no_fault_of_the_text(
    error: dict[str, object], status: int
) -> None:
    body = json.dumps({"detail": [error]} if "loc" in error else {"error": error}).encode()
    with pytest.raises(TerminalBackendError, match="remedy: another voice"):
        check(Answer("http://a", status, {}, body))


@pytest.mark.parametrize(
    "message",
    ["input is too long", "ref_audio and voice are fine, the input is empty", "content policy violation"],
)
def test_any_other_bad_request_is_about_its_text(message: str) -> None:
    with pytest.raises(RecordError):
        check(Answer("http://a", 400, {}, json.dumps({"error": {"message": message}}).encode()))


def test_the_servers_wish_comes_with_the_error() -> None:
    with pytest.raises(OverloadedError) as caught:
        check(answer(503, retry_after="7"))
    assert caught.value.retry_after_s == 7.0


def test_no_credit_is_not_waited_for() -> None:
    with pytest.raises(TerminalBackendError, match="no credit"):
        check(answer(429, "insufficient_quota"))


def test_what_a_server_says_of_a_key_is_not_repeated() -> None:
    with pytest.raises(TerminalBackendError, match="api_key_variable") as caught:
        check(answer(401))
    assert "because" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 404, 418, 429, 500, 502, 503, 504])
def test_every_message_is_one_line_that_names_the_server_and_no_key(status: int) -> None:
    with pytest.raises((BackendError, RecordError), match="http://a") as caught:
        check(answer(status))
    assert "a-key" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(status) in str(caught.value)

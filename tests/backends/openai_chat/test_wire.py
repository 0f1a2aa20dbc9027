import json

import pytest
from pydantic import JsonValue

from pipeline.backends.openai_chat.wire import ServerKind, body_of, reply_of
from pipeline.domain.chat import ChatReply, Served
from pipeline.domain.errors import TransientBackendError
from tests.backends.openai_chat.asking import MODEL, request_of
from tests.loopback.requests import Completion

SERVED = Served(endpoint="http://a/v1", latency_s=0.5, retries=1)


def read(message: JsonValue, finish_reason: str | None = "stop", usage: JsonValue = None) -> ChatReply:
    body = {
        "id": "x",
        "model": "served-name",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": usage,
        "new_field": 1,
    }
    return reply_of(json.dumps(body).encode(), MODEL, "http://a/v1", SERVED)


def test_a_request_says_everything_that_a_server_would_fill_in_by_itself() -> None:
    body = body_of(request_of(7), MODEL, "other")
    assert set(body) == {
        *("model", "messages", "response_format"),
        *("temperature", "top_p", "max_completion_tokens", "seed"),
    }
    sent = Completion.model_validate_json(json.dumps(body))
    assert (sent.temperature, sent.top_p, sent.max_completion_tokens, sent.seed) == (0.8, 0.9, 100, 7)
    assert sent.step == "place"
    assert sent.response_format is not None
    assert sent.response_format.json_schema.strict


@pytest.mark.parametrize(("kind", "told"), [("vllm", True), ("openai", False), ("other", False)])
def test_thinking_is_switched_off_where_the_server_is_known_to_understand(kind: str, told: bool) -> None:
    body = body_of(request_of(), MODEL, kind)  # type: ignore[arg-type] # a plain string from the table
    assert (body.get("chat_template_kwargs") == {"enable_thinking": False}) is told


@pytest.mark.parametrize(("kind", "key"), [("vllm", None), ("openai", "script/place.v1"), ("other", None)])
def test_only_openai_is_told_which_requests_share_a_beginning(kind: ServerKind, key: str | None) -> None:
    assert body_of(request_of(), MODEL, kind).get("prompt_cache_key") == key


def test_the_seed_dialogue_that_offline_authors_read_is_not_sent() -> None:
    request = request_of().model_copy(update={"input": "the-input-record"})
    assert "the-input-record" not in json.dumps(body_of(request, MODEL, "vllm"))


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"content": '{"a": 1}'}, '{"a": 1}'),
        ({"content": '{"a": 1}', "reasoning": "hm"}, '{"a": 1}'),
        ({"content": None, "reasoning": '{"a": 1}'}, '{"a": 1}'),
        ({"content": " \n", "reasoning_content": '{"a": 1}'}, '{"a": 1}'),
        ({"content": None, "refusal": "I will not."}, "I will not."),
        ({"content": None}, ""),
        ({"role": "assistant"}, ""),
    ],
)
def test_the_answer_is_found_where_servers_put_it(message: JsonValue, content: str) -> None:
    assert read(message).content == content


@pytest.mark.parametrize(
    ("finish_reason", "message", "wanted"),
    [
        ("stop", {"content": "{}"}, "stop"),
        ("length", {"content": "{"}, "length"),
        ("content_filter", {"content": ""}, "content_filter"),
        ("stop", {"refusal": "no"}, "content_filter"),
        ("tool_calls", {"content": "{}"}, "stop"),
    ],
)
def test_a_reply_says_why_it_ended(finish_reason: str, message: JsonValue, wanted: str) -> None:
    assert read(message, finish_reason).finish_reason == wanted


def test_tokens_model_and_service_are_kept() -> None:
    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 5,
        "total_tokens": 35,
        "prompt_tokens_details": {"cached_tokens": 16, "cache_write_tokens": 12},
    }
    reply = read({"content": "{}"}, usage=usage)
    assert (reply.prompt_tokens, reply.cached_tokens, reply.completion_tokens) == (30, 16, 5)
    assert reply.cache_write_tokens == 12
    assert (reply.model, reply.served, reply.frames) == ("served-name", SERVED, ())


@pytest.mark.parametrize("details", [None, {}, {"cached_tokens": None}])
def test_a_server_that_reports_no_cache_has_cached_nothing(details: JsonValue) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 5, "prompt_tokens_details": details}
    assert read({"content": "{}"}, usage=usage).cached_tokens == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": 3}]}',
        b'{"choices": [{"mess',
    ],
)
def test_a_body_that_is_no_completion_is_worth_another_try(body: bytes) -> None:
    with pytest.raises(TransientBackendError, match="http://a/v1: answered with no chat completion"):
        reply_of(body, MODEL, "http://a/v1", SERVED)


@pytest.mark.parametrize("reason", [None, "abort", "error"])
def test_a_reply_that_the_server_broke_off_is_worth_another_try(reason: str | None) -> None:
    with pytest.raises(TransientBackendError, match="broke its reply off"):
        read({"content": "{"}, reason)

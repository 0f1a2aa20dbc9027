import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from pipeline.core.batch import (
    Answered,
    BatchRequest,
    Failed,
    cache_order,
    custom_id_of,
    read_result,
    short,
    short_of,
    split_lines,
)
from pipeline.domain.chat import ChatMessage, ChatRequest
from tests.backends.openai_chat.asking import request_of


def asked(
    dialogue_id: str, system: str = "Rules.", user: str = "Where?", prompt: str = "p.v1"
) -> ChatRequest:
    messages = (ChatMessage(role="system", content=system), ChatMessage(role="user", content=user))
    return request_of().model_copy(
        update={"input": json.dumps({"dialogue_id": dialogue_id}), "messages": messages, "prompt": prompt}
    )


def test_an_id_names_dialogue_step_and_request() -> None:
    request = asked("en-12")
    assert custom_id_of(request) == f"en-12:place:{request.fingerprint()[:16]}"
    assert short_of(custom_id_of(request)) == short(request.fingerprint())


def test_a_repair_of_the_same_step_has_another_id() -> None:
    assert custom_id_of(asked("en-1", user="Where?")) != custom_id_of(asked("en-1", user="Where? Mend it."))


def test_a_line_is_what_both_targets_read() -> None:
    line = json.loads(BatchRequest(custom_id="a:b:c", body={"model": "m"}).to_line())
    assert line == {
        "custom_id": "a:b:c",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m"},
    }


@given(st.lists(st.text("ab\u5b57", max_size=12)), st.integers(1, 5), st.integers(1, 30))
def test_files_hold_every_line_once_in_order_and_within_both_limits(
    lines: list[str], max_lines: int, max_bytes: int
) -> None:
    parts = list(split_lines(lines, max_lines, max_bytes))
    assert [line for part in parts for line in part] == lines
    for part in parts:
        assert 1 <= len(part) <= max_lines
        assert len(part) == 1 or sum(len(line.encode()) + 1 for line in part) <= max_bytes


def test_prompts_with_a_common_beginning_follow_each_other() -> None:
    heads = ("English rules.", "Chinese rules.")
    requests = [
        asked(f"d{number}", system=heads[number % 2], user=f"{'go' if number % 3 else 'say'} {number}")
        for number in range(24)
    ]
    ordered = sorted(requests, key=cache_order)
    systems = [one.messages[0].content for one in ordered]
    assert sum(before != after for before, after in pairwise(systems)) == 1
    assert ordered == sorted(sorted(requests, key=custom_id_of), key=cache_order), (
        "whatever order they came in"
    )


COMPLETION: JsonValue = {"choices": [{"message": {"content": "{}"}}]}
OPENAI_REFUSED: JsonValue = {
    "id": "batch_req_1",
    "custom_id": "a",
    "response": {
        "status_code": 400,
        "request_id": "r",
        "body": {
            "error": {"message": "too long", "code": "context_length_exceeded", "type": "x", "param": None}
        },
    },
    "error": None,
}
VLLM_REFUSED: JsonValue = {
    "id": "vllm-1",
    "custom_id": "a",
    "response": {"status_code": 400, "request_id": "r", "body": None},
    "error": {"error": {"message": "too long", "type": "BadRequestError", "param": None, "code": 400}},
}
EXPIRED: JsonValue = {
    "id": "batch_req_1",
    "custom_id": "a",
    "response": None,
    "error": {"code": "batch_expired", "message": "late"},
}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            {
                "custom_id": "a",
                "response": {"status_code": 200, "request_id": "r", "body": COMPLETION},
                "error": None,
            },
            Answered("a", json.dumps(COMPLETION).encode()),
        ),
        (
            {"custom_id": "a", "response": {"body": COMPLETION}},
            Answered("a", json.dumps(COMPLETION).encode()),
        ),
        (OPENAI_REFUSED, Failed("a", "context_length_exceeded", "too long")),
        (VLLM_REFUSED, Failed("a", "400", "too long")),
        (EXPIRED, Failed("a", "batch_expired", "late")),
        (
            {"custom_id": "a", "response": {"status_code": 400}, "error": "The URL is not supported."},
            Failed("a", "400", "The URL is not supported."),
        ),
        (
            {"custom_id": "a", "response": {"status_code": 503, "body": None}},
            Failed("a", "503", "without a word"),
        ),
        ({"custom_id": "a", "response": None, "error": None}, Failed("a", "no response", "without a word")),
    ],
    ids=["answer", "bare answer", "openai", "vllm", "expired", "vllm in words", "silent", "nothing"],
)
def test_a_result_is_read_in_the_forms_of_both_targets(line: JsonValue, wanted: Answered | Failed) -> None:
    assert read_result(json.dumps(line)) == wanted


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "{}", '{"custom_id": 3}', '{"custom_id": "a", "response": 7}']
)
def test_a_line_that_is_no_result_is_refused(line: str) -> None:
    with pytest.raises(ValidationError):
        read_result(line)

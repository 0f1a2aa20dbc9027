"""The contract test server itself: it accepts what the protocol allows and nothing else."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from pipeline.backends.openai_chat.wire import body_of
from pipeline.core.prompting import schema_text
from pipeline.core.scripting.steps import Adapted, Placement, Written
from pipeline.domain.record import Record
from tests.backends.openai_chat.asking import MODEL, request_of
from tests.loopback import Fault, FaultPlan, LoopbackServer
from tests.loopback.answers import nonsense
from tests.loopback.faults import TEXT, damage


def post(url: str, body: JsonValue) -> tuple[int, dict[str, JsonValue]]:
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def valid() -> dict[str, JsonValue]:
    return body_of(request_of(), MODEL, "vllm")


def with_schema(**changes: JsonValue) -> dict[str, JsonValue]:
    schema: dict[str, JsonValue] = {**json.loads(schema_text(Placement)), **changes}
    json_schema: dict[str, JsonValue] = {"name": "place", "strict": True, "schema": schema}
    return {**valid(), "response_format": {"type": "json_schema", "json_schema": json_schema}}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (valid(), 200, ""),
        ({**valid(), "guided_json": {}}, 400, "guided_json"),
        ({**valid(), "guided_regex": "a"}, 400, "guided_regex"),
        ({**valid(), "temperature": 3}, 400, "temperature"),
        ({**valid(), "max_completion_tokens": 0}, 400, "max_completion_tokens"),
        ({**valid(), "messages": []}, 400, "messages"),
        ({**valid(), "messages": [{"role": "user", "content": "a"}] * 2}, 400, "alternate"),
        ({**valid(), "response_format": {"type": "json"}}, 400, "response_format"),
        (with_schema(additionalProperties=True), 400, "additionalProperties"),
        (with_schema(required=["quote"]), 400, "required"),
        (with_schema(type="thing"), 400, "compile"),
        ({**valid(), "model": "another"}, 404, "does not exist"),
        ({**valid(), "max_completion_tokens": 10**6}, 400, "maximum context length"),
    ],
)
def test_a_request_outside_the_protocol_is_refused_with_its_field(
    body: dict[str, JsonValue], status: int, said: str
) -> None:
    with LoopbackServer() as server:
        got, answer = post(server.base_url, body)
    assert got == status
    assert said in json.dumps(answer)
    assert [exchange.status for exchange in server.exchanges] == [status]


@pytest.mark.parametrize("kind", [Adapted, Placement, Written])
@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=15)
def test_nonsense_fits_the_schema(kind: type[Record], seed: int) -> None:
    schema = json.loads(schema_text(kind))
    text = nonsense(schema, seed)
    assert json.loads(text).keys() == schema["properties"].keys()
    assert text == nonsense(schema, seed)


@pytest.mark.parametrize("fault", TEXT)
@pytest.mark.parametrize("chinese", [False, True])
def test_a_damaged_answer_is_another_one(fault: Fault, chinese: bool) -> None:
    content = Placement(quote="the ferry leaves", why="a pause").to_line()
    assert damage(content, fault, chinese) != content


def test_faults_come_at_their_rates_and_are_the_same_again() -> None:
    plan = FaultPlan({Fault.RESET: 0.1}, seed=1)
    struck = [plan.strikes(Fault.RESET, str(number), 0) for number in range(4000)]
    assert 0.08 < sum(struck) / len(struck) < 0.12
    assert struck == [
        FaultPlan({Fault.RESET: 0.1}, seed=1).strikes(Fault.RESET, str(n), 0) for n in range(4000)
    ]
    assert not any(plan.strikes(Fault.SLOW, str(number), 0) for number in range(100))


def test_a_server_that_was_stopped_refuses_connections() -> None:
    with LoopbackServer() as server:
        server.stop()
        with pytest.raises(urllib.error.URLError):
            post(server.base_url, valid())


def test_servers_answer_several_at_once() -> None:
    faults = FaultPlan({Fault.SLOW: 1.0})

    async def ask(url: str) -> None:
        await asyncio.gather(*(asyncio.to_thread(post, url, valid()) for _ in range(4)))

    with LoopbackServer(faults, slow_s=0.1) as server:
        asyncio.run(ask(server.base_url))
    assert server.most_at_once > 1

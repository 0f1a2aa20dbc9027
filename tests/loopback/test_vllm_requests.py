"""Our requests, as vLLM's own request class reads them. No engine runs: `pytest -m vllm`.

`pip download --no-deps vllm` and `VLLM_WHEEL=<the wheel>` are enough; nothing of it is installed.
"""

import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel, JsonValue

from pipeline.backends.openai_chat.wire import body_of, reply_of
from pipeline.core.batch import Answered, BatchRequest, Failed, read_result
from pipeline.core.prompting import Sampling, build_request, repair_request
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.labels import Language
from pipeline.domain.record import Record
from pipeline.io.prompts import load_prompts

MODEL = "any/model"
SAMPLING = Sampling(temperature=0.7, top_p=0.9, max_completion_tokens=321)
WHEEL = os.environ.get("VLLM_WHEEL")

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        WHEEL is None and importlib.util.find_spec("vllm") is None,
        reason="no vLLM: set VLLM_WHEEL to a wheel of it, or to a directory that one was unpacked into",
    ),
]


class Verdict(BaseModel):
    accepted: bool
    error: str = ""
    ignored: list[str] = []
    """Fields that vLLM does not know: it goes on without them, and says so in its debug log alone."""
    schema_: JsonValue = None
    messages: list[tuple[str, str]] = []
    fields: dict[str, JsonValue] = {}


def ask_vllm(*bodies: dict[str, JsonValue]) -> list[Verdict]:
    """What vLLM makes of some requests as lines of a batch file, in a process of its own."""
    return _ask(*bodies)[1]


class Opening(BaseModel):
    """What vLLM says first."""

    version: str
    results: tuple[str, str]
    """An answer and a refusal, as `vllm run-batch` writes them."""


def _ask(*bodies: dict[str, JsonValue]) -> tuple[Opening, list[Verdict]]:
    script = Path(__file__).with_name("vllm_request_class.py")
    lines = "".join(
        BatchRequest(custom_id=f"d:s:{n}", body=body).to_line() + "\n" for n, body in enumerate(bodies)
    )
    done = subprocess.run(
        [sys.executable, str(script), *([WHEEL] if WHEEL else [])],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    opening, *verdicts = done.stdout.splitlines()
    return Opening.model_validate_json(opening), [
        Verdict.model_validate_json(line.replace('"schema"', '"schema_"', 1)) for line in verdicts
    ]


@cache
def all_requests() -> tuple[ChatRequest, ...]:
    """Every prompt with every example of its own, and each asked again after a reply that was no use."""
    library = load_prompts()
    requests: list[ChatRequest] = []
    for prompt in library.list():
        for number, example in enumerate(prompt.front.examples):
            rendered = library.render(prompt.front.name, example.language, example.input)
            record: Record = prompt.input.model_validate_json(json.dumps(example.input))
            request = build_request(
                step=prompt.front.step,
                prompt=rendered.reference,
                prompt_sha256=rendered.sha256,
                system=rendered.system,
                user=rendered.user,
                record=record,
                output=prompt.output,
                seed=number + 2**31 - 10,
                sampling=SAMPLING,
            )
            useless = ChatReply(
                model=MODEL,
                content="<|im_start|>",
                finish_reason="stop",
                prompt_tokens=1,
                cached_tokens=0,
                completion_tokens=1,
                frames=(),
            )
            requests += [request, repair_request(request, useless, "not JSON", Language(example.language), 7)]
    return tuple(requests)


def test_every_request_of_every_prompt_arrives_whole_and_nothing_of_it_is_ignored() -> None:
    requests = all_requests()
    verdicts = ask_vllm(*(body_of(request, MODEL, "vllm") for request in requests))
    assert len(verdicts) == len(requests) >= 12
    for request, verdict in zip(requests, verdicts, strict=True):
        assert verdict.accepted, f"{request.prompt}: {verdict.error}"
        assert verdict.ignored == []
        assert verdict.schema_ == json.loads(request.response_schema), "the grammar that it decodes by"
        assert verdict.messages == [(message.role, message.content) for message in request.messages]
        assert verdict.fields == {
            "model": MODEL,
            "temperature": 0.7,
            "top_p": 0.9,
            "seed": request.seed,
            "max_completion_tokens": 321,
            "chat_template_kwargs": {"enable_thinking": False},
        }


REFUSED: dict[str, dict[str, JsonValue]] = {
    "temperature": {"temperature": "hot"},
    "messages": {"messages": [{"role": "user", "content": 3}]},
    "response_format": {"response_format": {"type": "json_schema"}},
    "seed": {"seed": 2**70},
}


def test_it_is_a_class_that_refuses() -> None:
    valid = body_of(all_requests()[0], MODEL, "vllm")
    for said, verdict in zip(
        REFUSED, ask_vllm(*({**valid, **changes} for changes in REFUSED.values())), strict=True
    ):
        assert not verdict.accepted
        assert said in verdict.error


def test_fields_that_it_does_not_know_are_ignored_without_an_error_so_none_may_be_sent() -> None:
    valid = body_of(all_requests()[0], MODEL, "vllm")
    removed, openais = ask_vllm(
        {**valid, "guided_json": {"type": "object"}}, body_of(all_requests()[0], MODEL, "openai")
    )
    assert (removed.accepted, removed.ignored) == (True, ["guided_json"])
    assert openais.ignored == ["prompt_cache_key"]


def test_what_run_batch_writes_is_what_collect_reads(capsys: pytest.CaptureFixture[str]) -> None:
    opening, _ = _ask()
    answered, failed = map(read_result, opening.results)
    assert isinstance(answered, Answered)
    reply = reply_of(answered.completion, "m", "a line", served=None)
    assert (reply.content, reply.prompt_tokens, reply.finish_reason) == ("{}", 30, "stop")
    assert failed == Failed("d:place:0123456789abcdef", "400", "too long")
    with capsys.disabled():
        print(f"[vLLM {opening.version}]", end=" ")

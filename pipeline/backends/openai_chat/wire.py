"""What goes over the wire and what comes back, as OpenAI documents it and vLLM, llama.cpp and others speak it."""

import json
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from pipeline.domain.chat import ChatReply, ChatRequest, Served
from pipeline.domain.errors import TransientBackendError

ServerKind = Literal["vllm", "openai", "other"]


def body_of(request: ChatRequest, model: str, server: ServerKind) -> dict[str, JsonValue]:
    """The body of `POST /chat/completions`.

    Sampling is always sent: a server fills what is missing from the model's own defaults. Only a server that is
    declared as vLLM is told to switch thinking off: it is the one that knows `chat_template_kwargs`, and others
    refuse unknown fields. Only OpenAI is told which requests share their beginning: it sends equal
    `prompt_cache_key`s to machines that may have it cached, where the rest find that out by themselves.
    """
    body: dict[str, JsonValue] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": request.step, "strict": True, "schema": _schema(request.response_schema)},
        },
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_completion_tokens": request.max_completion_tokens,
        "seed": request.seed,
    }
    if server == "vllm":
        body["chat_template_kwargs"] = {"enable_thinking": False}
    if server == "openai":
        body["prompt_cache_key"] = request.prompt
    return body


@lru_cache(maxsize=64)
def _schema(text: str) -> JsonValue:
    """A run has a handful of schemas and asks thousands of times."""
    schema: JsonValue = json.loads(text)
    return schema


class _Wire(BaseModel):
    """Part of a completion: fields that nobody here needs are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Message(_Wire):
    content: str | None = None
    reasoning: str | None = None
    """Where some versions of vLLM put the JSON (vllm-project/vllm #50948)."""
    reasoning_content: str | None = None
    """The same field by its older name."""
    refusal: str | None = None


class _Choice(_Wire):
    message: _Message
    finish_reason: str | None = None


class _PromptDetails(_Wire):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    """Where writing into the cache has a price of its own."""


class _Usage(_Wire):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None


class _Completion(_Wire):
    model: str = ""
    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: _Usage | None = None


def reply_of(content: bytes, model: str, who: str, served: Served | None) -> ChatReply:
    """The reply that a body spells; `model` is the one that was asked, `who` answered: a server, a file's line.

    Raises TransientBackendError for a body that is no completion, and for one that the server broke off.
    """
    try:
        completion = _Completion.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the body"
        raise TransientBackendError(
            f"{who}: answered with no chat completion: {where}: {problem['msg']}"
        ) from None
    choice, usage = completion.choices[0], completion.usage or _Usage()
    details = usage.prompt_tokens_details or _PromptDetails()
    return ChatReply(
        model=completion.model or model,
        content=_text(choice.message),
        finish_reason=_finish_reason(choice, who),
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=details.cached_tokens or 0,
        cache_write_tokens=details.cache_write_tokens or 0,
        completion_tokens=usage.completion_tokens,
        frames=(),
        served=served,
    )


def _text(message: _Message) -> str:
    """The answer: `content`, else what a thinking model's parser took for reasoning."""
    candidates = (message.content, message.reasoning, message.reasoning_content, message.refusal)
    return next((text for text in candidates if text and text.strip()), "")


def _finish_reason(choice: _Choice, who: str) -> Literal["stop", "length", "content_filter"]:
    reason = choice.finish_reason
    if choice.message.refusal or reason == "content_filter":
        return "content_filter"
    if reason == "length":
        return "length"
    if reason in (None, "abort", "error"):
        raise TransientBackendError(f"{who}: broke its reply off (finish_reason {reason!r}, wanted 'stop')")
    return "stop"  # also `tool_calls` and the like: whether the text is an answer shows when it is parsed

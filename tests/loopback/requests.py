"""What a server accepts: the request of `POST /v1/chat/completions`, with the errors of vLLM."""

import json
from functools import cache
from itertools import pairwise
from typing import Literal

from llguidance import LLMatcher
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

Dialect = Literal["vllm", "openai"]


class RefusedError(Exception):
    """The request is answered with an error."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Message(_Part):
    role: Literal["system", "user", "assistant"]
    content: str


class JsonSchema(_Part):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    strict: Literal[True]
    json_schema: dict[str, JsonValue] = Field(alias="schema")


class ResponseFormat(_Part):
    type: Literal["json_schema"]
    json_schema: JsonSchema

    @model_validator(mode="after")
    def _compiles(self) -> "ResponseFormat":
        _check_strict(self.json_schema.json_schema, "schema")
        problem = _compile(json.dumps(self.json_schema.json_schema))
        if problem:
            raise ValueError(f"the schema does not compile: {problem}")
        return self


class ChatTemplate(_Part):
    enable_thinking: bool


class Completion(_Part):
    """Fields that we may send; `extra="forbid"` stands for servers that refuse removed ones like guided_json."""

    model: str
    messages: tuple[Message, ...] = Field(min_length=1)
    max_completion_tokens: int = Field(gt=0)
    response_format: ResponseFormat | None = None
    temperature: float = Field(default=1.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0
    chat_template_kwargs: ChatTemplate | None = None
    prompt_cache_key: str | None = None

    @model_validator(mode="after")
    def _alternates(self) -> "Completion":
        roles = [message.role for message in self.messages if message.role != "system"]
        if any(before == after for before, after in pairwise(roles)):
            raise ValueError("conversation roles must alternate user/assistant/user/assistant/...")
        return self

    @property
    def step(self) -> str | None:
        return self.response_format.json_schema.name if self.response_format else None

    @property
    def prompt_tokens(self) -> int:
        """About as many as a model would count."""
        return sum(len(message.content.encode()) for message in self.messages) // 4


def read_request(body: bytes, dialect: Dialect, model: str, max_model_len: int) -> Completion:
    """The request, or RefusedError as a server would answer."""
    try:
        request = Completion.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise RefusedError(400, f"{first['msg']}: {where}") from error
    if dialect == "openai" and request.chat_template_kwargs is not None:
        raise RefusedError(400, "Unknown parameter: 'chat_template_kwargs'.", "unknown_parameter")
    if dialect == "vllm" and request.prompt_cache_key is not None:
        raise RefusedError(400, "Extra inputs are not permitted: prompt_cache_key")
    if request.model != model:
        raise RefusedError(404, f"The model `{request.model}` does not exist.", "model_not_found")
    if request.prompt_tokens + request.max_completion_tokens > max_model_len:
        raise RefusedError(
            400,
            f"This model's maximum context length is {max_model_len} tokens. However, you requested "
            f"{request.max_completion_tokens} output tokens and your prompt contains {request.prompt_tokens}.",
        )
    return request


@cache
def _compile(schema: str) -> str:
    """What the grammar engine has against a schema; empty if nothing."""
    return LLMatcher.validate_grammar(grammar_of(json.loads(schema)))


def grammar_of(schema: dict[str, JsonValue]) -> str:
    return LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides={"whitespace_flexible": False})


def _check_strict(node: JsonValue, path: str) -> None:
    """OpenAI's strict form: every property required, none extra."""
    if isinstance(node, list):
        for index, part in enumerate(node):
            _check_strict(part, f"{path}[{index}]")
    if not isinstance(node, dict):
        return
    if node.get("type") == "object":
        properties = node.get("properties")
        names = set(properties) if isinstance(properties, dict) else set()
        required = node.get("required")
        if node.get("additionalProperties") is not False:
            raise ValueError(f"{path}: additionalProperties must be false")
        if not isinstance(required, list) or set(map(str, required)) != names:
            raise ValueError(f"{path}: every property must be required")
    for key, part in node.items():
        _check_strict(part, f"{path}.{key}")

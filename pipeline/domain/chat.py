"""What is asked of a language model, and what it answers."""

from typing import Literal

from pydantic import Field

from pipeline.domain.record import Record


class ChatMessage(Record):
    """One message of a chat request."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(Record):
    """One step of the author. Its fingerprint is the address of the stored reply."""

    step: str
    """Name of the step: `adapt`, `place`, `write` ..."""
    prompt: str
    """`<stage>/<name>.v<N>`"""
    prompt_sha256: str
    messages: tuple[ChatMessage, ...] = Field(min_length=1)
    input: str
    """The step's input record as JSON: what the messages were rendered from. Not sent to a server;
    the embedded author answers from it."""
    response_schema: str
    """JSON schema of the wanted reply, in the strict form (all keys required, none extra)."""
    seed: int = Field(ge=0, lt=2**31)
    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(gt=0, le=1)
    max_completion_tokens: int = Field(gt=0)


class Served(Record):
    """How a server came to its reply: what a ledger counts beside tokens."""

    endpoint: str
    """Address of the server, without any key."""
    latency_s: float = Field(ge=0)
    """Of the try that succeeded, from sending to the last byte."""
    retries: int = Field(ge=0)
    """Tries before it that failed: timeouts, 429, 503, resets."""


class ChatReply(Record):
    """What came back, before it is parsed."""

    model: str
    content: str
    finish_reason: Literal["stop", "length", "content_filter"]
    prompt_tokens: int = Field(ge=0)
    cached_tokens: int = Field(ge=0)
    """Of the prompt's: read from the server's prefix cache."""
    cache_write_tokens: int = Field(default=0, ge=0)
    """Of the prompt's: written into that cache, where a server says (and charges) so; else 0."""
    completion_tokens: int = Field(ge=0)
    frames: tuple[str, ...]
    """Ids of the sentence frames used, by authors that compose from frames; empty for a language model."""
    served: Served | None = None
    """None for an author that is no server."""

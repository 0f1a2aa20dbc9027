"""Requests and authors for tests of the client."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.backends.openai_chat import OpenAIAuthor, Server
from pipeline.backends.openai_chat.wire import ServerKind
from pipeline.core.patience import Patience
from pipeline.core.prompting import schema_text
from pipeline.core.scripting.steps import Placement
from pipeline.domain.chat import ChatMessage, ChatRequest

MODEL = "loopback-1"
QUICK = Patience(
    timeout_s=5,
    max_attempts=4,
    first_pause_s=0.001,
    longest_pause_s=0.01,
    longest_retry_after_s=1,
    give_up_after_s=0.3,
)
"""As patient as a test."""


def request_of(number: int = 0, text: str = "Where?") -> ChatRequest:
    return ChatRequest(
        step="place",
        prompt="script/place.v1",
        prompt_sha256="0" * 64,
        messages=(ChatMessage(role="system", content="Rules."), ChatMessage(role="user", content=text)),
        input="{}",
        response_schema=schema_text(Placement),
        seed=number,
        temperature=0.8,
        top_p=0.9,
        max_completion_tokens=100,
    )


@contextmanager
def author_at(
    *addresses: str,
    patience: Patience = QUICK,
    kind: ServerKind = "vllm",
    max_in_flight: int = 16,
    api_key: str | None = None,
) -> Iterator[OpenAIAuthor]:
    """An author with one endpoint per address."""
    servers = [Server(address, kind, max_in_flight, api_key) for address in addresses]
    with OpenAIAuthor(MODEL, servers, patience) as author:
        yield author

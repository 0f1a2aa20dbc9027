"""Who writes the scripts: configuration of authors, for the script stage."""

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from pipeline.core.ledger import Prices
from pipeline.core.patience import Patience
from pipeline.core.prompting import Sampling
from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


class EndpointConfig(Record):
    """One server that speaks OpenAI's chat completions."""

    base_url: str
    """Where `/chat/completions` begins: `http://gpu-1:8000/v1`."""
    server: Literal["vllm", "openai", "other"] = "other"
    """What is declared decides what is sent: `vllm` is told to switch thinking off, which others refuse."""
    max_in_flight: int = Field(default=64, ge=1)
    """Requests at once, whatever number of shards they come from: 64 to 128 per GPU."""
    api_key_variable: str | None = None
    """Name of the environment variable with its key; `server: openai` reads OPENAI_API_KEY by itself."""


class AuthorConfig(Record):
    """Who writes."""

    backend: Literal["offline", "openai"] = "offline"
    """`offline`: the embedded author, which composes from phrase banks and needs no key and no network.
    `openai`: a language model behind `endpoints`. What only one of them reads may stay where it is while the
    other one writes, so that switching takes one line."""
    model: str | None = Field(default=None, min_length=1)
    """The model's name at its servers; with `openai`."""
    endpoints: tuple[EndpointConfig, ...] = ()
    """Servers of that model: the least loaded one is asked; with `openai`."""
    max_in_flight: int = Field(default=8, ge=1)
    """Dialogues at once, per shard."""
    temperature: float = Field(default=0.8, ge=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_completion_tokens: int = Field(default=2048, gt=0)
    repairs: int = Field(default=1, ge=0, le=3)
    """How often a reply that cannot be used is asked for again, told why. The embedded author is never."""
    patience: Patience = Patience()
    prices: Prices | None = None
    """For the ledger."""
    budget: float | None = Field(default=None, gt=0)
    """What the run may cost by the price table, its judge and earlier attempts included: the request that would
    follow is not sent, and a later run goes on from there."""

    @model_validator(mode="after")
    def _checked(self) -> Self:
        check_endpoints(self)
        if self.budget is not None and self.prices is None:
            raise ConfigError(
                "script.author.budget: nobody knows what a token costs; add script.author.prices"
            )
        return self

    @property
    def attempts(self) -> int:
        """Questions per step and dialogue. Phrase banks do not learn from a complaint."""
        return 1 if self.backend == "offline" else 1 + self.repairs

    def sampling(self) -> Sampling:
        """The part of it that goes into requests."""
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            max_completion_tokens=self.max_completion_tokens,
        )


def check_endpoints(author: AuthorConfig) -> None:
    """Raise ConfigError where a language model is not fully described.

    Values are not repeated in messages: a key or password that strayed into one is among the things refused.
    """
    if author.backend == "openai" and author.model is None:
        raise ConfigError("script.author: backend openai needs to know the model; add `model: <its name>`")
    if author.backend == "openai" and not author.endpoints:
        raise ConfigError(
            "script.author: backend openai needs a server; "
            "add `endpoints: [{base_url: http://localhost:8000/v1, server: vllm}]`"
        )
    for number, endpoint in enumerate(author.endpoints):
        problem = _problem_of(endpoint)
        if problem:
            raise ConfigError(f"script.author.endpoints.{number}.{problem}")
    addresses = [endpoint.base_url.rstrip("/") for endpoint in author.endpoints]
    if len(set(addresses)) != len(addresses):
        raise ConfigError(
            "script.author.endpoints: an address is there twice; raise its max_in_flight instead"
        )


def _problem_of(endpoint: EndpointConfig) -> str | None:
    """What is wrong with one, without its values."""
    variable = endpoint.api_key_variable
    if variable is not None and not _VARIABLE.fullmatch(variable):
        return (
            "api_key_variable is no name of an environment variable; wanted capitals, digits and underscores, for "
            "example OPENAI_API_KEY; the key itself belongs into the environment only"
        )
    try:
        url = urlsplit(endpoint.base_url)
    except ValueError:  # an IPv6 address without its end
        return "base_url is no address; wanted one like http://localhost:8000/v1"
    if url.scheme not in ("http", "https") or not url.hostname:
        return "base_url is no http address; wanted one like http://localhost:8000/v1"
    if url.username or url.password or url.query or url.fragment:
        return "base_url holds a user, password or query; name the variable with the key in api_key_variable"
    if url.path.rstrip("/").endswith("/chat/completions"):
        return "base_url goes too far; leave /chat/completions away"
    return None


class ReviewConfig(Record):
    """Whether a judge reads every script, and what it has to score."""

    enabled: bool | None = None
    """null: where a language model writes. The embedded author cannot judge; give it a `judge` to have its
    scripts read."""
    judge: AuthorConfig | None = None
    """Another author than the one that writes; null: the writer judges its own."""
    min_score: int = Field(default=3, ge=1, le=5)
    """On every axis; the scale has 1, 3 and 5 described."""
    min_mean: float = Field(default=3.6, ge=1, le=5)
    """Over the axes."""

    def judges(self, author: AuthorConfig) -> bool:
        """Whether scripts of this author are judged. Raises ConfigError where nobody could."""
        able = self.judge is not None or author.backend != "offline"
        if self.enabled and not able:
            raise ConfigError(
                "script.review: the embedded author cannot judge; name a language model in script.review.judge"
            )
        return able if self.enabled is None else self.enabled

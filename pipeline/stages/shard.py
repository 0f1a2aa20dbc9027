"""The unit of work, retry and caching."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Shard(Generic[R]):
    """A slice of a manifest: records that passed, and refusals with their reasons.

    A stage hands on what it was given minus what it refused; nothing else disappears.
    """

    index: int
    records: tuple[R, ...]
    refusals: tuple[Refusal, ...] = field(default=())

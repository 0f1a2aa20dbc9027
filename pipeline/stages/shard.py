"""The unit of work, retry and caching."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record

R_co = TypeVar("R_co", bound=Record, covariant=True)


@dataclass(frozen=True, slots=True)
class Shard(Generic[R_co]):
    """A slice of a manifest: records that passed, and refusals with their reasons.

    A stage hands on what it was given minus what it refused; nothing else disappears.
    """

    index: int
    records: tuple[R_co, ...]
    refusals: tuple[Refusal, ...] = field(default=())

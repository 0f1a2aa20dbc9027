"""How a recipe puts its questions: one step, one record in, one accepted answer out."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from pipeline.domain.record import Record

T = TypeVar("T", bound=Record)
A = TypeVar("A")


class Ask(Protocol):
    """Asks the author one step's question until the answer is accepted, or the author's repairs are used up."""

    async def __call__(
        self,
        step: str,
        record: Record,
        output: type[T],
        accept: Callable[[T], A],
    ) -> A:
        """What `accept` makes of the reply to `step`, given `record`.

        `accept` raises RecordError for a reply that cannot be used; it is asked for again then, with what was
        wrong. Raises RecordError where no answer was accepted.
        """
        ...

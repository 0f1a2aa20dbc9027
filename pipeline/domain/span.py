"""Time: integer samples, half-open."""

from dataclasses import dataclass

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True)
class Span:
    """`[start, end)` in samples at the timeline's rate; never empty, never negative.

    A dataclass and no Record: planning makes some hundred of them per dialogue, at a third of a Record's cost.
    Records hold spans as fields and read and write them as if they were Records.

    >>> Span(start=0, end=4).overlap(Span(start=3, end=9))
    Span(start=3, end=4)
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    start: int
    end: int

    def __post_init__(self) -> None:
        start, end = self.start, self.end
        # Not isinstance: a numpy integer is a number too, until a record is written.
        if type(start) is not int or type(end) is not int or not 0 <= start < end:
            raise ValueError(f"a span wants whole numbers with 0 <= start < end, got [{start!r}, {end!r})")

    def __len__(self) -> int:
        return self.end - self.start

    def __contains__(self, sample: int) -> bool:
        return self.start <= sample < self.end

    def overlap(self, other: "Span") -> "Span | None":
        """The part that both cover, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start=start, end=end) if start < end else None

    def shift(self, samples: int) -> "Span":
        """The same length, moved later by `samples`."""
        return Span(self.start + samples, self.end + samples)

    def covers(self, other: "Span") -> bool:
        """Whether `other` lies inside this span."""
        return self.start <= other.start and other.end <= self.end

    def seconds(self, sampling_rate: int) -> tuple[float, float]:
        """(start, end) in seconds, for exports and people."""
        return self.start / sampling_rate, self.end / sampling_rate


def to_samples(seconds: float, sampling_rate: int) -> int:
    """Seconds to the nearest sample, ties to even."""
    return round(seconds * sampling_rate)

"""Time: integer samples, half-open."""

from pydantic import model_validator

from pipeline.domain.record import Record


class Span(Record):
    """`[start, end)` in samples at the timeline's rate; never empty, never negative.

    >>> Span(start=0, end=4).overlap(Span(start=3, end=9))
    Span(start=3, end=4)
    """

    start: int
    end: int

    @model_validator(mode="after")
    def _not_empty(self) -> "Span":
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span wants 0 <= start < end, got [{self.start}, {self.end})")
        return self

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
        return Span(start=self.start + samples, end=self.end + samples)

    def covers(self, other: "Span") -> bool:
        """Whether `other` lies inside this span."""
        return self.start <= other.start and other.end <= self.end

    def seconds(self, sampling_rate: int) -> tuple[float, float]:
        """(start, end) in seconds, for exports and people."""
        return self.start / sampling_rate, self.end / sampling_rate


def to_samples(seconds: float, sampling_rate: int) -> int:
    """Seconds to the nearest sample, ties to even."""
    return round(seconds * sampling_rate)

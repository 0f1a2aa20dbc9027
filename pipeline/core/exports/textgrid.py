"""Praat TextGrids, long form, interval tiers only.

Format: https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.domain.span import Span


@dataclass(frozen=True, slots=True)
class Interval:
    """One labelled stretch; in samples, half-open."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class IntervalTier:
    """A named row of intervals that tile `[0, num_samples)`: an instance is the proof."""

    name: str
    num_samples: int
    intervals: tuple[Interval, ...]

    def __post_init__(self) -> None:
        position = 0
        for interval in self.intervals:
            if interval.span.start != position:
                raise ValueError(f"tier {self.name}: interval at {interval.span.start}, wanted {position}")
            position = interval.span.end
        if position != self.num_samples:
            raise ValueError(f"tier {self.name}: intervals end at {position}, wanted {self.num_samples}")


def fill_gaps(name: str, num_samples: int, intervals: Iterable[Interval]) -> IntervalTier:
    """A tier of the given intervals, in order and without overlap, and empty ones between them."""
    tiled: list[Interval] = []
    position = 0
    for interval in intervals:
        if interval.span.start > position:
            tiled.append(Interval(Span(start=position, end=interval.span.start), ""))
        tiled.append(interval)
        position = interval.span.end
    if position < num_samples:
        tiled.append(Interval(Span(start=position, end=num_samples), ""))
    return IntervalTier(name, num_samples, tuple(tiled))


def write_textgrid(tiers: tuple[IntervalTier, ...], sampling_rate: int) -> str:
    """The text of the file; a quotation mark inside a label is written twice."""
    end = _number(max(tier.num_samples for tier in tiers), sampling_rate)
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, tier in enumerate(tiers, start=1):
        lines.append(f"    item [{number}]:")
        lines.extend(f"        {line}" for line in _tier_lines(tier, sampling_rate))
    return "\n".join(lines) + "\n"


def _tier_lines(tier: IntervalTier, sampling_rate: int) -> list[str]:
    lines = [
        'class = "IntervalTier"',
        f"name = {_quoted(tier.name)}",
        "xmin = 0",
        f"xmax = {_number(tier.num_samples, sampling_rate)}",
        f"intervals: size = {len(tier.intervals)}",
    ]
    for number, interval in enumerate(tier.intervals, start=1):
        lines += [
            f"intervals [{number}]:",
            f"    xmin = {_number(interval.span.start, sampling_rate)}",
            f"    xmax = {_number(interval.span.end, sampling_rate)}",
            f"    text = {_quoted(interval.text)}",
        ]
    return lines


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _number(sample: int, sampling_rate: int) -> str:
    # Never 4.2e-05: readers of the field match digits and a point.
    return f"{sample / sampling_rate:.6f}".rstrip("0").rstrip(".")

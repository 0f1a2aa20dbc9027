"""The two figures of the report page: pixels to be written into its SVG by the template."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.core.report_timing import Curve

_ACROSS, _UPWARDS = (44, 448), (176, 10)
"""Pixels of a figure's frame: left and right, bottom and top."""
_BAR_STEPS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05)
_MAX_BARS = 30
_TICK_STEPS = tuple(factor * 10.0**power for power in range(-3, 7) for factor in (1, 2, 5))
_MAX_TICKS = 7


@dataclass(frozen=True, slots=True)
class Axes:
    """Pixels of a figure, y downwards, and its ticks as (pixel, label).

    ::

        top     100 |      ____
                 50 |   __/
        bottom    0 |__/_______
                  left       right
    """

    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    width: int = 460
    height: int = 220
    left: int = _ACROSS[0]
    right: int = _ACROSS[1]
    top: int = _UPWARDS[1]
    bottom: int = _UPWARDS[0]


@dataclass(frozen=True, slots=True)
class CurveFigure:
    """Two distribution functions as SVG paths."""

    axes: Axes
    run: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class HistogramFigure:
    """Dialogues per overlap ratio: bars as (x, y, width, height, what it counts), marked ratios as pixels."""

    axes: Axes
    bars: tuple[tuple[float, float, float, float, str], ...]
    asked_x: float | None
    whole_x: float | None
    p5_p50_p95: tuple[float, float, float]


def draw_curves(curve: Curve) -> CurveFigure:
    """Shares over seconds."""
    low, high = curve.at_s[0], curve.at_s[-1]
    axes = Axes(_ticks(low, high, _ACROSS), _ticks(0.0, 1.0, _UPWARDS))

    def path(shares: Sequence[float]) -> str:
        xs = _place(curve.at_s, low, high, _ACROSS)
        ys = _place(shares, 0.0, 1.0, _UPWARDS)
        return "M" + " ".join(f"{x:g},{y:g}" for x, y in zip(xs, ys, strict=True))

    return CurveFigure(axes, path(curve.run), None if curve.reference is None else path(curve.reference))


def draw_histogram(ratios: Sequence[float], asked: float | None, whole: float | None) -> HistogramFigure:
    """How many dialogues have which overlap ratio; the axis reaches the marked ratios too.

    >>> [bar[4] for bar in draw_histogram((0.0, 0.004, 0.12), None, None).bars]
    ['2 dialogues at 0 to 0.005', '1 dialogue at 0.12 to 0.125']
    """
    reach = max([*ratios, asked or 0.0, whole or 0.0, 0.01])
    step = next(s for s in _BAR_STEPS if reach / s <= _MAX_BARS)
    # A ratio of exactly the last edge opens a bar of its own; 1e-9 keeps 0.3 / 0.1 out of the bar below.
    bins = np.floor(np.asarray(ratios) / step + 1e-9).astype(np.int64)
    counts = np.bincount(bins)
    high = step * max(len(counts), math.ceil(reach / step))
    x_ticks, y_ticks = _ticks(0.0, high, _ACROSS), _ticks(0.0, float(counts.max()), _UPWARDS, whole=True)
    edges = _place([step * i for i in range(len(counts) + 1)], 0.0, high, _ACROSS)
    tops = _place(counts.tolist(), 0.0, float(counts.max()), _UPWARDS)
    axes = Axes(x_ticks, y_ticks)
    bars = tuple(
        (
            edges[i],
            tops[i],
            round(edges[i + 1] - edges[i] - 1, 2),
            round(axes.bottom - tops[i], 2),
            f"{n:,} dialogue{'' if n == 1 else 's'} at {step * i:.4g} to {step * (i + 1):.4g}",
        )
        for i, n in enumerate(counts.tolist())
        if n
    )
    marks = [None if m is None else _place((m,), 0.0, high, _ACROSS)[0] for m in (asked, whole)]
    p5, p50, p95 = (float(q) for q in np.quantile(ratios, (0.05, 0.5, 0.95)))
    return HistogramFigure(axes, bars, marks[0], marks[1], (p5, p50, p95))


def _place(values: Sequence[float], low: float, high: float, span: tuple[int, int]) -> tuple[float, ...]:
    start, end = span
    return tuple(round(start + (value - low) / (high - low) * (end - start), 2) for value in values)


def _ticks(
    low: float, high: float, span: tuple[int, int], *, whole: bool = False
) -> tuple[tuple[float, str], ...]:
    """Multiples of 1, 2 or 5 times a power of ten inside [low, high], as few as are read at a glance."""
    step = next(s for s in _TICK_STEPS if (high - low) / s < _MAX_TICKS and not (whole and s < 1))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    at = [index * step for index in range(first, last + 1)]
    return tuple(zip(_place(at, low, high, span), (f"{value:,.10g}" for value in at), strict=True))

"""The report's two figures: what their pixels say."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.report_timing import Curve
from pipeline.io.report_figures import Axes, draw_curves, draw_histogram

RATIOS = st.lists(st.floats(0, 1), min_size=1, max_size=200)
MARK = st.none() | st.floats(0, 1)


def inside(axes: Axes, x: float, y: float) -> bool:
    return axes.left <= x <= axes.right and axes.top <= y <= axes.bottom


@given(RATIOS, MARK, MARK)
def test_every_dialogue_is_in_one_bar_and_every_mark_on_the_axis(
    ratios: list[float], asked: float | None, whole: float | None
) -> None:
    figure = draw_histogram(ratios, asked, whole)
    counted = [int(re.sub(r"\D.*", "", title.replace(",", ""))) for *_, title in figure.bars]
    assert sum(counted) == len(ratios)
    for (x, y, width, height, _), count in zip(figure.bars, counted, strict=True):
        assert inside(figure.axes, x, y)
        assert width > 0
        assert x + width <= figure.axes.right
        # heights are in proportion to what they count
        assert height == pytest.approx(
            count / max(counted) * (figure.axes.bottom - figure.axes.top), abs=0.02
        )
    for mark, value in ((figure.asked_x, asked), (figure.whole_x, whole)):
        assert (mark is None) == (value is None)
        assert mark is None or figure.axes.left <= mark <= figure.axes.right


@given(RATIOS)
def test_a_mark_stands_where_its_ratio_is_on_the_axis(ratios: list[float]) -> None:
    figure = draw_histogram(ratios, ratios[0], None)
    (x0, first), (x1, second) = figure.axes.x_ticks[0], figure.axes.x_ticks[-1]
    wanted = x0 + (ratios[0] - float(first)) / (float(second) - float(first)) * (x1 - x0)
    assert figure.asked_x == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize(
    ("ratios", "titles"),
    [
        ((0.0, 0.0), ["2 dialogues at 0 to 0.001"]),
        ((0.1, 0.3), ["1 dialogue at 0.1 to 0.11", "1 dialogue at 0.3 to 0.31"]),
        ((0.5, 1.0), ["1 dialogue at 0.5 to 0.55", "1 dialogue at 1 to 1.05"]),
    ],
)
def test_a_ratio_on_an_edge_is_in_the_bar_above_it(ratios: tuple[float, ...], titles: list[str]) -> None:
    assert [bar[-1] for bar in draw_histogram(ratios, None, None).bars] == titles


def test_dialogues_are_counted_in_whole_numbers() -> None:
    labels = [label for _, label in draw_histogram((0.0, 0.01), None, None).axes.y_ticks]
    assert labels == ["0", "1"]


@given(st.floats(-3, 4), st.floats(0.2, 5), st.lists(st.floats(0, 1), min_size=2, max_size=30).map(sorted))
def test_a_curve_starts_at_the_left_ends_at_the_right_and_never_falls(
    low: float, length: float, shares: list[float]
) -> None:
    at_s = tuple(np.linspace(low, low + length, len(shares)).tolist())
    figure = draw_curves(Curve(at_s=at_s, run=tuple(shares), reference=None))
    points = [tuple(map(float, pair.split(","))) for pair in figure.run.removeprefix("M").split(" ")]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    assert (xs[0], xs[-1]) == (figure.axes.left, figure.axes.right)
    assert xs == sorted(xs)
    assert ys == sorted(ys, reverse=True)  # pixels count downwards
    assert all(inside(figure.axes, x, y) for x, y in points)
    assert figure.reference is None
    assert 2 <= len(figure.axes.x_ticks) <= 8

"""Intervals against published examples, and what must hold of all of them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.intervals import (
    Z,
    difference_of_means,
    difference_of_shares,
    mean_of,
    share_of,
)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_interval_that_newcombe_1998_prints_for_wilson(
    part: int, whole: int, low: float, high: float
) -> None:
    estimate = share_of(part, whole).estimate
    assert estimate is not None
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("b", "a", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 10), 0.6075, 1),
    ],
)
def test_a_difference_has_the_interval_that_newcombe_1998_prints_for_method_10(
    b: tuple[int, int], a: tuple[int, int], low: float, high: float
) -> None:
    found = difference_of_shares(share_of(*a), share_of(*b))
    assert found is not None
    assert found.value == pytest.approx(b[0] / b[1] - a[0] / a[1])
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


def test_of_nothing_there_is_no_share_and_no_difference() -> None:
    nothing = share_of(0, 0)
    assert nothing.estimate is None
    assert difference_of_shares(nothing, share_of(1, 2)) is None
    assert difference_of_shares(share_of(1, 2), None) is None


counted = st.integers(1, 500).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


@given(counted, counted)
def test_intervals_hold_their_value_and_swapping_sides_turns_the_sign(
    a: tuple[int, int], b: tuple[int, int]
) -> None:
    one, other = share_of(*a), share_of(*b)
    there, back = difference_of_shares(one, other), difference_of_shares(other, one)
    assert one.estimate is not None
    assert there is not None
    assert back is not None
    assert 0 <= one.estimate.low <= one.estimate.value <= one.estimate.high <= 1
    assert one.estimate.low < one.estimate.high
    assert -1 - 1e-12 <= there.low <= there.value <= there.high <= 1 + 1e-12
    assert (there.low, there.high) == (pytest.approx(-back.high), pytest.approx(-back.low))


def test_a_mean_of_many_has_the_interval_of_the_normal_law() -> None:
    counts = Counter({2: 100, 3: 300, 4: 400, 5: 200})
    found = mean_of(counts)
    assert found.value == pytest.approx(3.7)
    half = Z * (0.81 / 1000) ** 0.5  # the variance of these scores is 0.81
    assert found.high - found.low == pytest.approx(2 * half, rel=0.05)
    assert found == mean_of(counts), "the same scores have the same interval every time"


def test_a_difference_of_means_is_wider_than_either_and_zero_of_equals() -> None:
    counts = Counter({3: 40, 4: 40, 5: 20})
    found = difference_of_means(counts, counts)
    assert found.value == 0.0
    assert found.low < 0 < found.high
    alone = mean_of(counts)
    assert found.high - found.low > alone.high - alone.low


def test_scores_that_are_all_the_same_have_no_spread() -> None:
    assert mean_of(Counter({4: 9})).low == mean_of(Counter({4: 9})).high == 4.0

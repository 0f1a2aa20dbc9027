"""How many dialogues can have what a spread of overlap ratios gives them."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.timing.calibration import JUDGED_FROM, Allowances, Reach
from pipeline.domain.errors import ConfigError


def allowances(*rows: tuple[float, float, float]) -> Allowances:
    """Place in the spread, lowest and highest ratio of each dialogue."""
    return Allowances.of(
        [(place, Reach(lowest=low, undialled=low, highest=high)) for place, low, high in rows]
    )


def test_dialogues_are_counted_by_what_keeps_them_from_their_ratio() -> None:
    found = allowances(
        (0.5, 0.0, 0.3),  # given 0.15: has it
        (0.0, 0.0, 0.3),  # given 0.10, an end of the spread: has it
        (1.0, 0.0, 0.2),  # given 0.20, an end of its own range: has it
        (0.9, 0.0, 0.12),  # given 0.19: only a lower one
        (0.2, 0.16, 0.3),  # given 0.12: only a higher one
        (0.3, 0.0, 0.05),  # nothing above 0.05
        (0.3, 0.25, 0.4),  # nothing below 0.25
    ).survey(0.1, 0.2)
    assert (found.n, found.too_high, found.too_low, found.refused) == (7, 1, 1, 2)
    assert found.asked_mean == pytest.approx((0.15 + 0.10 + 0.20 + 0.19 + 0.12) / 5, abs=1e-4)
    assert found.reached_mean == pytest.approx((0.15 + 0.10 + 0.20 + 0.12 + 0.16) / 5, abs=1e-4)


def test_a_miss_below_the_tolerance_of_the_search_is_none() -> None:
    assert allowances((1.0, 0.0, 0.1999)).survey(0.1, 0.2).too_high == 0
    assert allowances((1.0, 0.0, 0.1990)).survey(0.1, 0.2).too_high == 1


def test_where_everybody_is_refused_there_is_no_mean() -> None:
    found = allowances((0.5, 0.0, 0.05)).survey(0.1, 0.2)
    assert (found.refused, found.asked_mean, found.reached_mean) == (1, None, None)


def test_nobody_can_be_placed_and_nobody_is_missed() -> None:
    found = allowances().survey(0.1, 0.2)
    assert (found.n, found.feasible) == (0, None)
    found.check()


def cannot(missed: int, of: int) -> Allowances:
    """So many dialogues allow nothing above 0.04, the others all from 0 to 0.3."""
    return allowances(*((i / of, 0.0, 0.04 if i < missed else 0.3) for i in range(of)))


@pytest.mark.parametrize(
    ("missed", "of", "refused"),
    [(10, 20, False), (11, 20, True), (JUDGED_FROM - 1, JUDGED_FROM - 1, False), (101, 200, True)],
)
def test_a_spread_is_refused_where_more_than_half_cannot_have_it(missed: int, of: int, refused: bool) -> None:
    found = cannot(missed, of).survey(0.1, 0.2)
    assert found.refused == missed
    if not refused:
        found.check()
        return
    wanted = (
        rf"min: 0\.1, max: 0\.2.*{missed} of {of} dialogues cannot.*{missed} none inside.*"
        r"feasible for half of them: 0\.0\d\d\d to 0\.\d{4};"
    )
    with pytest.raises(ConfigError, match=wanted):
        found.check()


def test_a_refusal_says_so_where_no_spread_suits_half() -> None:
    apart = allowances(*((0.5, 0.1 * (i % 3), 0.1 * (i % 3) + 0.01) for i in range(30)))
    found = apart.survey(0.0, 0.2)
    assert found.feasible is None
    with pytest.raises(ConfigError, match="no single ratio suits half of them"):
        found.check()


ROWS = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.5)).map(lambda r: (r[0], r[1], r[1] + r[2])),
    min_size=JUDGED_FROM,
    max_size=60,
)


def refusal_of(asked: Allowances, low: float, high: float) -> str | None:
    try:
        asked.survey(low, high).check()
    except ConfigError as error:
        return str(error)
    return None


@settings(max_examples=60)
@given(ROWS, st.floats(0, 0.8), st.floats(0, 0.2))
def test_a_feasible_spread_that_a_refusal_names_is_taken(
    rows: list[tuple[float, float, float]], low: float, width: float
) -> None:
    asked = allowances(*rows)
    refusal = refusal_of(asked, low, low + width) or "feasible for half of them: 0 to 1;"
    named = re.search(r"feasible for half of them: ([\d.]+) to ([\d.]+)", refusal)
    if named is None:
        assert "no single ratio suits half of them" in refusal
        ratios = np.linspace(0, 1, 501).tolist()
        suited = max(sum(bottom <= ratio <= top for _, bottom, top in rows) for ratio in ratios)
        assert 2 * suited < len(rows)
    elif "timing.overlap_ratio" in refusal:
        assert refusal_of(asked, float(named[1]), float(named[2])) is None


@pytest.mark.parametrize("ratio", [0.05, 0.2])
def test_where_only_a_single_ratio_suits_half_it_is_named(ratio: float) -> None:
    # Half allow just this ratio; of the others a quarter each lies below and above it.
    rows = [(i / 40, *((ratio, ratio), (0.0, 0.01), (ratio, ratio), (0.5, 0.6))[i % 4]) for i in range(40)]
    assert allowances(*rows).survey(0.0, 0.6).feasible == (ratio, ratio)


@given(ROWS, st.floats(0, 0.5), st.floats(0, 0.5))
def test_the_counts_are_what_looking_at_each_dialogue_gives(
    rows: list[tuple[float, float, float]], low: float, width: float
) -> None:
    high = low + width
    found = allowances(*rows).survey(low, high)
    outside = [top < low or bottom > high for _, bottom, top in rows]
    asked = [low + place * (high - low) for place, _, _ in rows]
    inside = [row for row in zip(rows, asked, outside, strict=True) if not row[2]]
    assert found.refused == sum(outside)
    assert found.too_high == sum(wanted > top + 2e-4 for (_, _, top), wanted, _ in inside)
    assert found.too_low == sum(wanted < bottom - 2e-4 for (_, bottom, _), wanted, _ in inside)
    if inside:
        assert found.asked_mean == pytest.approx(np.mean([wanted for _, wanted, _ in inside]), abs=1e-4)

"""Quantile tables, distances to them, and how close chance alone comes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.distances import emd_s, ks_distance
from pipeline.core.reference import Collection, Distribution, QuantileTable, Reference
from pipeline.domain.errors import ConfigError
from pipeline.io.references import load_reference

UNIFORM = QuantileTable(unit="s", levels=(0.0, 0.5, 1.0), quantiles=(0.0, 1.0, 2.0))
TAILED = QuantileTable(unit="s", levels=(0.25, 0.75), quantiles=(-1.0, 1.0))


@pytest.fixture(scope="module")
def switchboard() -> Reference:
    return load_reference("switchboard")


@pytest.mark.parametrize(
    ("u", "wanted"), [(0.25, -1.0), (0.5, 0.0), (0.625, 0.5), (0.75, 1.0), (0.0, -1.0), (1.0, 1.0)]
)
def test_a_quantile_is_linear_inside_the_table_and_clamped_outside(u: float, wanted: float) -> None:
    assert TAILED.quantile(u) == wanted


@pytest.mark.parametrize(("x", "wanted"), [(-1.01, 0.0), (-1.0, 0.25), (0.0, 0.5), (1.0, 0.75), (1.01, 1.0)])
def test_the_distribution_function_is_0_and_1_outside_the_table(x: float, wanted: float) -> None:
    assert TAILED.cdf(x) == wanted


@given(st.floats(0.005, 0.995))
def test_the_shipped_table_inverts_itself(u: float) -> None:
    table = load_reference("switchboard").distribution("turn_duration")
    assert table.cdf(table.quantile(u)) == pytest.approx(u, abs=1e-9)


STEPPED = QuantileTable(unit="s", levels=(0.1, 0.2, 0.4, 0.7), quantiles=(-0.3, 0.1, 0.1, 0.9))


@given(st.lists(st.floats(-3, 3, width=32), max_size=20), st.sampled_from(["fto", "pause", "gap"]))
def test_a_number_alone_and_in_an_array_give_the_same_bits(numbers: list[float], name: str) -> None:
    for table in (load_reference("switchboard").distribution(name), STEPPED, TAILED):
        numbers = [*numbers, *table.quantiles, *table.levels, float("inf"), float("-inf")]
        assert table.quantile_array(numbers).tolist() == [table.quantile(u) for u in numbers]
        assert table.cdf_array(numbers).tolist() == [table.cdf(x) for x in numbers]


@pytest.mark.parametrize(
    ("levels", "quantiles", "complaint"),
    [
        ((0.1, 0.9), (0.0, 1.0, 2.0), "2 levels but 3 quantiles"),
        ((0.9, 0.1), (0.0, 1.0), "levels must increase"),
        ((0.1, 1.2), (0.0, 1.0), "levels must increase"),
        ((0.1, 0.9), (1.0, 0.0), "quantiles must not decrease"),
    ],
)
def test_a_table_that_is_no_distribution_is_refused(
    levels: tuple[float, ...], quantiles: tuple[float, ...], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        QuantileTable(unit="s", levels=levels, quantiles=quantiles)


@pytest.mark.parametrize(
    ("sample", "wanted"),
    [
        ([1.0], 0.5),  # a single step at the median
        ([0.5, 1.5], 0.25),  # F = 0.25, 0.75: a quarter off on either side of each step
        ([-5.0, -4.0], 1.0),
        ([2.0, 2.0, 2.0], 1.0),  # ties: all mass where F is 1, none before
        ([0.25, 0.75, 1.25, 1.75], 0.125),
    ],
)
def test_ks_is_the_largest_gap_between_the_curves(sample: list[float], wanted: float) -> None:
    assert ks_distance(sample, UNIFORM) == pytest.approx(wanted)


def test_emd_is_the_shift_where_a_sample_is_shifted() -> None:
    sample = UNIFORM.quantile_array(np.linspace(0, 1, 4001))
    assert emd_s(sample, UNIFORM) == pytest.approx(0.0, abs=1e-4)
    assert emd_s(sample - 0.3, UNIFORM) == pytest.approx(0.3, abs=1e-4)


def test_emd_clips_at_two_seconds_so_that_one_long_pause_does_not_drown_the_rest() -> None:
    assert emd_s([100.0], QuantileTable(unit="s", levels=(0.0, 1.0), quantiles=(2.0, 2.0))) == 0.0


@pytest.mark.parametrize("sample", [[], [[1.0, 2.0]], [float("nan")]])
def test_a_sample_that_is_none_is_refused(sample: list[float]) -> None:
    for distance in (ks_distance, emd_s):
        with pytest.raises(ConfigError, match="wanted a list of one or more finite numbers"):
            distance(sample, UNIFORM)


def test_draws_from_the_table_are_as_far_from_it_as_the_noise_floor_says(switchboard: Reference) -> None:
    table = switchboard.distribution("fto")
    draws = table.quantile_array(np.random.default_rng(2).random((200, 1000)))
    floor = switchboard.ks_noise_floor(1000, collection="independent")
    assert floor is not None
    assert floor.emd_mean_s is not None
    assert np.mean([ks_distance(row, table) for row in draws]) == pytest.approx(floor.ks_mean, abs=0.0015)
    assert np.mean([emd_s(row, table) for row in draws]) == pytest.approx(floor.emd_mean_s, abs=0.0025)


@pytest.mark.parametrize(
    ("n", "variable", "collection", "mean", "p95"),
    [
        (1000, "fto", "independent", 0.027, 0.042),
        (10_000, "fto", "sixty_second_excerpts", 0.010, 0.016),
        (300, "fto", "half_vs_half_two_sample", 0.125, 0.237),
        (40_000, "fto", "independent", 0.0045, 0.0065),  # beyond the table: 1 / sqrt(n)
        (25, "fto", "independent", 0.17, 0.268),
        (1000, "pause", "independent", 0.027, 0.042),  # KS of independent draws is the same for all
    ],
)
def test_the_noise_floor_is_the_table_and_follows_sqrt_n_outside(
    switchboard: Reference, n: int, variable: str, collection: Collection, mean: float, p95: float
) -> None:
    floor = switchboard.ks_noise_floor(n, variable, collection)
    assert floor is not None
    assert floor.ks_mean == pytest.approx(mean)
    assert floor.ks_p95 == pytest.approx(p95)


def test_between_two_sizes_the_floor_lies_between_theirs(switchboard: Reference) -> None:
    floors = [switchboard.ks_noise_floor(n) for n in (1000, 1700, 3000)]
    means = [floor.ks_mean for floor in floors if floor]
    assert means == sorted(means, reverse=True)
    assert len(set(means)) == 3


def test_another_variable_keeps_its_ratio_to_fto(switchboard: Reference) -> None:
    fto, gap = switchboard.ks_noise_floor(3000), switchboard.ks_noise_floor(3000, "gap")
    assert fto is not None
    assert gap is not None
    assert gap.ks_mean == pytest.approx(fto.ks_mean * 0.043 / 0.051)


def test_a_noise_floor_that_nobody_simulated_is_not_made_up(switchboard: Reference) -> None:
    assert switchboard.ks_noise_floor(1000, "turn_duration", "whole_conversations") is None
    assert switchboard.ks_noise_floor(1000, "gap", "sixty_second_excerpts") is None


@pytest.mark.parametrize(
    ("look_up", "near"),
    [
        (lambda r: r.distribution("fto_turn_turn"), "fto_turn_to_turn"),
        (lambda r: r.rate("speaker_changes"), "speaker_change"),
        (lambda r: r.ratio("overlap_over_time"), "overlap_over_total_time"),
        (lambda r: r.conversations().metric("median_ftos"), "median_fto"),
        (lambda r: r.conversations().reliability("gaps"), "gaps_per_min"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    switchboard: Reference, look_up: object, near: str
) -> None:
    assert callable(look_up)
    with pytest.raises(ConfigError, match=f"did you mean '{near}'"):
        look_up(switchboard)


def test_correlations_come_in_the_order_asked_for(switchboard: Reference) -> None:
    spread = switchboard.conversations()
    both = spread.spearman_of(("median_fto", "overlap_over_total_time"))
    assert both.tolist() == [[1.0, -0.754], [-0.754, 1.0]]


def test_a_fitted_distribution_reproduces_its_sample() -> None:
    sample = np.random.default_rng(4).lognormal(-1, 0.8, 5000)
    fitted = Distribution.of(sample, "s", "invented")
    assert fitted.n == 5000
    assert fitted.p50 == pytest.approx(float(np.median(sample)), abs=1e-4)
    assert ks_distance(sample, fitted) <= 0.0055  # the outermost half per cent is clamped

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exports.clock import length_at, sample_at, seconds_at


@given(st.integers(0, 24_000 * 3_600), st.sampled_from([16_000, 22_050, 24_000, 44_100, 48_000]))
def test_a_sample_is_recovered_from_its_seconds(sample: int, rate: int) -> None:
    assert round(seconds_at(sample, rate) * rate) == sample


@given(st.integers(1, 10**8), st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000]))
def test_no_sample_lies_after_the_end_of_the_file(num_samples: int, rate: int) -> None:
    assert sample_at(num_samples, rate, 16_000) <= length_at(num_samples, rate, 16_000)
    assert seconds_at(num_samples, rate) <= length_at(num_samples, rate, 16_000) / 16_000 + 1e-6


@pytest.mark.parametrize(
    ("sample", "rate", "wanted"),
    [(0, 24_000, 0), (3, 24_000, 2), (4, 24_000, 3), (5, 24_000, 3), (7, 16_000, 7)],
)
def test_a_sample_moves_to_the_nearest_one(sample: int, rate: int, wanted: int) -> None:
    assert sample_at(sample, rate, 16_000) == wanted

"""Loudness against the figures that the standards print."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.loudness import integrated_loudness_lufs, k_weighting
from pipeline.domain.errors import ConfigError

RATE = 48_000


def sine(
    *parts: tuple[float, float], rate: int = RATE, frequency_hz: float = 1000
) -> npt.NDArray[np.float64]:
    """Stretches of one continuous tone: (peak level in dBFS, seconds) each."""
    gains = np.concatenate([np.full(round(s * rate), 10 ** (db / 20)) for db, s in parts])
    return np.asarray(gains * np.sin(2 * np.pi * frequency_hz * np.arange(len(gains)) / rate))


def stereo(mono: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.stack((mono, mono), axis=1)


def test_at_48_khz_the_filters_are_the_table_of_the_standard() -> None:
    # ITU-R BS.1770-4, annex 1, tables 1 and 2
    table = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    assert np.allclose(k_weighting(RATE), table, rtol=0, atol=1e-11)


# EBU Tech 3341 (v4, table 1), minimum requirements test signals 1 to 5: stereo 1 kHz sines, +/- 0.1 LU
EBU_CASES: dict[str, tuple[list[tuple[float, float]], float]] = {
    "1": ([(-23, 20)], -23.0),
    "2": ([(-33, 20)], -33.0),
    "3: quiet ends are gated": ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
    "4: near-silence too": ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
    "5: all of it counts": ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
}


@pytest.mark.parametrize("case", EBU_CASES)
def test_the_signals_of_ebu_tech_3341_read_as_printed(case: str) -> None:
    parts, wanted = EBU_CASES[case]
    rate = 16_000  # the filters follow the rate, and a third of the samples is a third of the time
    assert integrated_loudness_lufs(stereo(sine(*parts, rate=rate)), rate) == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_a_full_scale_997_hz_sine_in_one_channel_reads_minus_3_01_at_any_rate(rate: int) -> None:
    measured = integrated_loudness_lufs(sine((0, 5), rate=rate, frequency_hz=997), rate)
    # the bilinear transform bends the shelf a little where the rate is low
    assert measured == pytest.approx(-3.01, abs=0.01 if rate >= 44_100 else 0.1)


def test_int16_and_float_read_the_same() -> None:
    tone = sine((-20, 2))
    assert integrated_loudness_lufs(np.rint(tone * 32768).astype(np.int16), RATE) == pytest.approx(
        integrated_loudness_lufs(tone, RATE), abs=0.01
    )


def test_silence_has_no_loudness() -> None:
    assert integrated_loudness_lufs(np.zeros(RATE), RATE) == -math.inf


def test_long_silence_around_speech_changes_nothing() -> None:
    noise = np.random.default_rng(3).normal(0, 0.05, 3 * RATE)
    padded = np.concatenate((np.zeros(10 * RATE), noise, np.zeros(10 * RATE)))
    assert integrated_loudness_lufs(padded, RATE) == pytest.approx(
        integrated_loudness_lufs(noise, RATE), abs=0.6
    )


@settings(max_examples=25, deadline=None)
@given(gain_db=st.floats(-30, 0), samples=st.integers(2000, 30_000))
def test_a_gain_in_db_moves_the_loudness_by_as_much(gain_db: float, samples: int) -> None:
    noise = np.random.default_rng(samples).normal(0, 0.1, samples)
    moved = integrated_loudness_lufs(noise * 10 ** (gain_db / 20), 16_000) - integrated_loudness_lufs(
        noise, 16_000
    )
    assert moved == pytest.approx(gain_db, abs=1e-6)


def test_pyloudnorm_agrees() -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm", reason="pyloudnorm is not installed (development only)")
    rng = np.random.default_rng(5)
    signal = np.concatenate([rng.normal(0, level, RATE) for level in (0.02, 0.3, 0.001, 0.1)])
    meter = pyloudnorm.Meter(RATE, filter_class="DeMan")
    assert integrated_loudness_lufs(signal, RATE) == pytest.approx(
        meter.integrated_loudness(signal), abs=0.05
    )


@pytest.mark.parametrize(
    ("samples", "rate"), [(np.zeros(0), RATE), (np.zeros((2, 2, 2)), RATE), (np.zeros(9), 4000)]
)
def test_what_cannot_be_measured_is_refused_by_name(samples: npt.NDArray[np.float64], rate: int) -> None:
    with pytest.raises(ConfigError, match="loudness"):
        integrated_loudness_lufs(samples, rate)

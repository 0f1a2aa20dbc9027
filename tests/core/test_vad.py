"""Speech found by energy: borders to a hop, whatever the level, the floor and the other channel are."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.vad import EnergyVadSettings, detect_speech, hop_levels_db, speech_level_db
from pipeline.domain.errors import ConfigError
from pipeline.domain.span import Span

RATE = 8000
HOP = 40
Wave = npt.NDArray[np.float32]


def bursts(
    *spans_s: tuple[float, float], seconds: float = 4.0, level_db: float = -20.0, seed: int = 0
) -> Wave:
    """Noise bursts in digital silence."""
    noise = np.random.default_rng(seed).normal(0, 10 ** (level_db / 20), round(seconds * RATE))
    mask = np.zeros(len(noise))
    for start, end in spans_s:
        mask[round(start * RATE) : round(end * RATE)] = 1
    return np.asarray(noise * mask, dtype=np.float32)


def floor(level_db: float, seconds: float = 4.0) -> Wave:
    noise = np.random.default_rng(9).normal(0, 10 ** (level_db / 20), round(seconds * RATE))
    return np.asarray(noise, dtype=np.float32)


def in_seconds(spans: tuple[Span, ...]) -> list[tuple[float, float]]:
    return [(span.start / RATE, span.end / RATE) for span in spans]


def test_borders_are_where_speech_is_without_padding() -> None:
    found = detect_speech(bursts((0.5, 1.0), (2.0, 3.2)), RATE, 0.2)
    assert in_seconds(found) == [(0.5, 1.0), (2.0, 3.2)]


@given(start=st.integers(0, 3 * RATE), length=st.integers(RATE // 10, RATE), level_db=st.floats(-45.0, -3.0))
def test_a_border_is_never_off_by_more_than_a_hop(start: int, length: int, level_db: float) -> None:
    wave = bursts((start / RATE, (start + length) / RATE), level_db=level_db)
    (found,) = detect_speech(wave, RATE, 0.2)
    assert abs(found.start - start) <= HOP
    assert abs(found.end - min(start + length, len(wave))) <= HOP


@given(gain_db=st.floats(-30.0, 6.0))
def test_the_level_of_a_channel_does_not_matter(gain_db: float) -> None:
    wave = bursts((0.5, 1.0), (2.0, 3.2), level_db=-20)
    louder = np.asarray(wave * 10 ** (gain_db / 20), dtype=np.float32)
    assert detect_speech(louder, RATE, 0.2) == detect_speech(wave, RATE, 0.2)


@given(hops=st.integers(1, 100))
def test_a_time_shift_shifts_the_runs(hops: int) -> None:
    wave = bursts((0.5, 1.0), (2.0, 3.2))
    late = np.concatenate((np.zeros(hops * HOP, np.float32), wave))
    assert detect_speech(late, RATE, 0.2) == tuple(
        s.shift(hops * HOP) for s in detect_speech(wave, RATE, 0.2)
    )


@pytest.mark.parametrize("floor_db", [-75.0, -60.0, -50.0])
def test_a_noise_floor_is_no_speech(floor_db: float) -> None:
    found = detect_speech(bursts((0.5, 1.0), (2.0, 3.2)) + floor(floor_db), RATE, 0.2)
    assert np.abs(np.array(in_seconds(found)) - [(0.5, 1.0), (2.0, 3.2)]).max() <= 0.005


def test_a_track_of_zeros_but_for_one_burst_is_measured_against_that_burst() -> None:
    assert in_seconds(detect_speech(bursts((3.0, 3.3), seconds=60.0), RATE, 0.2)) == [(3.0, 3.3)]


@pytest.mark.parametrize(
    "wave",
    [np.zeros(RATE, np.float32), np.zeros(0, np.float32), floor(-70.0), np.full(9, 0.001, np.float32)],
    ids=["silence", "nothing", "floor alone", "less than a hop"],
)
def test_where_nobody_speaks_nothing_is_found(wave: Wave) -> None:
    assert detect_speech(wave, RATE, 0.2) == ()


def test_a_click_is_no_speech() -> None:
    wave = bursts((0.5, 1.0))
    wave[3 * RATE : 3 * RATE + 80] = 0.9
    assert in_seconds(detect_speech(wave, RATE, 0.2)) == [(0.5, 1.0)]


def test_breath_far_below_speech_is_no_speech() -> None:
    wave = bursts((0.5, 1.0)) + bursts((2.0, 2.6), level_db=-52.0, seed=2)
    assert in_seconds(detect_speech(wave, RATE, 0.2)) == [(0.5, 1.0)]


def test_a_quiet_burst_right_after_a_word_belongs_to_it() -> None:
    wave = bursts((0.5, 1.0)) + bursts((1.06, 1.09), level_db=-50.0, seed=2)
    assert in_seconds(detect_speech(wave, RATE, 0.2)) == [(0.5, 1.09)]


@pytest.mark.parametrize(("min_silence_s", "runs"), [(0.0, 3), (0.1, 3), (0.105, 2), (0.4, 2), (0.405, 1)])
def test_own_silences_below_the_minimum_are_bridged(min_silence_s: float, runs: int) -> None:
    wave = bursts((0.5, 1.0), (1.1, 1.6), (2.0, 2.5))
    assert len(detect_speech(wave, RATE, min_silence_s)) == runs


def test_int16_and_float32_of_one_signal_agree() -> None:
    wave = bursts((0.5, 1.0), (2.0, 3.2))
    pcm = np.rint(wave * 32767).astype(np.int16)
    assert detect_speech(pcm, RATE, 0.2) == detect_speech(wave, RATE, 0.2)


def test_the_last_run_ends_with_the_signal() -> None:
    wave = bursts((0.5, 4.0))[:-7]
    assert detect_speech(wave, RATE, 0.2)[-1].end == len(wave)


@pytest.mark.parametrize(
    "samples", [np.zeros((8, 2), np.float32), np.zeros(8, np.float64)], ids=["stereo", "float64"]
)
def test_what_is_not_mono_pcm_is_refused(samples: Wave) -> None:
    with pytest.raises(ConfigError, match="wanted mono float32 or int16"):
        detect_speech(samples, RATE, 0.2)


def test_levels_are_rms_per_hop_and_the_speech_level_is_that_of_the_energy() -> None:
    wave = np.concatenate((np.full(4 * HOP, 0.1), np.full(100 * HOP, 0.001), np.zeros(7))).astype(np.float32)
    levels = hop_levels_db(wave, HOP)
    assert len(levels) == 105
    assert levels[0] == pytest.approx(-20.0, abs=0.01)
    assert levels[-1] == pytest.approx(-96.0)
    assert speech_level_db(levels) == pytest.approx(-20.0, abs=0.01)


def test_settings_move_the_threshold() -> None:
    wave = bursts((0.5, 1.0)) + bursts((1.05, 1.4), level_db=-55.0, seed=2)
    deep, shallow = (detect_speech(wave, RATE, 0.2, EnergyVadSettings(depth_db=db)) for db in (42.0, 25.0))
    assert in_seconds(deep) == [(0.5, 1.4)]
    assert in_seconds(shallow) == [(0.5, 1.0)]

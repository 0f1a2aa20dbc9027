"""How loud each speaker of a dialogue is; pyloudnorm judges."""

import numpy as np
import numpy.typing as npt
import pyloudnorm  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.levels import PEAK_DBFS, TARGET_LUFS, speaker_gain_db

RATE = 24_000
Pcm = npt.NDArray[np.int16]


def speech(seconds: float, peak: int = 6_000, seed: int = 0) -> Pcm:
    """Noise that swells and fades four times a second, as syllables do."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(count) / RATE)
    wave = rng.uniform(-1, 1, count) * swell
    pcm: Pcm = np.rint(peak * wave / np.abs(wave).max()).astype(np.int16)
    return pcm


def amplified(clips: list[Pcm], gain_db: float) -> npt.NDArray[np.float64]:
    return np.concatenate(clips) / 32_768 * 10 ** (gain_db / 20)


def peak_dbfs(wave: npt.NDArray[np.float64]) -> float:
    return 20 * float(np.log10(np.abs(wave).max()))


@settings(max_examples=25)
@given(st.lists(st.integers(10, 30), min_size=1, max_size=4), st.integers(400, 20_000), st.integers(0, 99))
def test_a_speaker_is_brought_to_the_target_over_all_clips(lengths: list[int], peak: int, seed: int) -> None:
    # Tenths of a second: the judge counts a last block that is not full.
    clips = [speech(tenths / 10, peak, seed + i) for i, tenths in enumerate(lengths)]
    heard = amplified(clips, speaker_gain_db(clips, RATE, TARGET_LUFS))
    assert pyloudnorm.Meter(RATE).integrated_loudness(heard) == pytest.approx(TARGET_LUFS, abs=0.1)
    assert peak_dbfs(heard) <= PEAK_DBFS


@settings(max_examples=25)
@given(st.floats(-60, -10), st.integers(0, 99))
def test_the_peak_limit_wins_over_the_target(target_lufs: float, seed: int) -> None:
    spiky = speech(1.0, 1_500, seed)
    spiky[RATE // 2] = 32_000  # a click: hardly loud, but a limit to the gain
    heard = amplified([spiky], speaker_gain_db([spiky], RATE, target_lufs))
    assert peak_dbfs(heard) <= PEAK_DBFS + 0.001
    if target_lufs > -34.5:  # what this clip reaches at the limit is -34.6
        assert peak_dbfs(heard) == pytest.approx(PEAK_DBFS, abs=0.001)
    elif target_lufs < -34.8:
        assert pyloudnorm.Meter(RATE).integrated_loudness(heard) == pytest.approx(target_lufs, abs=0.1)


@pytest.mark.parametrize("louder_db", [-20.0, -6.0, 6.0])
def test_louder_clips_get_so_much_less_gain(louder_db: float) -> None:
    plain = speech(2.0)
    louder = np.rint(plain * 10 ** (louder_db / 20)).astype(np.int16)
    gains = [speaker_gain_db([clip], RATE, TARGET_LUFS) for clip in (plain, louder)]
    assert gains[1] - gains[0] == pytest.approx(-louder_db, abs=0.02)


def test_one_gain_for_all_clips_keeps_their_differences() -> None:
    quiet, loud = speech(1.5, 1_000), speech(1.5, 8_000, seed=1)
    together = speaker_gain_db([quiet, loud], RATE, TARGET_LUFS)
    assert speaker_gain_db([loud], RATE, TARGET_LUFS) < together < speaker_gain_db([quiet], RATE, TARGET_LUFS)


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.39])
def test_speech_shorter_than_a_block_is_measured_too(seconds: float) -> None:
    short = speech(seconds)
    heard = amplified([np.tile(short, 20)], speaker_gain_db([short], RATE, TARGET_LUFS))
    assert pyloudnorm.Meter(RATE).integrated_loudness(heard) == pytest.approx(TARGET_LUFS, abs=0.5)


def test_silent_clips_have_no_gain() -> None:
    with pytest.raises(ValueError, match="no gain that makes them audible"):
        speaker_gain_db([np.zeros(RATE, dtype=np.int16)], RATE, TARGET_LUFS)

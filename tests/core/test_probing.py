"""What two channels really are is measured before they are believed."""

import numpy as np
import pytest

from pipeline.core.probing import ChannelProbe, PairProbe, ProbedAudio, ProbeLimits, pair_problems
from pipeline.core.suppression import RATE_HZ
from pipeline.domain.mining import RejectCode

NOISE = np.random.default_rng(3).normal(0, 0.1, RATE_HZ * 30).astype(np.float32)
OTHER = np.random.default_rng(4).normal(0, 0.1, RATE_HZ * 30).astype(np.float32)


def heard(first: np.ndarray, second: np.ndarray) -> PairProbe:
    pair = PairProbe()
    both = np.stack([first, second])
    for start in range(0, len(first), 8 * RATE_HZ):
        pair.hear(both[:, start : start + 8 * RATE_HZ])
    return pair


def probed(pair: PairProbe) -> ProbedAudio:
    return ProbedAudio(
        paths=("a.wav",),
        sampling_rate=RATE_HZ,
        num_samples=len(NOISE),
        encoding="WAV/PCM_16",
        channels=(),
        correlation=pair.correlation(),
        lag_s=pair.lag_s(),
    )


@pytest.mark.parametrize(
    ("second", "codes"),
    [
        (OTHER, []),
        (NOISE, [RejectCode.DUPLICATE_CHANNEL]),
        (0.1 * NOISE + 0.3, [RejectCode.DUPLICATE_CHANNEL]),  # softer, and off centre: the same sound
        (NOISE + 0.3 * OTHER, []),
        (np.roll(NOISE, round(0.05 * RATE_HZ)), []),  # an echo of 50 ms is reported, not refused
        (np.roll(NOISE, round(0.3 * RATE_HZ)), [RejectCode.CHANNEL_SWAP_SUSPECT]),
        (np.roll(NOISE, -round(0.3 * RATE_HZ)), [RejectCode.CHANNEL_SWAP_SUSPECT]),
        (np.zeros_like(NOISE), []),
    ],
)
def test_a_channel_twice_is_no_second_speaker(second: np.ndarray, codes: list[RejectCode]) -> None:
    found = pair_problems(probed(heard(NOISE, second.astype(np.float32))), ProbeLimits())
    assert [value.code for value in found] == codes


@pytest.mark.parametrize("lag_s", [0.008, -0.05, 0.25])
def test_a_steady_lag_is_measured(lag_s: float) -> None:
    pair = heard(NOISE, np.roll(NOISE, round(lag_s * RATE_HZ)) * np.float32(0.2))
    assert pair.lag_s() == pytest.approx(lag_s, abs=2.5e-4)


@pytest.mark.parametrize("seconds", [0.6, 1.0, 1.1, 8.0])
@pytest.mark.parametrize("lag_s", [-0.5, 0.0, 0.499])
def test_a_lag_is_found_in_blocks_of_any_length(seconds: float, lag_s: float) -> None:
    """The sound lies in the middle, so that it is all there however far it is moved."""
    block = np.zeros((2, round((seconds + 1.2) * RATE_HZ)), np.float32)
    sound = NOISE[: round(seconds * RATE_HZ)]
    for channel, at_s in enumerate((0.6, 0.6 + lag_s)):
        start = round(at_s * RATE_HZ)
        block[channel, start : start + len(sound)] = sound
    pair = PairProbe()
    for _ in range(2):
        pair.hear(block)
    assert pair.lag_s() == pytest.approx(lag_s, abs=2.5e-4)


def test_two_sounds_have_no_lag_and_a_silent_channel_no_correlation() -> None:
    assert heard(NOISE, OTHER).lag_s() is None
    assert heard(NOISE, np.zeros_like(NOISE)).correlation() is None
    assert PairProbe().correlation() is None


def test_a_channel_tells_its_peak_clipping_offset_and_bandwidth() -> None:
    rate = 16_000
    t = np.arange(rate * 4) / rate
    wave = (0.5 * np.sin(2 * np.pi * 1000 * t) + 0.25).astype(np.float32)
    wave[:40] = 1.0
    probe = ChannelProbe(rate)
    for block in np.split(wave, 4):
        probe.hear(block)
    facts = probe.facts()
    assert facts.peak == 1.0
    assert facts.clipped_share == pytest.approx(40 / len(wave))
    assert facts.dc_offset == pytest.approx(0.25, abs=0.01)
    assert facts.bandwidth_hz is not None


def test_bandwidth_is_where_the_sound_ends() -> None:
    spectrum = np.fft.rfft(NOISE[: RATE_HZ * 8])
    spectrum[np.fft.rfftfreq(RATE_HZ * 8, 1 / RATE_HZ) > 3400] = 0
    probe = ChannelProbe(RATE_HZ)
    probe.hear(np.fft.irfft(spectrum).astype(np.float32))
    assert probe.facts().bandwidth_hz == pytest.approx(3400, abs=100)


def test_digital_silence_has_no_bandwidth() -> None:
    probe = ChannelProbe(8000)
    probe.hear(np.zeros(8000, np.float32))
    assert probe.facts().bandwidth_hz is None

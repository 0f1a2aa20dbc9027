"""Audio promises of the design, measured on samples."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.assembly import assemble, move_away, to_pcm16
from pipeline.domain.labels import Speaker
from pipeline.domain.script import Script
from pipeline.domain.timeline import Distance
from tests.core.timing.test_placement import timeline_of
from tests.spoken import ALL_SHAPES, RATE, bystander, interruption, load_clip

GAIN = 10 ** (-6.0 / 20)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(ALL_SHAPES), st.integers(0, 1_000))
def test_outside_all_spans_a_track_is_digital_silence(shape: Callable[[], Script], seed: int) -> None:
    timeline = timeline_of(shape(), seed)
    samples = assemble(timeline, load_clip)
    assert samples.shape == (timeline.num_samples, 2)
    assert samples.dtype == np.int16
    for channel in (0, 1):
        silent = np.ones(timeline.num_samples, dtype=bool)
        for supervision in timeline.supervisions:
            if supervision.track.channel == channel:
                silent[supervision.span.start : supervision.span.end] = False
        assert not samples[silent, channel].any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1_000))
def test_inside_its_span_a_supervision_is_its_clip_to_the_sample(seed: int) -> None:
    timeline = timeline_of(interruption(), seed)
    samples = assemble(timeline, load_clip)
    for supervision in timeline.supervisions:
        span = supervision.span
        clip = load_clip(supervision.clip)[: len(span) - supervision.fade_samples]
        heard = samples[span.start : span.start + len(clip), supervision.track.channel]
        wanted = np.rint(clip.astype(np.float32) * np.float32(GAIN))
        assert np.abs(heard - wanted).max() <= 1  # float32 products may round the other way at a tie


def test_a_truncated_supervision_fades_to_nothing() -> None:
    timeline = next(
        t for t in (timeline_of(interruption(), s) for s in range(99)) if t.supervision("u02").truncated
    )
    host = timeline.supervision("u02")
    samples = assemble(timeline, load_clip)[:, 1].astype(float)
    last = np.sqrt(np.mean(samples[host.span.end - 48 : host.span.end] ** 2))
    before = np.sqrt(
        np.mean(samples[host.span.end - host.fade_samples - 480 : host.span.end - host.fade_samples] ** 2)
    )
    assert last < 0.05 * before
    assert not samples[host.span.end : host.span.end + 100].any()


def test_a_bystander_is_quieter_and_duller_than_the_user() -> None:
    timeline = timeline_of(bystander(), 3)
    samples = assemble(timeline, load_clip)[:, 0].astype(float)

    def level_and_brightness(speaker: Speaker) -> tuple[float, float]:
        span = next(s.span for s in timeline.supervisions if s.speaker is speaker)
        wave = samples[span.start : span.end]
        spectrum = np.abs(np.fft.rfft(wave)) ** 2
        high = np.fft.rfftfreq(len(wave), 1 / RATE) > 8_000
        return float(np.sqrt(np.mean(wave**2))), float(spectrum[high].sum() / spectrum.sum())

    user, third = level_and_brightness(Speaker.USER), level_and_brightness(Speaker.THIRD_PARTY)
    assert third[0] < 0.4 * user[0]
    assert third[1] < 0.3 * user[1]


@pytest.mark.parametrize("level_db", [-8.0, -14.0])
def test_distance_keeps_the_length_and_ends_in_silence(level_db: float) -> None:
    wave = np.ones(RATE, dtype=np.float32)
    distance = Distance(
        level_db=level_db, lowpass_hz=4_000, reverberation_s=0.3, direct_to_reverberant_db=3, seed=1
    )
    far = move_away(wave, distance, RATE)
    assert far.shape == wave.shape
    assert abs(far[-1]) < 1e-3
    assert np.array_equal(far, move_away(wave, distance, RATE))


def test_rounding_is_to_nearest_and_limited() -> None:
    wave = np.array([0.49, 0.51, -0.51, 1.5, 2.5, 40_000.0, -40_000.0], dtype=np.float32)
    assert to_pcm16(wave).tolist() == [0, 1, -1, 2, 2, 32_767, -32_768]


def test_pcm16_rounding_error_is_below_a_third_of_a_step() -> None:
    wave = np.random.default_rng(0).uniform(-20_000, 20_000, 100_000).astype(np.float32)
    error = to_pcm16(wave).astype(np.float64) - wave
    assert np.sqrt(np.mean(error**2)) <= 0.30

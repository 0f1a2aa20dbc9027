"""Changing a clip's sampling rate, once, where it enters."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.resampling import resample_clip
from pipeline.domain.span import Span
from pipeline.domain.voice import Clip
from pipeline.domain.words import TimeSource, Word

RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
rates = pytest.mark.parametrize(("source", "target"), [(a, b) for a in RATES for b in (16_000, 24_000)])


def tone(rate: int, hz: float, seconds: float = 0.5, words: tuple[Word, ...] = ()) -> Clip:
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return Clip(samples=wave.astype(np.float32), sampling_rate=rate, words=words, engine="tone-1")


@st.composite
def clips(draw: st.DrawFn) -> Clip:
    """Words of any length from a single sample on, with or without silence between them."""
    count = draw(st.integers(40, 4_000))
    cuts = draw(st.lists(st.integers(0, count), min_size=2, max_size=20, unique=True).map(sorted))
    words = tuple(
        Word(text=f"w{i}", span=Span(start=start, end=end), source=TimeSource.ENGINE)
        for i, (start, end) in enumerate(pairwise(cuts))
        if draw(st.booleans()) or i == 0
    )
    samples = np.zeros(count, dtype=np.float32)
    return Clip(samples=samples, sampling_rate=draw(st.sampled_from(RATES)), words=words, engine="x")


@settings(max_examples=200)
@given(clips(), st.sampled_from(RATES))
def test_words_stay_in_order_inside_the_clip_and_none_is_lost(clip: Clip, rate: int) -> None:
    resampled = resample_clip(clip, rate)  # the constructor refuses words out of order or outside
    assert [word.text for word in resampled.words] == [word.text for word in clip.words]
    assert abs(len(resampled.samples) - len(clip.samples) * rate / clip.sampling_rate) <= 1
    assert (resampled.sampling_rate, resampled.engine) == (rate, clip.engine)


@rates
def test_a_words_times_are_the_same_seconds(source: int, target: int) -> None:
    words = tuple(
        Word(
            text="a", span=Span(start=source * n // 10, end=source * (n + 1) // 10), source=TimeSource.ENGINE
        )
        for n in range(5)
    )
    resampled = resample_clip(tone(source, 440, words=words), target)
    for n, word in enumerate(resampled.words):
        assert word.span.start == pytest.approx(target * n / 10, abs=1)
        assert word.span.end == pytest.approx(target * (n + 1) / 10, abs=1)


@rates
def test_a_tone_is_the_same_tone_at_the_same_level_and_place(source: int, target: int) -> None:
    resampled = resample_clip(tone(source, 1_000), target).samples
    wanted = tone(target, 1_000).samples[: len(resampled)]
    middle = slice(target // 20, -target // 20)  # the filter rings at a clip's edges
    error = resampled[: len(wanted)][middle] - wanted[middle]
    assert np.sqrt(np.mean(error**2)) < 1e-4


def test_what_the_lower_rate_cannot_hold_is_gone_and_not_folded_back() -> None:
    resampled = resample_clip(tone(48_000, 15_000), 16_000).samples
    assert np.sqrt(np.mean(resampled[800:-800] ** 2)) < 1e-4


def test_a_full_scale_clip_does_not_leave_the_range() -> None:
    square = np.where(np.arange(8_000) // 40 % 2, 1.0, -1.0).astype(np.float32)
    clip = Clip(samples=square, sampling_rate=16_000, words=(), engine="square-1")
    resampled = resample_clip(clip, 24_000).samples  # the filter overshoots at the steps
    assert np.abs(resampled).max() == 1.0
    assert resampled.flags["C_CONTIGUOUS"]


def test_at_its_own_rate_a_clip_is_itself() -> None:
    clip = tone(24_000, 440)
    assert resample_clip(clip, 24_000) is clip

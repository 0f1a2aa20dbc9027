"""Two channels are told apart, however much of the one is heard in the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.suppression import (
    RATE_HZ,
    STEP_S,
    FrameLevels,
    SuppressionLimits,
    on_grid,
    runs_of,
    suppress,
    talkspurts_of,
    window_levels_db,
)
from pipeline.core.vad import hop_levels_db
from tests.calls import call

STEP = round(STEP_S * RATE_HZ)


def levels_of(samples: np.ndarray) -> np.ndarray:
    powers = [10 ** (hop_levels_db(np.ascontiguousarray(samples[:, c]), STEP) / 10) for c in (0, 1)]
    return window_levels_db(np.stack(powers).astype(np.float32))


def truth(spans: tuple[tuple[float, float], ...], frames: int) -> np.ndarray:
    mask = np.zeros(frames, bool)
    for start, end in spans:
        mask[round(start * 100) : round(end * 100)] = True
    return mask


A, B = ((0.5, 3.0), (6.0, 8.0)), ((2.5, 5.5), (8.5, 9.5))


@pytest.mark.parametrize("bleed_db", [None, -30.0, -20.0, -15.0])
def test_overlap_is_found_at_every_bleed_level(bleed_db: float | None) -> None:
    levels = levels_of(call(RATE_HZ, A, B, 10.0, bleed_db))
    both = np.ones_like(
        levels, dtype=np.float32
    )  # a detector that hears speech everywhere: the worst there is
    loud = (levels > -60).astype(np.float32)
    found = suppress(np.minimum(both, loud), levels)
    assert found.crosstalk == (False, False)
    frames = levels.shape[1]
    wanted = truth(A, frames) & truth(B, frames)
    overlap = found.active[0] & found.active[1]
    hits = (overlap & wanted).sum()
    assert 2 * hits / (overlap.sum() + wanted.sum()) >= 0.82  # the gate of the specification


def test_without_suppression_bleed_would_be_overlap() -> None:
    levels = levels_of(call(RATE_HZ, A, B, 10.0, -20.0))
    loud = levels > -60
    assert (loud[0] & loud[1]).sum() > 3 * (truth(A, levels.shape[1]) & truth(B, levels.shape[1])).sum()


@pytest.mark.parametrize("bleed_db", [-9.0, -6.0, 0.0])
def test_bleed_that_is_stronger_than_12_db_is_crosstalk(bleed_db: float) -> None:
    levels = levels_of(call(RATE_HZ, A, B, 10.0, bleed_db))
    assert any(suppress((levels > -60).astype(np.float32), levels).crosstalk)


def test_the_level_of_the_bleed_is_measured() -> None:
    levels = levels_of(call(RATE_HZ, A, B, 10.0, -20.0))
    bleed = suppress((levels > -60).astype(np.float32), levels).bleed_db
    assert np.abs(np.array(bleed) + 20.0).max() < 2.0


def test_a_listener_who_says_little_is_not_judged_by_the_noise_of_the_line() -> None:
    quiet = ((5.0, 5.8),)
    levels = levels_of(call(RATE_HZ, ((0.5, 9.5),), quiet, 10.0))
    found = suppress((levels > -60).astype(np.float32), levels)
    assert found.crosstalk == (False, False)
    assert found.active[1].sum() == pytest.approx(80, abs=6)


@pytest.mark.parametrize("bleed_db", [None, -20.0])
def test_talk_at_once_for_more_than_half_of_the_time_is_no_crosstalk(bleed_db: float | None) -> None:
    both = ((0.5, 6.0),), ((3.0, 8.0),)
    swell = 10 ** (6 * np.sin(2 * np.pi * 2.3 * np.arange(10 * RATE_HZ) / RATE_HZ) / 20)  # as syllables do
    samples = call(RATE_HZ, *both, 10.0, bleed_db) * swell[:, None].astype(np.float32)
    levels = levels_of(samples)
    found = suppress((levels > -55).astype(np.float32), levels)
    assert found.crosstalk == (False, False)
    assert (found.active[0] & found.active[1]).sum() == pytest.approx(300, rel=0.05)


@pytest.mark.parametrize(
    ("swing_db", "judged_s", "heard"),
    [(2.0, 10, False), (5.9, 10, False), (6.2, 10, True), (30.0, 10, True), (2.0, 4, True)],
)
def test_a_channel_that_never_swings_is_a_line_without_a_voice(
    swing_db: float, judged_s: int, heard: bool
) -> None:
    levels = np.full((2, judged_s * 100), -40.0, np.float32)
    levels[0, 200:300] += swing_db
    levels[1, 50:350] += 30.0
    found = suppress(np.ones_like(levels), levels)
    assert found.active[0].any() == heard
    assert found.active[1].any()


def test_of_silence_nothing_is_said() -> None:
    levels = np.full((2, 500), -100.0, np.float32)
    found = suppress(np.zeros((2, 500), np.float32), levels)
    assert found.attenuation_db == (None, None)
    assert found.bleed_db == ()
    assert not found.active.any()


def test_the_other_sides_speaker_changes_place_with_the_channels() -> None:
    levels = levels_of(call(RATE_HZ, A, B, 10.0, -20.0))
    speech = (levels > -60).astype(np.float32)
    straight, swapped = suppress(speech, levels), suppress(speech[::-1], levels[::-1])
    assert (straight.active == swapped.active[::-1]).all()
    assert straight.bleed_db == swapped.bleed_db[::-1]


@pytest.mark.parametrize(
    ("active_ms", "expected_s"),
    [
        ([(200, 600)], [(0.2075, 0.6075)]),
        ([(200, 290)], []),  # 90 ms
        ([(200, 300)], [(0.2075, 0.3075)]),  # 100 ms is long enough
        ([(200, 600), (790, 990)], [(0.2075, 0.9975)]),  # a gap of 190 ms is filled
        ([(200, 600), (800, 990)], [(0.2075, 0.6075), (0.8075, 0.9975)]),  # 200 ms is a gap
        ([(200, 250), (400, 460)], [(0.2075, 0.4675)]),  # filled first, then judged
        ([(0, 300)], [(0.0, 0.3075)]),
        ([(700, 1000)], [(0.7075, 1.0)]),
    ],
)
def test_gaps_are_filled_before_runs_are_dropped(
    active_ms: list[tuple[int, int]], expected_s: list[tuple[float, float]]
) -> None:
    mask = np.zeros(100, bool)
    for start, end in active_ms:
        mask[start // 10 : end // 10] = True
    found = talkspurts_of(mask, 16_000, 16_000)
    assert [span.seconds(16_000) for span in found] == expected_s


@given(st.lists(st.booleans(), max_size=300), st.sampled_from([8000, 11_025, 44_100]))
def test_talkspurts_are_ordered_disjoint_and_inside(active: list[bool], rate: int) -> None:
    total = max(1, round(len(active) * rate / 100))
    spans = talkspurts_of(np.array(active, bool), rate, total, SuppressionLimits(min_speech_s=0.02))
    borders = [border for span in spans for border in (span.start, span.end)]
    assert borders == sorted(set(borders))
    assert not borders or borders[-1] <= total


@given(st.lists(st.booleans(), max_size=60))
def test_runs_are_the_stretches_of_true(mask: list[bool]) -> None:
    rebuilt = np.zeros(len(mask), bool)
    for start, end in runs_of(np.array(mask, bool)).tolist():
        assert start < end
        rebuilt[start:end] = True
    assert rebuilt.tolist() == mask


@pytest.mark.parametrize(("hop_s", "first"), [(0.005, 2), (0.010, 1), (0.032, 0)])
def test_a_frame_takes_the_hop_that_holds_its_middle(hop_s: float, first: int) -> None:
    hops = np.arange(1000, dtype=np.float32)
    found = on_grid(hops, hop_s, 100)
    assert found[0] == first
    assert found[50] == np.floor((0.5 + 0.0125) / hop_s + 1e-9)


def test_levels_are_of_windows_of_25_ms() -> None:
    powers = np.zeros((1, 20), np.float32)
    powers[0, 10] = 1.0
    assert np.flatnonzero(window_levels_db(powers)[0] > -90).tolist() == [3, 4, 5]


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(0, 40))
def test_levels_of_blocks_are_those_of_the_whole(lengths: list[int], num_frames: int) -> None:
    powers = np.random.default_rng(5).uniform(0, 1, (2, sum(lengths))).astype(np.float32)
    passing = FrameLevels(2, num_frames)
    for end, length in zip(np.cumsum(lengths), lengths, strict=True):
        passing.hear(powers[:, end - length : end])
    found = passing.finish()
    whole = window_levels_db(powers)[:, :num_frames]
    np.testing.assert_array_equal(found[:, : whole.shape[1]], whole)
    np.testing.assert_allclose(found[:, whole.shape[1] :], -100, rtol=1e-6)
    np.testing.assert_array_equal(passing.finish(), found)

"""Thresholds from made-up voices: points on a circle, each speaker in a direction of its own."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.mining.calibration import MIN_TRIALS, ThresholdRule, Trials, calibrate, trials_of

Voice = npt.NDArray[np.float32]


def voice(degrees: float) -> Voice:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


def trials(same: list[float], different: list[float], duration_s: float = 1.0) -> Trials:
    return Trials(duration_s=duration_s, same=tuple(same), different=tuple(different))


def test_pairs_of_one_label_are_same_and_pairs_of_two_are_different() -> None:
    found = trials_of({"A": (voice(0), voice(0)), "B": (voice(60), voice(60))}, 3.0)
    assert found.duration_s == 3.0
    assert found.same == pytest.approx((1, 1), abs=1e-4)
    assert found.different == pytest.approx((0.5,) * 4, abs=1e-4)


def test_a_voice_that_is_no_number_makes_no_trial() -> None:
    broken = np.array([np.nan, 1], np.float32)
    found = trials_of({"A": (voice(0), broken, np.zeros(2, np.float32)), "B": (voice(90),)}, 1.0)
    assert (len(found.same), len(found.different)) == (0, 1)


def test_voices_that_lie_apart_have_a_threshold_between_them_and_no_error() -> None:
    rng = np.random.default_rng(1)
    people = {
        name: tuple(voice(centre + wobble) for wobble in rng.normal(0, 5, 12))
        for name, centre in (("A", 0.0), ("B", 90.0), ("C", 180.0))
    }
    found = calibrate([trials_of(people, 1.0)], "made-up")
    assert (found.eer, found.calibrated) == (0.0, True)
    assert found.threshold is not None
    assert 0.3 < found.threshold <= 1
    assert found.n_trials == 3 * 66 + 3 * 144


@pytest.mark.parametrize(
    ("rule", "threshold", "eer"),
    [
        # same 0.01 ... 1.00, different -0.49 ... 0.50: at 0.26, 25 of 100 are missed and 25 pass
        ("eer", 0.26, 0.25),
        # one of a hundred different ones, that at 0.50, still passes
        ("far_1_percent", 0.50, 0.25),
    ],
)
def test_thresholds_by_hand(rule: ThresholdRule, threshold: float, eer: float) -> None:
    same = [index / 100 for index in range(1, 101)]
    different = [index / 100 - 0.5 for index in range(1, 101)]
    found = calibrate([trials(same, different)], "made-up", rule)
    assert found.eer == pytest.approx(eer, abs=0.005)
    assert found.threshold == pytest.approx(threshold, abs=0.005)


def test_each_length_has_figures_of_its_own() -> None:
    short = trials([0.3] * MIN_TRIALS, [0.2] * MIN_TRIALS, 1.0)
    long = trials([0.9] * MIN_TRIALS, [0.2] * MIN_TRIALS, 3.0)
    found = calibrate([long, short], "made-up")
    assert [(one.duration_s, one.threshold) for one in found.durations] == [(1.0, 0.3), (3.0, 0.9)]


@pytest.mark.parametrize(
    ("encoder", "threshold"), [("made-up", None), ("speechbrain-1:ECAPA-voxceleb@ab", 0.25)]
)
def test_too_few_trials_leave_a_known_encoder_s_figure_or_none(encoder: str, threshold: float | None) -> None:
    few = trials([0.9] * MIN_TRIALS, [0.1] * (MIN_TRIALS - 1))
    found = calibrate([few], encoder)
    assert (found.threshold, found.eer, found.calibrated) == (threshold, None, False)
    assert calibrate([], encoder).n_trials == 0


cosines = st.lists(st.integers(-100, 100).map(lambda c: c / 100), min_size=MIN_TRIALS, max_size=60)


@settings(max_examples=40)
@given(cosines, cosines, st.integers(1, 19))
def test_the_threshold_depends_on_no_order_and_errs_as_it_says(
    same: list[float], different: list[float], cut: int
) -> None:
    whole = calibrate([trials(same, different)], "made-up", "far_1_percent")
    parts = [trials(same[cut:], different[:cut]), trials(same[:cut], different[cut:])]
    assert calibrate(parts, "made-up", "far_1_percent") == whole
    assert whole.threshold is not None
    passed = sum(cos >= whole.threshold for cos in different)
    assert passed <= 0.01 * len(different) + 1e-9

"""Finding a dial: on made-up laws, whose answer is known, and on made-up dialogues."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.core.timing.calibration import (
    DIAL_RANGE,
    MAX_STEPS,
    TOLERANCE,
    Reach,
    Talk,
    find_dial,
    reach_of,
    talk_of,
)
from pipeline.core.timing.placement import Placed
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Speaker
from pipeline.domain.script import Follows, Utterance
from pipeline.domain.span import Span
from tests.core.timing.dialogues import made_up, planned_talk
from tests.spoken import RATE, WORD, clip_of

SOME = tuple(made_up(number) for number in range(25))
every_profile = pytest.mark.parametrize(
    "assistant_waits", [False, True], ids=["reference", "human-assistant"]
)


def smooth(steepness: float, middle: float, dial: float) -> Talk:
    """A ratio between 0.02 and 0.32 that rises with the dial, steepest at `middle`."""
    share = 1 / (1 + math.exp(-steepness * (dial - middle)))
    return Talk(overlap=round(1e9 * (0.02 + 0.3 * share)), speech=10**9)


@given(st.floats(0.2, 6), st.floats(-4, 4), st.floats(0, 1))
def test_any_ratio_of_a_smooth_law_is_found(steepness: float, middle: float, share: float) -> None:
    asked: list[float] = []

    def talk_at(dial: float) -> Talk:
        asked.append(dial)
        return smooth(steepness, middle, dial)

    reach = reach_of(talk_at)
    target = reach.lowest + share * (reach.highest - reach.lowest)
    dial, ratio = find_dial(talk_at, target, reach)
    assert abs(ratio - target) <= TOLERANCE
    assert ratio == smooth(steepness, middle, dial).ratio
    assert DIAL_RANGE[0] <= dial <= DIAL_RANGE[1]
    assert len(asked) <= 3 + MAX_STEPS // 2


@given(st.integers(2, 60), st.floats(0.01, 0.99))
def test_in_a_law_of_steps_the_step_beside_the_target_is_found(steps: int, share: float) -> None:
    def talk_at(dial: float) -> Talk:
        step = min(steps, math.floor((dial + 6) / 12 * steps))
        return Talk(overlap=step, speech=4 * steps)

    reach = reach_of(talk_at)
    target = reach.lowest + share * (reach.highest - reach.lowest)
    ratio = find_dial(talk_at, target, reach)[1]
    assert abs(ratio - target) <= 1 / (4 * steps)


@given(st.floats(0.2, 6), st.floats(-4, 4), st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_of_two_targets_the_higher_gets_the_higher_dial(
    steepness: float, middle: float, shares: list[float]
) -> None:
    def talk_at(dial: float) -> Talk:
        return smooth(steepness, middle, dial)

    reach = reach_of(talk_at)
    targets = sorted(reach.lowest + share * (reach.highest - reach.lowest) for share in shares)
    # Nearer than the search looks, two targets are one.
    assume(all(b - a > 2 * TOLERANCE for a, b in pairwise(targets)))
    dials = [find_dial(talk_at, target, reach)[0] for target in targets]
    assert dials == sorted(dials)


@every_profile
def test_on_dialogues_the_planned_ratio_never_falls_as_the_dial_rises(assistant_waits: bool) -> None:
    dials = np.linspace(*DIAL_RANGE, 61)
    talks = [planned_talk(SOME, float(dial), assistant_waits=assistant_waits) for dial in dials]
    # A host that yields stops on a syllable: where the dial moves one to an earlier one, half a word is lost.
    step = (WORD / 2) / talks[0].speech
    assert step < 5e-4
    assert all(after.ratio >= before.ratio - step for before, after in pairwise(talks))
    assert talks[-1].ratio > talks[0].ratio + 0.05


@every_profile
def test_on_dialogues_the_dial_never_falls_as_the_target_rises(assistant_waits: bool) -> None:
    def talk_at(dial: float) -> Talk:
        return planned_talk(SOME, dial, assistant_waits=assistant_waits)

    reach = reach_of(talk_at)
    targets = [reach.lowest + i * (reach.highest - reach.lowest) / 21 for i in range(1, 21)]
    dials = [find_dial(talk_at, target, reach)[0] for target in targets]
    assert dials == sorted(dials)
    assert dials[0] < 0 < dials[-1]


@pytest.mark.parametrize("target", [0.0, 0.0297, 0.2003, 1.0])
def test_a_target_outside_of_reach_is_refused_with_what_can_be_had(target: float) -> None:
    reach = Reach(lowest=0.03, undialled=0.08, highest=0.2)
    with pytest.raises(ConfigError, match=r"feasible: 0\.0300 to 0\.2000 .*reference alone gives 0\.0800"):
        reach.check(target)
    assert reach.lowest <= reach.clamp(target) <= reach.highest


@pytest.mark.parametrize("target", [0.03, 0.0299, 0.11, 0.2, 0.2001])
def test_a_target_within_reach_is_let_through(target: float) -> None:
    reach = Reach(lowest=0.03, undialled=0.08, highest=0.2)
    reach.check(target)
    assert abs(reach.clamp(target) - target) <= TOLERANCE


def said(name: str, speaker: Speaker, start: int, words: int = 1) -> Placed:
    clip = clip_of(" ".join(["yes"] * words))
    utterance = Utterance(utterance_id=name, turn=0, speaker=speaker, text="yes", anchor=Follows())
    return Placed(utterance=utterance, span=Span(start=start, end=start + words * WORD), words=clip.words)


SHORT, LONG = round(0.199 * RATE), round(0.2 * RATE)


@pytest.mark.parametrize(
    ("placed", "wanted"),
    [
        ((), Talk(0, 0)),
        ((said("a", Speaker.USER, 0, 3),), Talk(0, 3 * WORD)),
        # Own silence below 0.2 s belongs to the speech around it, one of 0.2 s does not.
        ((said("a", Speaker.USER, 0), said("b", Speaker.USER, WORD + SHORT)), Talk(0, 2 * WORD + SHORT)),
        ((said("a", Speaker.USER, 0), said("b", Speaker.USER, WORD + LONG)), Talk(0, 2 * WORD)),
        ((said("a", Speaker.USER, 0, 2), said("b", Speaker.ASSISTANT, WORD, 2)), Talk(WORD, 3 * WORD)),
        # A bystander is heard on the user's track: over the user it is one track, over the assistant two.
        ((said("a", Speaker.USER, 0, 2), said("b", Speaker.THIRD_PARTY, WORD, 2)), Talk(0, 3 * WORD)),
        ((said("a", Speaker.ASSISTANT, 0, 2), said("b", Speaker.THIRD_PARTY, WORD)), Talk(WORD, 2 * WORD)),
    ],
)
def test_talk_is_counted_by_hand(placed: tuple[Placed, ...], wanted: Talk) -> None:
    assert talk_of(placed, RATE) == wanted
    assert talk_of(tuple(reversed(placed)), RATE) == wanted


PARTS = st.tuples(st.sampled_from(Speaker), st.integers(0, 40), st.integers(1, 6))


@settings(max_examples=60)
@given(st.lists(PARTS, max_size=8))
def test_talk_is_what_counting_sample_by_sample_gives(parts: list[tuple[Speaker, int, int]]) -> None:
    tick = WORD // 3  # 0.1 s: silences of 0.1 s are filled, those of 0.2 s stay
    placed = [said(f"u{i}", who, at * tick, words) for i, (who, at, words) in enumerate(parts)]
    speaking = np.zeros((2, 64), dtype=bool)
    for (who, at, words), _ in zip(parts, placed, strict=True):
        speaking[int(who is Speaker.ASSISTANT), at : at + 3 * words] = True
    for track in speaking:
        for i in range(1, len(track) - 1):
            if not track[i] and track[i - 1] and track[i + 1]:
                track[i] = True
    wanted = Talk(
        overlap=tick * int(speaking.all(axis=0).sum()), speech=tick * int(speaking.any(axis=0).sum())
    )
    assert talk_of(placed, RATE) == wanted


def test_a_ratio_is_time_summed_before_it_is_divided() -> None:
    assert Talk.total([Talk(overlap=1, speech=10), Talk(overlap=0, speech=90)]).ratio == 0.01
    assert Talk.total([]).ratio == 0.0

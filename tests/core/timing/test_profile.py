"""Draws: their laws, their bounds, and what the dial moves and what it leaves alone."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.reference import Distribution
from pipeline.core.timing.dyad import Dyad
from pipeline.core.timing.profile import (
    HESITATION_RANGE_S,
    HESITATION_S,
    Latency,
    Profile,
    draw_between,
)
from pipeline.domain.labels import Language
from tests.core.timing.dialogues import REFERENCE, profile_of

DIALS = st.floats(-6, 6)
FAR_S = -100.0
"""A lower bound that bounds nothing."""
AVERAGE = replace(profile_of("en-0"), dyad=Dyad())
COUNT = 2_000

Draw = Callable[[Profile, str], float]
TRANSFER: Draw = lambda profile, label: profile.transfer_s(label, FAR_S)  # noqa: E731
REACTION: Draw = lambda profile, label: profile.reaction_s(label)  # noqa: E731
BYSTANDER: Draw = lambda profile, label: profile.bystander_delay_s(label, 2.0)  # noqa: E731
LAWS: dict[str, Draw] = {
    "fto_turn_to_turn": TRANSFER,
    "gap": lambda profile, label: profile.gap_s(label),
    "pause": lambda profile, label: profile.pause_s(label),
    "floor_taking_continuation_cut_off": REACTION,
    "backchannel_since_partner_word_end": lambda profile, label: profile.backchannel_delay_s(label, 100.0),
}
UNMOVED: dict[str, Draw] = {
    **{name: LAWS[name] for name in ("gap", "pause", "backchannel_since_partner_word_end")},
    "hesitation": lambda profile, label: profile.hesitation_s(label, Language.EN),
    "interrupter": lambda profile, label: profile.interrupter_delay_s(label, 1.0),
}


def distance(values: Sequence[float], table: Distribution) -> float:
    """Kolmogorov-Smirnov distance of a sample to the law that its draws were read from."""
    ordered = np.sort(np.asarray(values))
    # `draw_between` starts at the law's share below its bound; nothing lies below 0 in these laws but FTO.
    law = np.array([table.cdf(value) for value in ordered])
    ranks = np.arange(len(ordered))
    return float(max(np.max(law - ranks / len(ordered)), np.max((ranks + 1) / len(ordered) - law)))


@pytest.mark.parametrize("law", LAWS)
def test_without_a_dial_draws_follow_the_law_of_the_reference(law: str) -> None:
    values = [LAWS[law](AVERAGE, f"label-{n}") for n in range(COUNT)]
    # 1.36 / sqrt(n): what chance alone exceeds one time in twenty; tables end at 0.5 % and 99.5 %.
    assert distance(values, REFERENCE.distribution(law)) < 1.36 / math.sqrt(COUNT) + 0.005


@pytest.mark.parametrize("law", ["fto_turn_to_turn", "pause"])
def test_over_many_pairs_draws_follow_the_law_of_the_reference_too(law: str) -> None:
    values = [LAWS[law](profile_of(f"en-{n}"), "label") for n in range(COUNT)]
    assert distance(values, REFERENCE.distribution(law)) < 1.36 / math.sqrt(COUNT) + 0.005


@given(st.text(max_size=8), st.integers(0, 99), DIALS, st.floats(0, 3))
def test_more_dial_never_means_a_later_transfer_a_faster_reaction_or_an_earlier_bystander_lost(
    label: str, number: int, dial: float, more: float
) -> None:
    low, high = (profile_of(f"en-{number}", dial=at) for at in (dial, dial + more))
    assert TRANSFER(high, label) <= TRANSFER(low, label)
    assert REACTION(high, label) >= REACTION(low, label)
    assert BYSTANDER(high, label) <= BYSTANDER(low, label)
    assert 0 <= high.lateness <= low.lateness <= 1


def test_the_dial_moves_what_it_should() -> None:
    # The control of the test above, which a dial that moves nothing would pass.
    for draw, sign in ((TRANSFER, -1), (REACTION, 1), (BYSTANDER, -1)):
        values = [median(draw(profile_of(f"en-{n}", dial=at), "x") for n in range(50)) for at in (-2, -1, 0)]
        assert sign * values[0] < sign * values[1] < sign * values[2]


@pytest.mark.parametrize("draw", UNMOVED.values(), ids=UNMOVED)
def test_pauses_gaps_and_hesitations_never_move(draw: Draw) -> None:
    values = [[draw(profile_of(f"en-{n}", dial=at), "x") for n in range(20)] for at in (-6.0, 0.0, 6.0)]
    assert values[0] == values[1] == values[2]
    assert len(set(values[0])) == 20


@given(st.floats(-2, 2), st.text(max_size=8), st.integers(0, 99), DIALS)
def test_a_transfer_keeps_its_bound_at_any_dial(lower_s: float, label: str, number: int, dial: float) -> None:
    assert profile_of(f"en-{number}", dial=dial).transfer_s(label, lower_s) >= lower_s


@given(st.text(max_size=8), st.integers(0, 99), DIALS, st.floats(0, 3))
def test_delays_keep_their_bounds_at_any_dial(label: str, number: int, dial: float, room_s: float) -> None:
    profile = profile_of(f"en-{number}", dial=dial)
    assert 0 <= profile.interrupter_delay_s(label, room_s) <= min(0.3, room_s)
    assert 0 <= profile.bystander_delay_s(label, room_s) <= room_s
    assert 0 <= profile.backchannel_delay_s(label, room_s) <= room_s
    assert profile.reaction_s(label) >= 0
    assert profile.pause_s(label) >= 0.2


@pytest.mark.parametrize("language", list(Language))
def test_hesitations_have_humdials_median_spread_and_range(language: Language) -> None:
    values = sorted(profile_of(f"en-{n}").hesitation_s("x", language) for n in range(COUNT))
    median_s, p90_s = HESITATION_S[language]
    assert values[COUNT // 2] == pytest.approx(median_s, rel=0.05)
    assert values[COUNT * 9 // 10] == pytest.approx(p90_s, rel=0.06)
    assert HESITATION_RANGE_S[0] <= values[0]
    assert values[-1] <= HESITATION_RANGE_S[1]


def test_a_latency_of_its_own_is_lognormal_and_leaves_other_draws_alone() -> None:
    plain = [profile_of(f"en-{n}") for n in range(COUNT)]
    own = [replace(profile, latency=Latency(median_s=0.8, sigma=0.3)) for profile in plain]
    logs = [math.log(profile.response_s("x", FAR_S)) for profile in own]
    assert np.mean(logs) == pytest.approx(math.log(0.8), abs=0.02)
    assert np.std(logs) == pytest.approx(0.3, abs=0.015)
    assert [TRANSFER(p, "y") for p in own] == [TRANSFER(p, "y") for p in plain]


@given(st.integers(0, 999), DIALS)
def test_an_assistant_that_waits_leaves_a_gap_where_two_people_would_overlap(
    number: int, dial: float
) -> None:
    waiting = profile_of(f"en-{number}", dial=dial, assistant_waits=True)
    assert waiting.response_s("x", FAR_S) == waiting.gap_s("x") > 0
    other = profile_of(f"en-{number}", dial=dial)
    assert other.response_s("x", FAR_S) == TRANSFER(other, "x")


@pytest.mark.parametrize("change", [{"dialogue_id": "en-1"}, {"root_seed": 1}, {"stream": "timing/1"}])
def test_a_draw_depends_on_its_labels_and_on_no_draw_before_it(change: dict[str, object]) -> None:
    first = AVERAGE.gap_s("a")
    for label in ("b", "c"):
        AVERAGE.gap_s(label)
    assert AVERAGE.gap_s("a") == first
    assert AVERAGE.gap_s("b") != first
    fields = {"dialogue_id": "en-0", "root_seed": 0, "stream": "timing/0", **change}
    other = replace(
        AVERAGE,
        dialogue_id=str(fields["dialogue_id"]),
        root_seed=int(str(fields["root_seed"])),
        stream=str(fields["stream"]),
    )
    assert other.gap_s("a") != first


@given(st.floats(-9, 9), st.floats(-3, 3), st.floats(0, 3))
def test_a_bounded_draw_stays_in_its_bounds(score: float, lower_s: float, width_s: float) -> None:
    drawn = draw_between(REFERENCE.distribution("fto"), score, lower_s, lower_s + width_s)
    assert lower_s <= drawn <= lower_s + width_s


def test_a_bound_conditions_the_law_instead_of_piling_it_up() -> None:
    table = REFERENCE.distribution("fto_turn_to_turn")
    values = [AVERAGE.transfer_s(f"label-{n}", 0.0) for n in range(COUNT)]
    assert sum(value == 0.0 for value in values) < COUNT / 100
    share = table.cdf(0.0)
    wanted = table.quantile(share + 0.5 * (1 - share))
    assert median(values) == pytest.approx(wanted, rel=0.06)

"""What the `reference` profile does not know: who of the two is the user."""

from itertools import pairwise
from statistics import stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from pipeline.core.timing.material import gather
from pipeline.core.timing.placement import Placement, place
from pipeline.domain.labels import Speaker, Track
from pipeline.domain.script import Script
from tests.core.timing.dialogues import placement_of, plain_talk, profile_of
from tests.spoken import RATE, speak

OTHER = {Speaker.USER: Speaker.ASSISTANT, Speaker.ASSISTANT: Speaker.USER}


def swapped(script: Script) -> Script:
    """The same talk with the parts exchanged: the assistant opens, and the user answers."""
    utterances = tuple(u.model_copy(update={"speaker": OTHER[u.speaker]}) for u in script.utterances)
    return script.model_copy(update={"utterances": utterances})


def onsets(placement: Placement) -> dict[str, int]:
    return {name: one.span.start for name, one in placement.placed.items()}


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 9), st.floats(-6, 6), st.integers(0, 1_000))
def test_user_and_assistant_exchanged_take_turns_at_the_same_moments(
    number: int, turns: int, dial: float, root_seed: int
) -> None:
    script = plain_talk(number, turns)
    one, other = (placement_of(speak(s), dial, root_seed) for s in (script, swapped(script)))
    assert onsets(one) == onsets(other)
    assert one.offsets == other.offsets
    assert {n: OTHER[p.utterance.speaker] for n, p in one.placed.items()} == {
        n: p.utterance.speaker for n, p in other.placed.items()
    }


@pytest.mark.parametrize("dial", [-2.0, 0.0, 2.0])
def test_both_directions_of_a_transfer_follow_one_law(dial: float) -> None:
    # Labels differ here: this is about the law that is drawn from, not about equal draws.
    offsets_s: dict[Track, list[float]] = {track: [] for track in Track}
    for number in range(120):
        placed = list(placement_of(speak(plain_talk(number)), dial).placed.values())
        for before, after in pairwise(placed):
            if before.utterance.turn != after.utterance.turn:
                seconds = (after.span.start - before.span.end) / RATE
                offsets_s[Track.of(after.utterance.speaker)].append(seconds)
    to_user, to_assistant = offsets_s[Track.USER], offsets_s[Track.ASSISTANT]
    assert (len(to_user), len(to_assistant)) == (360, 480)
    assert stdev(to_user) > 0.1
    # 1.63 sqrt(1/m + 1/n): exceeded by one pair of equal samples in a hundred.
    assert ks_2samp(to_user, to_assistant).statistic < 1.63 * (1 / 360 + 1 / 480) ** 0.5


def test_an_assistant_that_waits_breaks_the_symmetry() -> None:
    # The control: a difference between the parts is seen by what the tests above compare.
    different = 0
    for number in range(20):
        pair = [
            place(gather(speak(s)), profile_of(s.dialogue_id, 0, 1.0, assistant_waits=True), 0.2)
            for s in (plain_talk(number), swapped(plain_talk(number)))
        ]
        different += onsets(pair[0]) != onsets(pair[1])
    assert different == 20

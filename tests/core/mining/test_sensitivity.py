from functools import partial

import pytest
from hypothesis import given, settings

from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.sensitivity import jittered, onsets_kept, without_short
from pipeline.domain.mining import RecordedActivity
from tests.core.mining.made import conversations, talk

LIMITS = EventLimits()
A = tuple((t, t + 8.0) for t in range(0, 400, 10))
B = tuple((t + 4.0, t + 4.5) for t in range(0, 400, 10))


def test_a_change_that_changes_nothing_keeps_every_onset() -> None:
    (score,) = onsets_kept(talk(A, B, total_s=410), [lambda one: one], LIMITS)
    assert score.hits >= 40
    assert score.f1 == 1.0


def test_worse_borders_keep_fewer_onsets() -> None:
    activity = talk(A, B, total_s=410)
    changes = [partial(jittered, deviation_s=s, limits=LIMITS) for s in (0.0, 0.03, 1.0)]
    kept = [score.f1 or 0.0 for score in onsets_kept(activity, changes, LIMITS)]
    assert kept[0] == 1.0
    assert kept[1] >= 0.9 > kept[2]


def test_short_talkspurts_are_lost_with_their_onsets() -> None:
    activity = talk(A, B, total_s=410)
    changes = [partial(without_short, shortest_s=s, limits=LIMITS) for s in (0.5, 0.51)]
    kept, lost = onsets_kept(activity, changes, LIMITS)
    assert kept.f1 == 1.0
    assert (lost.hits, lost.recall) == (0, 0.0)


@settings(max_examples=40)
@given(conversations(speakers=3))
def test_moved_talk_is_talk_still_and_the_same_every_time(activity: RecordedActivity) -> None:
    moved = jittered(activity, 0.5, LIMITS)
    RecordedActivity.model_validate(moved.model_dump())  # ordered, disjoint, inside
    assert jittered(activity, 0.5, LIMITS) == moved


@pytest.mark.parametrize("shortest_s", [0.1, 0.3])
def test_what_is_kept_is_long_enough(shortest_s: float) -> None:
    activity = talk(((0, 0.2), (1, 2)), ((5, 5.3),))
    kept = [s for one in without_short(activity, shortest_s, LIMITS).speakers for s in one.talkspurts]
    assert min(len(span) for span in kept) >= shortest_s * activity.sampling_rate

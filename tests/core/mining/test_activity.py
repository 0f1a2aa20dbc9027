import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.mining.activity import (
    Silence,
    clean,
    joint_silences,
    overlapping_starts,
    silences,
    talk_of,
    union,
)
from pipeline.domain.mining import RecordedActivity
from pipeline.domain.span import Span
from tests.core.mining.made import Times, conversations, span, talk


@pytest.mark.parametrize(
    ("given_s", "wanted_s"),
    [
        (((0, 1), (1.2, 2)), ((0, 2),)),  # a gap of exactly the limit is merged
        (((0, 1), (1.201, 2)), ((0, 1), (1.201, 2))),
        (((0, 0.1),), ((0, 0.1),)),  # a spurt of exactly the limit stays
        (((0, 0.099),), ()),
        (((0, 0.06), (0.2, 0.26)), ((0, 0.26),)),  # merged first: together they are long enough
        (((0, 1), (1.1, 1.15), (1.3, 2)), ((0, 2),)),
        ((), ()),
    ],
)
def test_gaps_are_merged_before_short_spurts_are_dropped(given_s: Times, wanted_s: Times) -> None:
    cleaned = clean((span(*times) for times in given_s), 1000, ipu_gap_s=0.2, min_ipu_s=0.1)
    assert cleaned == tuple(span(*times) for times in wanted_s)


@given(conversations(speakers=1))
def test_cleaning_twice_changes_nothing(activity: RecordedActivity) -> None:
    once = clean(activity.speakers[0].talkspurts, 1000, 0.2, 0.1)
    assert clean(once, 1000, 0.2, 0.1) == once


@settings(max_examples=40)
@given(conversations(speakers=3), st.integers(0, 40_000), st.integers(0, 40_000))
def test_time_alone_and_time_active_are_those_counted_sample_by_sample(
    activity: RecordedActivity, a: int, b: int
) -> None:
    cleaned = talk_of(activity, 0.2, 0.1)
    start, end = min(a, b), max(a, b)
    on = np.zeros((3, 200_000), dtype=bool)
    for row, starts, ends in zip(on, cleaned.starts, cleaned.ends, strict=True):
        for first, last in zip(starts, ends, strict=True):
            row[first:last] = True
    alone = on & (on.sum(axis=0) == 1)
    for speaker in range(3):
        assert cleaned.solo(speaker, start, end) == alone[speaker, start:end].sum()
        assert cleaned.spoken(speaker, start, end) == on[speaker, start:end].sum()


def test_a_window_that_begins_before_the_recording_counts_what_is_there() -> None:
    assert talk_of(talk(((0, 1),), ()), 0.2, 0.1).solo(0, -500, 600) == 600


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        (((0, 5),), ((3, 8),), [("A", "B")]),
        (((3, 8),), ((0, 5),), [("B", "A")]),
        (((0, 5),), ((5, 8),), []),  # half-open: at its end X is silent
        (((0, 5),), ((0, 8),), [("A", "B")]),  # at once: the larger name initiates, once
        (((0, 5),), ((4.99, 8),), [("A", "B")]),
        (((0, 2), (4, 6)), ((1, 5),), [("A", "B"), ("B", "A")]),
        ((), ((0, 1),), []),
    ],
)
def test_a_candidate_starts_while_another_speaks(a: Times, b: Times, wanted: list[tuple[str, str]]) -> None:
    cleaned = talk_of(talk(a, b), 0.2, 0.1)
    found = [(cleaned.names[x], cleaned.names[y]) for x, _, y, _ in overlapping_starts(cleaned)]
    assert found == wanted


def test_among_three_speakers_every_pair_counts() -> None:
    cleaned = talk_of(talk(((0, 9),), ((2, 8),), ((4, 6),)), 0.2, 0.1)
    pairs = [(cleaned.names[x], cleaned.names[y]) for x, _, y, _ in overlapping_starts(cleaned)]
    assert pairs == [("A", "B"), ("A", "C"), ("B", "C")]


def test_joint_silences_lie_between_all_speech_and_are_long_enough() -> None:
    speech = union((span(0, 1), span(0.5, 2), span(2.3, 3), span(3.299, 4)))
    assert speech == (span(0, 2), span(2.3, 3), span(3.299, 4))
    assert joint_silences(speech, 0.3, 1000) == (Span(2000, 2300),)
    assert len(joint_silences(speech, 0.299, 1000)) == 2


def test_a_silence_is_a_pause_where_the_same_speaker_goes_on_and_a_gap_where_another_does() -> None:
    cleaned = talk_of(talk(((0, 1), (1.5, 3), (6, 7)), ((3.1, 5), (6.5, 8))), 0.2, 0.1)
    assert silences(cleaned, 0.2) == (
        Silence("pause", span(1, 1.5), "A", "A"),
        Silence("gap", span(3, 3.1), "A", "B"),
        Silence("gap", span(5, 6), "B", "A"),
    )


def test_who_stops_last_is_who_pauses() -> None:
    cleaned = talk_of(talk(((0, 5),), ((1, 2), (5.4, 6))), 0.2, 0.1)
    assert silences(cleaned, 0.2) == (Silence("gap", span(5, 5.4), "A", "B"),)


@given(conversations())
def test_silences_hold_no_speech_and_touch_it_at_both_ends(activity: RecordedActivity) -> None:
    cleaned = talk_of(activity, 0.2, 0.1)
    for silence in silences(cleaned, 0.2):
        assert not any(cleaned.spoken(s, silence.span.start, silence.span.end) for s in (0, 1))
        assert cleaned.spoken(cleaned.names.index(silence.before), silence.span.start - 1, silence.span.start)
        assert cleaned.spoken(cleaned.names.index(silence.after), silence.span.end, silence.span.end + 1)

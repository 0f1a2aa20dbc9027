"""Turn-taking on drawings: one character is 100 ms, `#` is speech, `b` is a backchannel word."""

import math
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.turntaking import (
    Activity,
    OverlapClass,
    Quantity,
    TurnTakingStatistics,
    describe_rows,
    ipus,
    measure,
    overlap_events,
    pool,
    talk_times,
)
from pipeline.core.turntaking.activity import as_array
from pipeline.domain.errors import ConfigError
from pipeline.domain.span import Span
from pipeline.io.references import load_reference

STEP_MS = 100
RATE = 1000


def spans(drawing: str, marks: str = "#b") -> tuple[Span, ...]:
    """Runs of one character, of those in `marks`."""
    found, at = [], 0
    for mark, run in groupby(drawing):
        length = len(list(run)) * STEP_MS
        if mark in marks:
            found.append(Span(start=at, end=at + length))
        at += length
    return tuple(found)


def activity(a: str, b: str) -> Activity:
    units = tuple(tuple((unit,) for unit in spans(side, "b")) for side in (a, b))
    return Activity((spans(a), spans(b)), RATE, units)


def ms(statistics: TurnTakingStatistics, quantity: Quantity) -> list[int]:
    return [round(value * 1000) for value in statistics.sample(quantity)]


STEPS: dict[str, tuple[str, str, dict[str, list[int]]]] = {
    "a gap": ("####.....", ".......##", {"fto": [300], "gap": [300]}),
    "a pause": ("####..###", ".........", {"fto": [], "pause": [200]}),
    "an overlap between": ("#####....", "...######", {"fto": [-200], "overlap_between": [200]}),
    "an overlap within": ("#########", "...##....", {"fto": [], "overlap_within": [200]}),
    "a change without any offset": ("#####....", ".....####", {"fto": [0], "gap": [], "overlap_between": []}),
    "silence of 100 ms inside a speaker is no pause": ("####.####", ".........", {"pause": []}),
    "a short silence is bridged even under the other": ("####.####", "...##....", {"overlap_within": [200]}),
    "gap, then overlap, each once": (
        "###.......####",
        "......#####...",
        {"fto": [300, -100], "gap": [300], "overlap_between": [100]},
    ),
    "nobody but one": ("###......", ".........", {"fto": [], "gap": [], "pause": []}),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_between_speakers_is_named_and_timed(name: str) -> None:
    a, b, wanted = STEPS[name]
    for statistics in (measure(activity(a, b)), measure(activity(b, a))):
        assert {q: ms(statistics, Quantity(q)) for q in wanted} == wanted


def test_silence_and_overlap_mixed_is_neither_gap_nor_overlap() -> None:
    #                             A alone, both, nobody, B alone
    statistics = measure(activity("######........", "...###....####"))
    assert statistics.unclassified == 1
    assert statistics.sample(Quantity.FTO) == ()
    assert statistics.overlap_s == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("first", "second", "merged"), [(0, 199, 1), (0, 200, 2), (0, 0, 1), (0, -50, 1)], ids=str
)
def test_an_ipu_ends_at_200_ms_of_own_silence(first: int, second: int, merged: int) -> None:
    words = (Span(start=0, end=300), Span(start=300 + second, end=700))
    assert len(ipus(words, min_silence=200)) == merged


def test_a_word_inside_another_does_not_end_its_ipu() -> None:
    words = (Span(start=0, end=1000), Span(start=100, end=200), Span(start=1100, end=1200))
    assert ipus(words, min_silence=200) == (Span(start=0, end=1200),)


def test_both_overlap_ratios_share_the_overlap_and_differ_in_the_time() -> None:
    statistics = measure(activity("#####.........", "...####....###"))
    assert statistics.overlap_s == pytest.approx(0.2)
    assert statistics.overlap_over_total_time == pytest.approx(2 / 14)
    assert statistics.overlap_over_speech_time == pytest.approx(2 / 10)
    assert statistics.joint_silence_over_total_time == pytest.approx(4 / 14)
    assert statistics.dominant_speech_share == pytest.approx(7 / 12)
    assert statistics.p_overlap_at_speaker_change == 1.0
    assert statistics.per_min(Quantity.PAUSE) == pytest.approx(60 / 1.4)
    assert statistics.s_per_min(Quantity.PAUSE) == pytest.approx(0.4 * 60 / 1.4)


def test_offsets_into_and_out_of_backchannels_are_kept_apart() -> None:
    statistics = measure(activity("#####........####..", "......bb.........##"))
    assert ms(statistics, Quantity.FTO) == [100, 500, 0]
    assert ms(statistics, Quantity.FTO_INTO_BACKCHANNEL) == [100]
    assert ms(statistics, Quantity.FTO_OUT_OF_BACKCHANNEL) == [500]
    assert ms(statistics, Quantity.FTO_TURN_TO_TURN) == [0]


def test_a_turn_runs_on_over_a_backchannel_of_the_other() -> None:
    statistics = measure(activity("#####...#####.....", "......b.......####"))
    assert ms(statistics, Quantity.TURN_DURATION) == [1300, 400]
    assert ms(statistics, Quantity.IPU_DURATION_NO_BACKCHANNEL) == [500, 500, 400]


def test_a_backchannel_is_placed_by_its_partner() -> None:
    statistics = measure(activity("##########....", "....bb.....bb."))
    assert ms(statistics, Quantity.BACKCHANNEL_DURATION) == [200, 200]
    assert ms(statistics, Quantity.BACKCHANNEL_ONSET_IN_PARTNER_IPU) == [400]
    assert statistics.sample(Quantity.BACKCHANNEL_ONSET_FRACTION_OF_PARTNER_IPU) == (0.4,)
    assert ms(statistics, Quantity.BACKCHANNEL_SINCE_PARTNER_WORD_END) == [100]
    assert (statistics.backchannels_inside, statistics.backchannels_standalone) == (1, 2)


def test_a_backchannel_glued_to_speech_does_not_stand_alone() -> None:
    statistics = measure(activity("##########....", "....bb####...."))
    assert statistics.backchannels_standalone == 0
    assert ms(statistics, Quantity.BACKCHANNEL_STANDALONE_DURATION) == []


TREE = {
    OverlapClass.SIMULTANEOUS_START: ("..########......", "....#######....."),
    OverlapClass.TIMING_BACKCHANNEL: ("################", "......####......"),
    OverlapClass.TERMINAL_OVERLAP: ("##########........", "......###########."),
    OverlapClass.INTERRUPTION: ("#############.......", "......############.."),
    OverlapClass.FAILED_INTERRUPTION: ("####################", "......###########..."),
    OverlapClass.SHORT_INCURSION: ("##################", "##..#####........."),
    OverlapClass.SHORT_FLOOR_CHANGE: ("##########......", "##....######...."),
}


@pytest.mark.parametrize("wanted", TREE)
def test_the_timing_tree_names_each_kind_of_overlap(wanted: OverlapClass) -> None:
    a, b = TREE[wanted]
    for first, second in ((a, b), (b, a)):
        events = overlap_events(as_array(spans(first)), as_array(spans(second)), RATE)
        assert list(events.classes[events.y0 >= 200]) == [wanted]


def test_an_interruption_is_located_in_ipu_and_turn() -> None:
    #                             turn of A from 0, its second IPU from 700 to 2000, B comes in at 1300
    statistics = measure(activity("####...#############.......", ".............##############"))
    assert ms(statistics, Quantity.INTERRUPTION_ONSET_IN_IPU) == [600]
    assert ms(statistics, Quantity.INTERRUPTION_ONSET_IN_TURN) == [1300]
    assert ms(statistics, Quantity.INTERRUPTION_CONTINUATION) == [700]
    assert ms(statistics, Quantity.INTERRUPTION_OVERLAP) == [700]
    assert statistics.sample(Quantity.INTERRUPTION_ONSET_FRACTION_OF_TURN) == pytest.approx((1300 / 2000,))


def test_an_overlap_with_nobody_alone_after_it_stays_unresolved() -> None:
    events = overlap_events(as_array(spans("##############")), as_array(spans("##..##########")), RATE)
    assert list(events.classes) == [OverlapClass.UNRESOLVED]


def random_side() -> st.SearchStrategy[str]:
    return st.lists(st.tuples(st.sampled_from("#."), st.integers(1, 9)), max_size=12).map(
        lambda runs: "".join(mark * length for mark, length in runs)
    )


def filled_grid(side: str, length: int) -> list[bool]:
    """An independent reading of the same drawing: per step, short silences filled."""
    grid = [mark == "#" for mark in side] + [False] * (length - len(side))
    for at in range(1, length - 1):
        if not grid[at] and grid[at - 1] and grid[at + 1]:
            grid[at] = True
    return grid


@settings(max_examples=150, deadline=None)
@given(random_side(), random_side())
def test_the_walk_agrees_with_counting_steps_one_by_one(a: str, b: str) -> None:
    length = max(len(a), len(b)) + 1
    states = [x + 2 * y for x, y in zip(filled_grid(a, length), filled_grid(b, length), strict=True)]
    runs = [(state, len(list(run))) for state, run in groupby(states)]
    alone = [index for index, (state, _) in enumerate(runs) if state in (1, 2)]
    wanted: dict[str, list[int]] = {"fto": [], "pause": [], "overlap_within": []}
    mixed = 0
    for here, there in pairwise(alone):
        between = runs[here + 1 : there]
        if len({state for state, _ in between}) > 1:
            mixed += 1
            continue
        offset = sum(size if state == 0 else -size for state, size in between) * STEP_MS
        if runs[here][0] != runs[there][0]:
            wanted["fto"].append(offset)
        else:
            wanted["pause" if offset > 0 else "overlap_within"].append(abs(offset))
    statistics = measure(activity(a, b))
    assert {name: ms(statistics, Quantity(name)) for name in wanted} == wanted
    assert statistics.unclassified == mixed
    assert round(statistics.overlap_s * 10) == states.count(3)
    assert round(statistics.speech_any_s * 10) == length - states.count(0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), max_size=8), max_size=5))
def test_speakers_at_once_are_counted_as_on_a_grid(segments: list[list[tuple[int, int]]]) -> None:
    speakers = [[Span(start=s, end=s + d) for s, d in own] for own in segments]
    grid = np.zeros((len(speakers) + 1, 400), dtype=bool)
    for row, own in enumerate(speakers):
        for span in own:
            grid[row, span.start : span.end] = True
    active = grid.sum(axis=0)
    times = talk_times(speakers)
    assert (times.any_speech, times.overlap, times.three_or_more) == (
        int((active >= 1).sum()),
        int((active >= 2).sum()),
        int((active >= 3).sum()),
    )


def test_three_at_once_count_once_as_overlap() -> None:
    times = talk_times([spans("######"), spans("..##.."), spans("...##.")])
    assert (times.overlap, times.three_or_more) == (300, 100)


def test_more_than_two_speakers_have_overlap_and_silence_but_no_transitions() -> None:
    statistics = measure(Activity((spans("####..."), spans("..##..."), spans("......#")), RATE))
    assert statistics.overlap_s == pytest.approx(0.2)
    assert statistics.joint_silence_over_total_time == pytest.approx(2 / 7)
    with pytest.raises(ConfigError, match="exactly two speakers"):
        statistics.sample(Quantity.FTO)


def test_what_needs_backchannels_is_absent_where_nobody_marked_them() -> None:
    statistics = measure(Activity((spans("####..."), spans("..##...")), RATE))
    assert Quantity.FTO in statistics.samples
    assert Quantity.TURN_DURATION not in statistics.samples


def test_pooling_adds_before_it_divides() -> None:
    long = measure(activity("#" * 90 + "." * 10, "." * 80 + "#" * 20))
    short = measure(activity("####", "...."))
    together = pool([long, short])
    assert together.conversations == 2
    assert together.overlap_over_total_time == pytest.approx(10 / 104)
    assert ms(together, Quantity.IPU_DURATION) == [9000, 2000, 400]


def test_pooling_keeps_only_what_all_have() -> None:
    untagged = measure(Activity((spans("####..."), spans("......#")), RATE))
    together = pool([measure(activity("####...", "......#")), untagged])
    assert Quantity.FTO in together.samples
    assert Quantity.FTO_TURN_TO_TURN not in together.samples


def test_silence_has_no_ratios_and_no_errors() -> None:
    statistics = measure(activity("....", "...."))
    assert math.isnan(statistics.overlap_over_speech_time)
    assert math.isnan(statistics.quantile(Quantity.FTO, 0.5))
    assert all(row.n == 0 and row.p50 is None for row in describe_rows(statistics))


def test_restriction_cuts_at_the_borders_of_the_regions() -> None:
    cut = activity("##########", "..bb....bb").restricted(
        (Span(start=300, end=600), Span(start=800, end=2000))
    )
    assert cut.speakers[0] == (Span(start=300, end=600), Span(start=800, end=1000))
    assert cut.backchannels is not None
    assert cut.backchannels[1] == ((Span(start=300, end=400),), (Span(start=800, end=1000),))


def test_rows_show_counts_rates_and_distances_to_a_reference() -> None:
    reference = load_reference("switchboard")
    table = reference.distribution("gap")
    a, b, at = [], [], 0
    for u in np.random.default_rng(11).random(400):
        a.append(Span(start=at, end=at + 500))
        at += 500 + max(1, round(1000 * table.quantile(float(u))))
        b.append(Span(start=at, end=at + 500))
        at += 500 + 2000
    statistics = measure(Activity((tuple(a), tuple(b)), RATE))
    rows = {row.name: row for row in describe_rows(statistics, reference, "independent")}
    gap = rows["gap"]
    assert gap.n == 799  # 400 from a to b, 399 back
    assert gap.reference_p50 == table.p50
    assert gap.per_min == pytest.approx(799 * 60 / statistics.total_s)
    assert gap.ks is not None
    assert gap.ks > 0.4  # half of the gaps are 2 s: far from any conversation
    assert gap.noise_ks_p95 == pytest.approx(0.0467, abs=0.002)
    assert rows["timing_backchannel_overlap"].ks is None
    assert rows["interruption_overlap"].reference_per_min == 0.477
    assert "turn_duration" not in rows

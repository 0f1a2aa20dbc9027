from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.mining.activity import talk_of
from pipeline.core.mining.candidates import Evidence, SpurtEvidence
from pipeline.core.mining.events import find_events
from pipeline.core.mining.limits import EventLimits
from pipeline.domain.mining import Margin, MinedType, RecordedActivity, RejectCode
from tests.core.mining.made import Times, at, conversations, moved, span, talk

T = MinedType

# name, A, B, onset of the candidate, class, rule
TREE: list[tuple[str, Times, Times, float, MinedType, str]] = [
    ("Y talks on", ((0, 5),), ((3, 8),), 3, T.INTERRUPTION, "7"),
    ("X ends 0.501 s after the onset", ((0, 5),), ((4.499, 8),), 4.499, T.INTERRUPTION, "7"),
    ("X ends 0.5 s after the onset", ((0, 5),), ((4.5, 8),), 4.5, T.TERMINAL_OVERLAP, "7"),
    ("Y is alone for 0.5 s", ((0, 5),), ((3, 5.5),), 3, T.INTERRUPTION, "7"),
    ("Y is alone for 0.499 s", ((0, 5),), ((3, 5.499),), 3, T.UNDECIDED, "7"),
    ("both end at once", ((0, 5),), ((3, 5),), 3, T.UNDECIDED, "7"),
    ("X goes on, Y bid for 1 s", ((0, 10),), ((1, 2.5), (3, 4)), 3, T.FAILED_INTERRUPTION, "7"),
    ("X goes on, Y bid for 0.999 s", ((0, 10),), ((1, 2.5), (3, 3.999)), 3, T.SHORT_INCURSION, "7"),
    ("X goes on for 0.5 s", ((0, 5.5),), ((3, 5),), 3, T.FAILED_INTERRUPTION, "7"),
    ("X goes on for 0.499 s", ((0, 5.499),), ((3, 5),), 3, T.UNDECIDED, "7"),
    ("both are alone equally long", ((0, 6),), ((3, 5), (6.3, 7.3)), 3, T.FAILED_INTERRUPTION, "7"),
    ("short, out of silence", ((0, 10),), ((3, 4),), 3, T.BACKCHANNEL, "2"),
    ("1.001 s is too long", ((0, 10),), ((3, 4.001),), 3, T.FAILED_INTERRUPTION, "7"),
    ("own silence of 1 s", ((0, 10),), ((0.5, 2), (3, 3.8)), 3, T.BACKCHANNEL, "2"),
    ("own silence of 0.999 s", ((0, 10),), ((0.5, 2.001), (3, 3.8)), 3, T.SHORT_INCURSION, "7"),
    ("a backchannel right after X began", ((2, 6),), ((2.1, 2.6),), 2.1, T.BACKCHANNEL, "2"),
    ("0.2 s apart", ((2, 6),), ((2.2, 6),), 2.2, T.SIMULTANEOUS_START, "3"),
    ("0.201 s apart", ((2, 6),), ((2.201, 6),), 2.201, T.NO_INCUMBENT_FLOOR, "5"),
    ("at once", ((2, 6),), ((2, 6),), 2, T.SIMULTANEOUS_START, "3"),
    ("joint silence of 0.2 s", ((2, 6),), ((0, 1.8), (2.2, 6)), 2.2, T.SIMULTANEOUS_START, "3"),
    ("joint silence of 0.199 s", ((2, 6),), ((0, 1.801), (2.2, 6)), 2.2, T.NO_INCUMBENT_FLOOR, "5"),
    ("X only listened", ((0, 5), (6, 9)), ((5.5, 6.2),), 6, T.RESUME_OVER_BACKCHANNEL, "4"),
    ("X's word took 1.001 s", ((0, 5), (6, 9)), ((5.5, 6.501),), 6, T.NO_INCUMBENT_FLOOR, "5"),
    ("X alone for 0.5 s before", ((2.5, 5),), ((3, 8),), 3, T.INTERRUPTION, "7"),
    ("X alone for 0.499 s before", ((2.501, 5),), ((3, 8),), 3, T.NO_INCUMBENT_FLOOR, "5"),
    ("X alone no longer than Y before", ((2, 5),), ((0, 2), (3, 8)), 3, T.NO_INCUMBENT_FLOOR, "5"),
    ("X alone 1 ms longer than Y before", ((2, 5),), ((0, 1.999), (3, 8)), 3, T.INTERRUPTION, "7"),
    ("an incumbent from the first sample on", ((0, 2),), ((0.5, 4),), 0.5, T.INTERRUPTION, "7"),
]


@pytest.mark.parametrize(
    ("a", "b", "onset", "label", "rule"), [row[1:] for row in TREE], ids=[row[0] for row in TREE]
)
def test_every_leaf_of_the_tree(a: Times, b: Times, onset: float, label: MinedType, rule: str) -> None:
    found = at(talk(a, b), onset)
    assert (found.event.type, found.event.rule) == (label, rule)


APART = [row for row in TREE if row[1][0][0] != row[2][0][0]]
"""At once, the larger name is the initiator either way."""


@pytest.mark.parametrize(
    ("a", "b", "onset", "label", "rule"), [row[1:] for row in APART], ids=[row[0] for row in APART]
)
def test_who_of_two_came_in_does_not_matter(
    a: Times, b: Times, onset: float, label: MinedType, rule: str
) -> None:
    one, other = at(talk(a, b), onset).event, at(talk(b, a), onset).event
    assert (other.type, other.rule) == (label, rule)
    assert (other.initiator, other.incumbent) == (one.incumbent, one.initiator)


def test_classes_that_cannot_be_told_are_ambiguous_and_the_others_are_not() -> None:
    for _, a, b, onset, label, _ in TREE:
        found = at(talk(a, b), onset)
        assert (found.decision == "ambiguous") == label.is_ambiguous
        assert (RejectCode.EVENT_AMBIGUOUS in found.reasons) == label.is_ambiguous


@pytest.mark.parametrize(
    ("c", "label"),
    [
        (((4, 4.1),), T.INTERRUPTION),  # 0.1 s of a third speaker are nothing
        (((4, 4.101),), T.MULTIPARTY_OVERLAP),
        (((9, 10),), T.INTERRUPTION),
        (((2, 2.9),), T.INTERRUPTION),  # before the overlap, with X alone for 1.1 s of 2 s
    ],
)
def test_a_third_speaker_in_the_overlap_makes_it_one_of_several(c: Times, label: MinedType) -> None:
    assert at(talk(((0, 5),), ((3, 8),), c), 3).event.type is label


def test_any_one_of_the_others_makes_it_one_of_several() -> None:
    busy, quiet = ((4, 4.5),), ((20, 21),)
    for c, d in ((busy, quiet), (quiet, busy)):
        assert at(talk(((0, 5),), ((3, 8),), c, d), 3).event.type is T.MULTIPARTY_OVERLAP


@pytest.mark.parametrize(("end", "label"), [(6.7, T.MULTIPARTY_OVERLAP), (6.6, T.INTERRUPTION)])
def test_a_third_speaker_who_is_alone_longest_afterwards_took_the_floor(end: float, label: MinedType) -> None:
    events = find_events(talk(((0, 5),), ((3, 5.6),), ((6, end),)))
    assert events[0].event.type is label


@pytest.mark.parametrize(
    ("total_s", "rule", "reasons"), [(6.0, "7", ()), (5.999, "6", (RejectCode.CONTEXT_MISSING,))]
)
def test_a_recording_that_ends_too_early_shows_nobody_holding_the_floor(
    total_s: float, rule: str, reasons: tuple[RejectCode, ...]
) -> None:
    found = at(talk(((0, 5),), ((3, 5.8),), total_s=total_s), 3)
    assert (found.event.type, found.event.rule, found.reasons) == (T.INTERRUPTION, rule, reasons)


def test_a_backchannel_needs_no_context_afterwards() -> None:
    assert at(talk(((0, 5),), ((4.5, 5),), total_s=5), 4.5).accepted


@pytest.mark.parametrize(
    ("a", "b", "onset", "reasons"),
    [
        (((0, 5),), ((4.8, 8),), 4.8, ()),
        (((0, 5),), ((4.801, 8),), 4.801, (RejectCode.OVERLAP_TOO_SHORT,)),
        (((0, 8),), ((3, 12),), 3, ()),
        (((0, 8.001),), ((3, 12),), 3, (RejectCode.OVERLAP_TOO_LONG,)),
        (
            ((2.501, 3.15),),
            ((2.98, 6),),
            2.98,
            (RejectCode.EVENT_AMBIGUOUS, RejectCode.OVERLAP_TOO_SHORT),
        ),
    ],
)
def test_overlaps_too_short_or_too_long_are_labelled_and_refused(
    a: Times, b: Times, onset: float, reasons: tuple[RejectCode, ...]
) -> None:
    limits = EventLimits(incumbent_bc_check=False)
    found = at(talk(a, b), onset, limits)
    assert found.reasons == reasons
    assert [value.code for value in found.values] == list(reasons)


def test_a_backchannel_with_hardly_any_overlap_counts_as_one_in_a_gap() -> None:
    found = at(talk(((0, 5),), ((4.9, 5.4),)), 4.9)
    assert (found.event.type, found.event.rule, found.decision) == (T.GAP_BACKCHANNEL, "9", "accept")
    assert found.event.overlap == span(4.9, 5)


def test_a_backchannel_to_nobody_with_hardly_any_overlap_is_refused() -> None:
    found = at(talk(((4.7, 5),), ((4.9, 5.4),)), 4.9)
    assert (found.event.type, found.reasons) == (T.BACKCHANNEL, (RejectCode.OVERLAP_TOO_SHORT,))


@pytest.mark.parametrize(
    ("onset", "length", "found"),
    [
        (5.2, 0.4, 1),
        (5.0, 0.4, 1),  # where X ends, nobody is active
        (6.5, 0.4, 1),  # X alone for 0.5 s of the 2 s before
        (6.501, 0.4, 0),
        (5.2, 1.0, 1),
        (5.2, 1.001, 0),
    ],
)
def test_a_backchannel_in_a_silence_answers_who_held_the_floor(
    onset: float, length: float, found: int
) -> None:
    events = find_events(talk(((0, 5),), ((onset, onset + length),)))
    assert [(c.event.type, c.event.rule) for c in events] == [(T.GAP_BACKCHANNEL, "gap")] * found
    assert all(c.accepted and c.event.overlap is None and c.event.incumbent == "A" for c in events)


def test_among_several_a_backchannel_in_a_silence_answers_who_was_alone_longest() -> None:
    (found,) = find_events(talk(((0, 5),), ((5.5, 6.2),), ((7.5, 8),)))[1:]
    assert (found.event.initiator, found.event.incumbent) == ("C", "B")


@pytest.mark.parametrize(
    ("following", "tags"),
    [((3.999, 5), ("precedes_turn",)), ((4, 5), ()), ((3.9, 4.899), ())],
)
def test_a_backchannel_that_leads_into_a_turn_is_tagged(
    following: tuple[float, float], tags: tuple[str, ...]
) -> None:
    found = at(talk(((0, 10),), ((3, 3.5), following)), 3)
    assert (found.event.type, found.event.tags) == (T.BACKCHANNEL, tags)


def test_a_failed_interruption_by_timing_asks_for_a_transcript() -> None:
    assert at(talk(((0, 10),), ((3, 5),)), 3).event.tags == ("needs_transcript",)


@pytest.mark.parametrize(
    ("limits", "a", "b", "onset", "label"),
    [
        (EventLimits(bc_before_sim=False), ((2, 6),), ((2.1, 2.6),), 2.1, T.SIMULTANEOUS_START),
        (
            EventLimits(incumbent_bc_check=False),
            ((0, 5), (6, 9)),
            ((5.5, 6.2),),
            6,
            T.NO_INCUMBENT_FLOOR,
        ),
        (EventLimits(bc_resume_exclude=True), ((0, 10),), ((3, 3.5), (3.9, 5)), 3, T.SHORT_INCURSION),
        (EventLimits(bc_next_silence_s=1), ((0, 10),), ((3, 3.5), (4.4, 5)), 3, T.SHORT_INCURSION),
        (EventLimits(bc_next_silence_s=1), ((0, 10),), ((3, 3.5), (4.5, 5)), 3, T.BACKCHANNEL),
        (EventLimits(window_s=0.4), ((0, 5),), ((3, 8),), 3, T.NO_INCUMBENT_FLOOR),
        (EventLimits(terminal_tol_s=2), ((0, 5),), ((3, 8),), 3, T.TERMINAL_OVERLAP),
        (EventLimits(failed_min_dur_s=2.001), ((0, 10),), ((3, 5),), 3, T.SHORT_INCURSION),
        (EventLimits(ipu_gap_s=1.0), ((0, 10),), ((3, 3.5), (4.4, 5)), 3, T.FAILED_INTERRUPTION),
    ],
)
def test_every_switch_changes_what_it_says(
    limits: EventLimits, a: Times, b: Times, onset: float, label: MinedType
) -> None:
    assert at(talk(a, b), onset).event.type is not label or label is T.BACKCHANNEL
    assert at(talk(a, b), onset, limits).event.type is label


@pytest.mark.parametrize(
    ("evidence", "reasons"),
    [
        (SpurtEvidence(snr_db=10.0), ()),
        (SpurtEvidence(snr_db=9.9), (RejectCode.LOW_SNR,)),
        (SpurtEvidence(), ()),
    ],
)
def test_what_was_heard_gates_a_candidate_and_leaves_its_class(
    evidence: SpurtEvidence, reasons: tuple[RejectCode, ...]
) -> None:
    found = at(talk(((0, 5),), ((3, 8),)), 3, evidence=Evidence(spurts={("B", 3000): evidence}))
    assert (found.event.type, found.reasons) == (T.INTERRUPTION, reasons)


def test_a_speaker_whose_label_cannot_be_trusted_starts_nothing() -> None:
    found = at(talk(((0, 5),), ((3, 8),)), 3, evidence=Evidence(unreliable_speakers=frozenset("B")))
    assert found.reasons == (RejectCode.DIARIZATION_UNRELIABLE,)


def test_confidence_falls_with_the_narrowest_test() -> None:
    clear = at(talk(((0, 5),), ((3, 8),)), 3).event
    narrow = at(talk(((0, 5),), ((4.4, 8),)), 4.4).event
    assert clear.confidence == pytest.approx(0.9)  # nothing within 0.25 s; no words
    assert narrow.confidence == pytest.approx(0.9 * (0.5 + 0.5 * 0.1 / 0.25))
    assert narrow.margins[0] == Margin(test="terminal_tol_s", value=0.6, threshold=0.5)
    assert len(narrow.margins) == 2


def test_a_test_that_fails_in_two_ways_hangs_on_the_clearer_one() -> None:
    # no backchannel: 0.1 s short of the silence before it, but 4 s too long
    assert at(talk(((0, 5),), ((0.5, 2.1), (3, 8))), 3).event.confidence == pytest.approx(0.9)


def test_what_was_measured_is_kept() -> None:
    context = at(talk(((0.5, 5),), ((1, 2), (3, 8))), 3).event.context
    assert context is not None
    assert (context.incumbent_solo_before_s, context.initiator_solo_before_s) == (1.0, 0.0)
    assert (context.incumbent_solo_after_s, context.initiator_solo_after_s) == (0.0, 2.0)
    assert (context.fto_s, context.prev_own_silence_s, context.next_own_silence_s) == (-2.0, 1.0, None)
    assert (context.incumbent_prev_silence_s, context.joint_silence_before_s) == (None, None)


@pytest.mark.parametrize("spurts", [((), ()), (((0, 5),), ()), (((0, 0.05),), ((0, 0.05),))])
def test_one_speaker_or_silence_holds_no_event(spurts: tuple[Times, ...]) -> None:
    assert find_events(talk(*spurts)) == ()


@given(conversations())
def test_swapping_the_speakers_swaps_the_roles_and_nothing_else(activity: RecordedActivity) -> None:
    a, b = activity.speakers
    swapped = activity.model_copy(
        update={"speakers": (b.model_copy(update={"speaker": "A"}), a.model_copy(update={"speaker": "B"}))}
    )
    other = {"A": "B", "B": "A"}

    def table(recorded: RecordedActivity, names: dict[str, str]) -> list[tuple[object, ...]]:
        return sorted(
            (
                c.event.onset,
                names[c.event.initiator],
                c.event.type,
                c.event.rule,
                c.decision,
                c.event.confidence,
            )
            for c in find_events(recorded)
        )

    assert table(activity, {"A": "A", "B": "B"}) == table(swapped, other)


@settings(max_examples=40)
@given(conversations(speakers=3), st.integers(0, 100_000), st.sampled_from((1, 2, 16)))
def test_neither_a_shift_nor_another_sampling_rate_changes_a_class(
    activity: RecordedActivity, by: int, times: int
) -> None:
    before = find_events(activity)
    after = find_events(moved(activity, by, times))
    assert [(c.event.type, c.event.rule, c.decision, c.event.confidence) for c in before] == [
        (c.event.type, c.event.rule, c.decision, c.event.confidence) for c in after
    ]
    assert [(c.event.onset + by) * times for c in before] == [c.event.onset for c in after]


@settings(max_examples=40)
@given(conversations(speakers=3), st.floats(0, 1), st.floats(0, 1))
def test_a_longer_minimum_of_overlap_accepts_no_more(activity: RecordedActivity, a: float, b: float) -> None:
    def accepted(min_overlap_s: float) -> set[str]:
        found = find_events(activity, EventLimits(min_overlap_s=min_overlap_s))
        return {c.event.event_id for c in found if c.accepted}

    assert accepted(max(a, b)) <= accepted(min(a, b))


@settings(max_examples=40)
@given(conversations(speakers=3))
def test_events_name_talkspurts_that_are_there_and_ids_are_unique(activity: RecordedActivity) -> None:
    cleaned = talk_of(activity, 0.2, 0.1)
    spans = {
        name: set(zip(starts, ends, strict=True))
        for name, starts, ends in zip(cleaned.names, cleaned.starts, cleaned.ends, strict=True)
    }
    found = find_events(activity)
    assert len({c.event.event_id for c in found}) == len(found)
    for event in (c.event for c in found):
        assert (event.initiator_span.start, event.initiator_span.end) in spans[event.initiator]
        assert (event.incumbent_span.start, event.incumbent_span.end) in spans[event.incumbent]
        assert event.onset == event.initiator_span.start
        assert event.overlap == event.initiator_span.overlap(event.incumbent_span)
        assert 0.45 <= event.confidence < inf

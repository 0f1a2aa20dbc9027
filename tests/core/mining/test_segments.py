import pytest
from hypothesis import given, settings

from pipeline.core.mining.audit import audit_events, audit_recording, audit_segment, audit_uncut, because
from pipeline.core.mining.events import find_events
from pipeline.core.mining.limits import SegmentLimits
from pipeline.core.mining.segments import Extraction, find_segments
from pipeline.domain.mining import MinedType, RecordedActivity, RejectCode
from tests.core.mining.made import RATE, Times, conversations, span, talk


def chatter(*silences_s: tuple[float, float], total_s: float) -> Times:
    """One speaker all the time, but for these silences."""
    borders = [0.0, *(edge for silence in silences_s for edge in silence), total_s]
    return tuple(zip(borders[::2], borders[1::2], strict=True))


def cut(activity: RecordedActivity, limits: SegmentLimits | None = None) -> Extraction:
    return find_segments(activity, find_events(activity), limits)


def spans_s(extraction: Extraction) -> list[tuple[float, float]]:
    return [segment.span.seconds(RATE) for segment in extraction.segments]


def test_cuts_lie_in_the_middle_of_joint_silences_and_the_length_is_near_the_target() -> None:
    # cuts at 0, 5.2, 12.25 and 26.25, 38.2, 55.2, 60: of 26.25, 38.2, 33, 25.95 ... s, 33 is nearest to 30
    a = chatter((5.0, 5.4), (12.0, 12.5), (26.0, 26.5), (38.0, 38.4), (55.0, 55.4), total_s=60)
    extraction = cut(talk(a, ((20, 20.6),)))
    assert spans_s(extraction) == [(5.2, 38.2)]
    (segment,) = extraction.segments
    assert segment.boundary_silence_s == (0.4, 0.4)
    assert [event.type for event in segment.events] == [MinedType.BACKCHANNEL]
    assert segment.anchors == (segment.events[0].event_id,)


def test_equally_near_lengths_take_the_earliest_cuts() -> None:
    a = chatter((10.0, 10.4), (15.0, 15.4), (35.0, 35.4), (50.0, 50.4), total_s=60)
    extraction = cut(talk(a, ((25, 25.6),)), SegmentLimits(target_len_s=30))
    # 10.2 to 35.2 is 25 s and 15.2 to 50.2 is 35 s; 0 to 35.2 is 35.2 s
    assert spans_s(extraction) == [(10.2, 35.2)]


@pytest.mark.parametrize(("pre", "post", "left", "right"), [(3, 3, 7.2, 27.2), (13, 3, 0.0, 27.2)])
def test_context_is_kept_before_the_onset_and_after_the_talkspurt(
    pre: float, post: float, left: float, right: float
) -> None:
    a = chatter((7.0, 7.4), (18.0, 18.4), (22.0, 22.4), (27.0, 27.4), total_s=31)
    limits = SegmentLimits(target_len_s=20, pre_context_s=pre, post_context_s=post)
    extraction = cut(talk(a, ((20, 20.8),)), limits)
    assert spans_s(extraction) == [(left, right)]


def test_the_recordings_ends_are_cuts_just_outside_the_speech() -> None:
    activity = talk(((2, 20),), ((8, 8.5),), total_s=25)
    extraction = cut(activity)
    assert spans_s(extraction) == [(1.9, 20.1)]
    assert extraction.segments[0].boundary_silence_s == (2.0, 5.0)


def test_speech_to_the_very_edges_is_cut_there() -> None:
    assert spans_s(cut(talk(((0, 20),), ((8, 8.5),), total_s=20))) == [(0.0, 20.0)]


def test_an_anchor_inside_the_segment_before_needs_none_of_its_own() -> None:
    a = chatter((30.0, 30.4), total_s=60)
    extraction = cut(talk(a, ((10, 10.5), (20, 20.5), (29.0, 29.5))))
    assert spans_s(extraction) == [(0.0, 30.2)]
    assert len(extraction.segments[0].anchors) == 3
    assert extraction.uncut == ()


def test_segments_follow_each_other_without_overlap() -> None:
    a = chatter((20.0, 20.4), (40.0, 40.4), total_s=60)
    extraction = cut(talk(a, ((10, 10.5), (30, 30.5), (50, 50.5))), SegmentLimits(target_len_s=20))
    assert spans_s(extraction) == [(0.0, 20.2), (20.2, 40.2), (40.2, 60.0)]
    assert [segment.segment_id for segment in extraction.segments] == [
        "rec:000000",
        "rec:000001",
        "rec:000002",
    ]


def test_a_shorter_silence_will_do_where_no_longer_one_fits() -> None:
    a = chatter((50.0, 50.25), total_s=100)
    limits = SegmentLimits()
    assert spans_s(cut(talk(a, ((20, 20.5),), total_s=100), limits)) == [(0.0, 50.125)]
    stricter = SegmentLimits(relaxed_boundary_silence_s=0.3)
    (uncut,) = cut(talk(a, ((20, 20.5),), total_s=100), stricter).uncut
    assert uncut.value.code is RejectCode.NO_BOUNDARY_SILENCE


@pytest.mark.parametrize(
    ("a", "b", "limits", "code"),
    [
        (((0, 40),), ((2.9, 3.4),), SegmentLimits(), RejectCode.CONTEXT_MISSING),
        (((0, 40),), ((36.6, 37.1),), SegmentLimits(), RejectCode.CONTEXT_MISSING),
        (((0, 9),), ((4, 4.5),), SegmentLimits(), RejectCode.TOO_SHORT),
        (((0, 70),), ((30, 30.5),), SegmentLimits(), RejectCode.NO_BOUNDARY_SILENCE),
        (((0, 40),), ((10, 14.2),), SegmentLimits(max_len_s=10, target_len_s=10), RejectCode.TOO_LONG),
        (((0, 40),), ((10, 10.5),), SegmentLimits(min_events=2), RejectCode.TOO_FEW_EVENTS),
    ],
)
def test_an_anchor_without_a_segment_says_why(
    a: Times, b: Times, limits: SegmentLimits, code: RejectCode
) -> None:
    extraction = cut(talk(a, b, total_s=a[-1][1]), limits)
    assert extraction.segments == ()
    (uncut,) = extraction.uncut
    assert uncut.value.code is code
    assert uncut.value.threshold is not None
    (row,) = audit_uncut("rec", RATE, extraction.uncut)
    assert (row.level, row.decision, row.reasons) == ("segment", "reject", (code,))
    assert row.proposed_type == uncut.event.type.value


def test_several_events_can_be_asked_for() -> None:
    a = chatter((13.0, 13.4), (26.0, 26.4), total_s=39)
    activity = talk(a, ((6, 6.5), (18, 18.5), (20.5, 21)), total_s=39)
    extraction = cut(activity, SegmentLimits(min_events=2, target_len_s=13, max_len_s=30))
    assert spans_s(extraction) == [(0.0, 26.2)]
    assert len(extraction.segments[0].anchors) == 3


def test_only_required_classes_are_cut_for_and_ambiguous_events_come_along() -> None:
    a = ((0, 20),)
    b = ((4, 5.5), (6, 6.5))  # a failed interruption, then a short incursion
    required = SegmentLimits(require=(MinedType.FAILED_INTERRUPTION,))
    (segment,) = cut(talk(a, b, total_s=20), required).segments
    assert [event.type for event in segment.events] == [
        MinedType.FAILED_INTERRUPTION,
        MinedType.SHORT_INCURSION,
    ]
    assert len(segment.anchors) == 1
    assert cut(talk(a, b, total_s=20), SegmentLimits(require=(MinedType.INTERRUPTION,))).segments == ()


def test_no_cut_falls_into_a_talkspurt_even_where_its_gap_is_as_long_as_a_boundary() -> None:
    a = chatter((30.0, 30.2), total_s=70)
    extraction = cut(talk(a, ((20, 20.5),), total_s=70))
    assert [uncut.value.code for uncut in extraction.uncut] == [RejectCode.NO_BOUNDARY_SILENCE]
    longer = chatter((30.0, 30.201), total_s=70)
    assert [span[1] for span in spans_s(cut(talk(longer, ((20, 20.5),), total_s=70)))] == [30.1]


def test_a_sound_too_short_for_a_talkspurt_breaks_a_silence_too() -> None:
    a = chatter((30.0, 30.5), total_s=70)
    extraction = cut(talk(a, ((20, 20.5), (30.24, 30.29)), total_s=70))
    assert spans_s(extraction) == [(0.0, 30.12)]


def test_twelve_cuts_on_either_side_are_looked_at() -> None:
    seconds = chatter(*((at - 0.2, at + 0.2) for at in range(1, 60)), total_s=60)
    # the twelve up to 27 and the twelve from 34 on: 16 to 45 is as near to 30 s as they come
    extraction = cut(talk(seconds, ((30.3, 30.9),)))
    assert spans_s(extraction) == [(16.0, 45.0)]


def test_silence_has_no_segments() -> None:
    assert cut(talk((), ())) == Extraction((), ())


@pytest.mark.parametrize("limits", [{"min_len_s": 31.0}, {"max_len_s": 29.0}, {"target_len_s": 0.0}])
def test_lengths_have_to_fit_each_other(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"segment limits|greater than 0"):
        SegmentLimits(**limits)


LOOSE = SegmentLimits(
    min_len_s=2, target_len_s=6, max_len_s=15, pre_context_s=0.5, post_context_s=0.5, require=tuple(MinedType)
)


@settings(max_examples=40)
@given(conversations(speakers=3))
def test_segments_are_disjoint_cut_in_silence_and_account_for_every_anchor(
    activity: RecordedActivity,
) -> None:
    candidates = find_events(activity)
    extraction = find_segments(activity, candidates, LOOSE)
    last = 0
    for segment in extraction.segments:
        assert segment.span.start >= last
        last = segment.span.end
        assert 2 <= len(segment.span) / RATE <= 15
        for speaker in activity.speakers:
            for cut_at in (segment.span.start, segment.span.end):
                assert all(not spurt.start < cut_at < spurt.end for spurt in speaker.talkspurts)
        assert all(segment.span.covers(event.initiator_span) for event in segment.events)
    covered = {anchor for segment in extraction.segments for anchor in segment.anchors}
    uncut = {anchor.event.event_id for anchor in extraction.uncut}
    assert covered | uncut == {c.event.event_id for c in candidates if c.accepted}
    assert extraction == find_segments(activity, reversed(candidates), LOOSE)


@settings(max_examples=40)
@given(conversations(speakers=3))
def test_every_candidate_has_its_row_with_the_first_failing_reason_first(activity: RecordedActivity) -> None:
    candidates = find_events(activity)
    rows = audit_events("rec", RATE, candidates)
    assert [row.candidate_id for row in rows] == [c.event.event_id for c in candidates]
    for row in rows:
        assert (row.decision == "accept") == (row.reasons == ())
        assert (row.decision == "ambiguous") == (row.reasons[:1] == (RejectCode.EVENT_AMBIGUOUS,))
        assert tuple(value.code for value in row.values) == row.reasons


def test_a_recording_and_a_segment_are_refused_with_every_reason() -> None:
    against = (because(RejectCode.RIGHTS), because(RejectCode.IO_ERROR))
    row = audit_recording("rec", 12.34567, against)
    assert (row.decision, row.reasons, row.end_s) == (
        "reject",
        (RejectCode.RIGHTS, RejectCode.IO_ERROR),
        12.346,
    )
    (segment,) = cut(talk(((0, 20),), ((8, 8.5),), total_s=20)).segments
    assert audit_segment(segment, ()).decision == "accept"
    assert audit_segment(segment, (because(RejectCode.LOW_SNR, 3.0, 10.0),)).reasons == (RejectCode.LOW_SNR,)
    assert segment.span == span(0, 20)

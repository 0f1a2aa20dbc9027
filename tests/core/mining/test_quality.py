from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.mining.audit import audit_events, audit_recording, audit_segment, because
from pipeline.core.mining.events import find_events
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.quality import (
    QualityLimits,
    SegmentMeasures,
    segment_problems,
    speech_in,
    structure_problems,
    unrelated_share,
)
from pipeline.core.mining.segments import find_segments
from pipeline.core.mining.summary import (
    Histogram,
    MadeBy,
    MiningSummary,
    MiningTally,
    Outcome,
    SplitSummary,
    Written,
)
from pipeline.core.seeding import derive_rng
from pipeline.domain.labels import Split
from pipeline.domain.mining import MinedType, RejectCode
from pipeline.domain.quarantine import Reason
from tests.core.mining.made import RATE, Times, at, span, talk

LIMITS = QualityLimits(bandwidth_min_hz=3000)
MADE_BY = MadeBy(config_sha256="0", versions={"humdial-pipeline": "0"})


@pytest.mark.parametrize(
    ("measures", "codes"),
    [
        (SegmentMeasures(speech_s=(9.0, 1.0)), ()),
        (SegmentMeasures(speech_s=(9.01, 0.99)), (RejectCode.ONE_SPEAKER,)),
        (SegmentMeasures(speech_s=(9.0,)), (RejectCode.ONE_SPEAKER,)),
        (SegmentMeasures(speech_s=()), (RejectCode.ONE_SPEAKER,)),
        (SegmentMeasures(speech_s=(5, 4, 0.5)), ()),
        (SegmentMeasures(speech_s=(5, 4, 0.501)), (RejectCode.EXTRA_SPEAKER,)),
        (SegmentMeasures(speech_s=(5, 4), snr_db=(20, 10)), ()),
        (SegmentMeasures(speech_s=(5, 4), snr_db=(20, 9.9)), (RejectCode.LOW_SNR,)),
        (SegmentMeasures(speech_s=(5, 4), clipped_share=(0, 0.0009)), ()),
        (SegmentMeasures(speech_s=(5, 4), clipped_share=(0, 0.001)), (RejectCode.CLIPPING,)),
        (SegmentMeasures(speech_s=(5, 4), bandwidth_hz=3000), ()),
        (SegmentMeasures(speech_s=(5, 4), bandwidth_hz=2999), (RejectCode.LOW_BANDWIDTH,)),
        (
            SegmentMeasures(speech_s=(5, 0.1, 0.0), snr_db=(1,), clipped_share=(1,)),
            (RejectCode.ONE_SPEAKER, RejectCode.LOW_SNR, RejectCode.CLIPPING),
        ),
    ],
)
def test_every_gate_has_its_bound(measures: SegmentMeasures, codes: tuple[RejectCode, ...]) -> None:
    assert tuple(value.code for value in segment_problems(measures, LIMITS)) == codes


def test_telephone_bandwidth_is_no_reason_unless_a_floor_is_set() -> None:
    measures = SegmentMeasures(speech_s=(5, 4), bandwidth_hz=100)
    assert segment_problems(measures, QualityLimits()) == ()


def test_speech_inside_a_span_is_cut_at_its_borders() -> None:
    activity = talk(((0, 4), (6, 8)), ((3, 7),), ())
    assert speech_in(activity, span(3.5, 6.5)) == (3.0, 1.0, 0.0)
    assert speech_in(activity, span(20, 21)) == (0.0, 0.0, 0.0)


def independent(minutes: int) -> tuple[Times, Times]:
    """Two people who do not hear each other."""
    lines: list[Times] = []
    for name in "ab":
        rng, at_s, spurts = derive_rng(3, "chance", name), 0.0, []
        while at_s < minutes * 60 - 10:
            start = at_s + float(rng.exponential(1.0)) + 0.25
            at_s = start + 0.3 + float(rng.exponential(2.0))
            spurts.append((round(start, 3), round(at_s, 3)))
        lines.append(tuple(spurts))
    return lines[0], lines[1]


def test_channels_of_two_conversations_give_themselves_away() -> None:
    a, b = independent(20)
    candidates = find_events(talk(a, b, total_s=1200))
    share, count = unrelated_share(candidates)
    assert count >= 100
    assert share > 0.25
    (problem,) = structure_problems(candidates)
    assert problem == because(RejectCode.CHANNELS_UNRELATED, share, 0.25)
    assert structure_problems(candidates, QualityLimits(structure_min_candidates=count + 1)) == ()
    assert structure_problems(()) == ()


def test_overlaps_too_short_to_count_say_nothing_about_the_channels() -> None:
    strange = at(talk(((2.6, 3.15),), ((3, 6),)), 3, EventLimits(incumbent_bc_check=False))
    assert strange.event.type is MinedType.NO_INCUMBENT_FLOOR
    assert strange.reasons[-1] is RejectCode.OVERLAP_TOO_SHORT
    assert unrelated_share((strange,)) == (0.0, 0)


def summarise(outcomes: Iterable[Outcome]) -> MiningSummary:
    tally = MiningTally()
    for outcome in outcomes:
        tally.add(outcome)
    return tally.summary(MADE_BY)


def test_the_funnel_counts_the_first_reason_and_every_reason() -> None:
    activity = talk(((0, 20),), ((5, 6.5), (7, 7.5)), total_s=20)
    candidates = find_events(activity)
    (segment,) = find_segments(activity, candidates).segments
    refused = because(RejectCode.LOW_SNR, 5.0, 10.0), because(RejectCode.CLIPPING, 0.1, 0.001)
    rejected_row = audit_segment(segment, refused)
    outcomes = [
        Outcome(
            "a", 20, "ok", (segment,), (*audit_events("a", RATE, candidates), audit_segment(segment, ()))
        ),
        Outcome("b", 20, "ok", (), (rejected_row,), bleed_db=(-36.0, -11.0)),
        Outcome("c", 40, "rejected", (), (audit_recording("c", 40, (because(RejectCode.RIGHTS),)),)),
        Outcome("d", 10, "error"),
    ]
    summary = summarise(outcomes)
    assert summary == summarise(reversed(outcomes))
    assert summary.hours_in == pytest.approx(90 / 3600, abs=1e-6)
    assert summary.hours_out == pytest.approx(20 / 3600, abs=1e-6)
    assert summary.share_kept == pytest.approx(20 / 90, abs=1e-4)
    assert summary.recordings == {"in": 4, "ok": 2, "rejected": 1, "error": 1}
    assert {name: (p.came_in, p.went_out) for name, p in summary.funnel.items()} == {
        "recordings": (4, 2),
        "events": (2, 1),
        "segments": (2, 1),
    }
    clipping = summary.rejected[RejectCode.CLIPPING]
    assert (clipping.first_failing_n, clipping.any_failing_n) == (0, 1)
    assert clipping.any_failing_h == pytest.approx(20 / 3600, abs=1e-6)
    assert summary.rejected[RejectCode.LOW_SNR].first_failing_n == 1
    assert set(summary.rejected) == {
        RejectCode.LOW_SNR,
        RejectCode.CLIPPING,
        RejectCode.RIGHTS,
        RejectCode.EVENT_AMBIGUOUS,
    }
    assert summary.class_counts[MinedType.FAILED_INTERRUPTION] == 1
    assert summary.class_counts[MinedType.SHORT_INCURSION] == 1  # 0.5 s after the bid
    assert summary.class_per_hour[MinedType.FAILED_INTERRUPTION] == 90.0
    assert [bin.count for bin in summary.bleed_hist] == [0, 0, 1, 0, 0, 0, 0, 0, 1]
    assert sum(bin.count for bin in summary.duration_hist) == 1


def test_nothing_in_is_nothing_out() -> None:
    summary = summarise(())
    assert (summary.hours_in, summary.share_kept, summary.rejected) == (0.0, None, {})
    assert set(summary.class_per_hour.values()) == {None}


def test_a_value_on_an_edge_belongs_to_the_bin_above() -> None:
    found = Histogram((10, 60))
    found.add([9.9, 10, 59.9, 60])
    assert [(bin.low, bin.high, bin.count) for bin in found.bins()] == [
        (None, 10, 1),
        (10, 60, 2),
        (60, None, 1),
    ]


@settings(max_examples=40)
@given(st.lists(st.floats(0.001, 20_000), min_size=1, max_size=50), st.randoms(use_true_random=False))
def test_the_order_of_recordings_changes_no_digit(durations: list[float], order: Random) -> None:
    outcomes = [
        Outcome(str(n), s, "rejected", (), (audit_recording(str(n), s, (because(RejectCode.RIGHTS),)),))
        for n, s in enumerate(durations)
    ]
    shuffled = order.sample(outcomes, len(outcomes))
    assert summarise(shuffled).to_line() == summarise(outcomes).to_line()


def test_what_was_made_of_segments_is_counted_by_split_and_by_reason() -> None:
    activity = talk(((0, 20),), ((5, 6.5), (7, 7.5)), total_s=20)
    (segment,) = find_segments(activity, find_events(activity)).segments
    tally = MiningTally()
    tally.add(Outcome("a", 20, "ok", (segment,)), Split.DEV, Written(1, 0, (Reason.ONE_CHANNEL,)))
    tally.add(Outcome("b", 30, "ok"), Split.DEV, Written())
    tally.add(Outcome("c", 30, "rejected"), Split.TEST, Written())
    summary = tally.summary(MADE_BY)
    (part,) = summary.splits.items()
    assert part == (Split.DEV, SplitSummary(recordings=2, segments=1, hours=round(20 / 3600, 6)))
    assert (summary.timelines, summary.dialogues, summary.quarantined) == (1, 0, {Reason.ONE_CHANNEL: 1})

from typing import Literal

import pytest

from pipeline.core.mining.events import find_events
from pipeline.core.mining.gates import (
    GATES,
    Basis,
    Figure,
    SwitchboardTally,
    TaggedRecording,
    TaggedWord,
    backchannel_truth,
    check_gates,
)
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.segments import find_segments
from tests.core.mining.made import Times, span, talk

Acts = tuple[tuple[float, float, str | None], ...]


def tagged(a: Times, b: Times, acts: dict[str, Acts], total_s: float = 60.0) -> TaggedRecording:
    activity = talk(a, b, total_s=total_s)
    candidates = find_events(activity)
    return TaggedRecording(
        activity=activity,
        candidates=candidates,
        segments=find_segments(activity, candidates).segments,
        acts={
            name: tuple(TaggedWord(span(start, end), act) for start, end, act in words)
            for name, words in acts.items()
        },
    )


def switchboard_figures(
    recordings: list[TaggedRecording], basis: Literal["timing", "words"]
) -> dict[tuple[Figure, Basis], float | None]:
    tally = SwitchboardTally(basis)
    for recording in recordings:
        tally.add(recording)
    return tally.figures()


def test_the_reference_figures_hold_their_own_gates() -> None:
    measured = {(gate.figure, gate.basis): gate.reference for gate in GATES}
    assert {result.verdict for result in check_gates(measured)} == {"holds", "not measured"}
    assert [r.gate.figure for r in check_gates(measured) if r.verdict == "not measured"] == [
        "turnbench_int_recall",
        "listening_interruption_precision",
    ]


@pytest.mark.parametrize(
    ("figure", "basis", "value", "verdict"),
    [
        ("backchannel_f1", "timing", 0.74, "holds"),
        ("backchannel_f1", "timing", 0.739, "fails"),
        ("backchannel_f1", "words", 0.86, "holds"),
        ("interruption_initiator_backchannel", "timing", 0.06, "holds"),
        ("interruption_initiator_backchannel", "timing", 0.061, "fails"),
        ("interruption_either_backchannel", "words", 0.051, "fails"),
        ("anchors_covered", "any", 0.949, "fails"),
        ("overlap_f1", "any", None, "not measured"),
    ],
)
def test_a_gate_holds_up_to_its_bound(
    figure: Figure, basis: Basis, value: float | None, verdict: str
) -> None:
    results = {(r.gate.figure, r.gate.basis): r for r in check_gates({(figure, basis): value})}
    assert results[figure, basis].verdict == verdict
    assert sum(r.verdict != "not measured" for r in results.values()) == (value is not None)


def test_a_talkspurt_is_a_backchannel_where_all_of_its_tagged_words_are() -> None:
    recording = tagged(
        ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11), (12, 13)),
        (),
        {
            "A": (
                *((0, 0.5, "b"), (0.5, 1, "bh")),
                *((2, 2.5, "b"), (2.5, 3, "sd")),
                (4, 5, None),  # nobody said what it is
                (6, 7, "aa"),
                *((8, 8.5, "b"), (8.5, 9, None)),  # laughter beside it has no tag
                *((10, 10.5, "b^r"), (10.5, 11, "bk@")),  # the same acts, with a note on them
                (12, 13, "sd(^q)"),
            )
        },
    )
    strict = {("A", 0): True, ("A", 2000): False, ("A", 6000): False, ("A", 8000): True}
    strict |= {("A", 10_000): True, ("A", 12_000): False}
    assert backchannel_truth(recording, EventLimits()) == strict


def test_figures_by_hand() -> None:
    a = ((0, 20), (21, 30), (40, 50))
    b = (
        (3, 3.5),  # called a backchannel, and is one
        (6, 6.6),  # called one, and is none
        (8, 9.5),  # called a failed interruption, and is a backchannel
        (20.2, 20.6),  # in a silence: called one, and is one
        (28, 35),  # an interruption
        (50.3, 50.7),  # in a silence: called one, and is none
    )
    acts: Acts = (
        *((3, 3.5, "b"), (6, 6.6, "sd"), (8, 9.5, "b"), (20.2, 20.6, "b")),
        *((28, 35, "sd"), (50.3, 50.7, "qy")),
    )
    recording = tagged(a, b, {"B": acts, "A": ((0, 20, "sd"), (21, 30, "bk"), (40, 50, "sd"))})
    figures = switchboard_figures([recording], "timing")
    assert figures["backchannel_f1", "timing"] == 0.5  # 1 hit, 1 missed, 1 invented
    # 1 hit, 1 invented, 1 missed: A's turn at 21 s, which is tagged one
    assert figures["gap_backchannel_f1", "timing"] == 0.5
    assert figures["interruption_initiator_backchannel", "timing"] == 0.0
    assert figures["interruption_either_backchannel", "timing"] == 1.0  # the incumbent's turn is tagged one
    assert figures["anchors_covered", "any"] == 1.0
    uncut = TaggedRecording(recording.activity, recording.candidates, (), recording.acts)
    assert switchboard_figures([uncut], "timing")["anchors_covered", "any"] == 0.0


def test_talkspurts_that_nobody_tagged_are_left_out() -> None:
    recording = tagged(((0, 20),), ((3, 3.5), (6, 6.6)), {"B": ((3, 3.5, "b"), (6, 6.6, None))})
    assert switchboard_figures([recording], "timing")["backchannel_f1", "timing"] == 1.0


def test_without_recordings_nothing_is_measured() -> None:
    assert set(switchboard_figures([], "words").values()) == {None}

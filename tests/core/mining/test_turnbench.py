from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from pipeline.core.mining.turnbench import (
    Interval,
    Kind,
    Prediction,
    TurnBenchGold,
    TurnBenchScore,
    gold_of,
    majority,
    pool_turnbench,
    score_turnbench,
)


def interval(text: str) -> Interval:
    """`A 1.0 2.0`"""
    speaker, start, end = text.split()
    return Interval(speaker=speaker, start_s=float(start), end_s=float(end))


def at(text: str) -> Prediction:
    speaker, when = text.split()
    return Prediction(speaker=speaker, at_s=float(when))


def gold(
    positives: Sequence[Prediction], negatives: Sequence[Interval] = (), excluded: Sequence[Interval] = ()
) -> TurnBenchGold:
    return TurnBenchGold(tuple(positives), tuple(negatives), tuple(excluded))


@pytest.mark.parametrize(
    ("positives", "predictions", "detected"),
    [
        (("A 10",), ("A 9.75",), 1),
        (("A 10",), ("A 9.74",), 0),
        (("A 10",), ("A 13",), 1),
        (("A 10",), ("A 13.01",), 0),
        (("A 10",), ("B 10",), 0),
        (("A 10", "A 12"), ("A 11.9",), 1),  # the first takes it, the second has none left
        (("A 10", "A 12"), ("A 12.1",), 1),  # after the next positive: the second's
        (("A 10", "A 12"), ("A 10.1", "A 12.1"), 2),
        (("A 10", "B 12"), ("A 12.5",), 1),  # another speaker's positive does not end the window
        ((), ("A 1",), 0),
    ],
)
def test_a_positive_takes_the_earliest_prediction_in_its_window(
    positives: tuple[str, ...], predictions: tuple[str, ...], detected: int
) -> None:
    score = score_turnbench(gold([at(p) for p in positives]), [at(p) for p in predictions])
    assert (score.positives, score.detected) == (len(positives), detected)


@pytest.mark.parametrize(
    ("negatives", "predictions", "false_positives"),
    [
        (("A 20 21",), ("A 19.75",), 1),
        (("A 20 21",), ("A 19.7",), 0),
        (("A 20 21",), ("A 21",), 1),
        (("A 20 21",), ("A 21.1",), 0),
        (("A 20 21",), ("A 20.1", "A 20.2"), 1),  # at most one per span
        (("A 20 21", "A 20.5 22"), ("A 20.6",), 2),
        (("A 20 21",), ("B 20.5",), 0),
        (("A 9.8 11",), ("A 10.2",), 0),  # claimed by the positive
        (("A 9.8 13",), ("A 10.2", "A 12.9"), 0),  # inside its window
        (("A 9.8 14",), ("A 10.2", "A 13.1"), 1),
    ],
)
def test_a_prediction_in_a_negative_span_is_a_false_positive(
    negatives: tuple[str, ...], predictions: tuple[str, ...], false_positives: int
) -> None:
    score = score_turnbench(
        gold([at("A 10")], [interval(n) for n in negatives]), [at(p) for p in predictions]
    )
    assert score.false_positives == false_positives


def test_predictions_in_excluded_intervals_are_not_there() -> None:
    score = score_turnbench(
        gold([at("A 10")], [interval("A 20 21")], [interval("A 9 30")]), [at("A 10"), at("A 20.5")]
    )
    assert (score.detected, score.false_positives) == (0, 0)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((("A 1 2",), ("A 1.2 2.2",), ()), ("A 1.1 2.1",)),
        ((("A 1 2",), ("A 1.21 2",), ()), ()),
        ((("A 1 2",), ("A 1 2.21",), ()), ()),
        ((("A 1 2",), ("A 1.1 2.1",), ("A 1.15 2.1",)), ("A 1.1 2.1",)),
        ((("A 1 2",), ("B 1 2",), ()), ()),
        ((("A 1 2",), (), ()), ()),
        ((("A 1 2", "A 5 6"), ("A 1 2",), ("A 5.1 6.1",)), ("A 1 2", "A 5.05 6.05")),
    ],
)
def test_two_of_three_annotators_make_gold_at_the_median_time(
    given: tuple[tuple[str, ...], ...], wanted: tuple[str, ...]
) -> None:
    found = majority([[interval(text) for text in marks] for marks in given])
    assert [(m.speaker, round(m.start_s, 6), round(m.end_s, 6)) for m in found] == [
        (m.speaker, m.start_s, m.end_s) for m in map(interval, wanted)
    ]


def test_dialogues_are_pooled() -> None:
    one = TurnBenchScore(positives=2, detected=1, negatives=10, false_positives=1)
    both = pool_turnbench((one, TurnBenchScore(positives=2, detected=2, negatives=0, false_positives=0)))
    assert (both.recall, both.false_positive_rate) == (0.75, 0.1)
    assert pool_turnbench(()).recall is pool_turnbench(()).false_positive_rate is None


def test_an_interval_does_not_end_before_it_starts() -> None:
    with pytest.raises(ValidationError, match="before 2"):
        interval("A 2 1")


Annotated = dict[Kind, tuple[str, ...]]


def annotators(*given: Annotated) -> list[dict[Kind, tuple[Interval, ...]]]:
    return [{kind: tuple(map(interval, marks)) for kind, marks in one.items()} for one in given]


@pytest.mark.parametrize(
    ("given", "positives", "negatives", "excluded"),
    [
        # two of three; the third is outvoted, not a dispute
        (
            ({"interruption": ("A 1 2",)}, {"interruption": ("A 1 2",)}, {"backchannel": ("A 1 2",)}),
            ("A 1",),
            (),
            (),
        ),
        (({"backchannel": ("A 1 2",)}, {"backchannel": ("A 1 2",)}, {}), (), ("A 1 2",), ()),
        (({"noise": ("A 1 2",)}, {"noise": ("A 1 2",)}, {}), (), ("A 1 2",), ()),
        (({"attempt": ("A 1 2",)}, {"attempt": ("A 1 2",)}, {}), (), (), ("A 1 2",)),
        (({"turn": ("A 1 2",)}, {"turn": ("A 1 2",)}, {}), (), (), ()),
        # nobody agrees
        (({"interruption": ("A 1 2",)}, {"backchannel": ("A 1 2",)}, {}), (), (), ("A 1 2", "A 1 2")),
        # an agreement of another speaker at the same time settles nothing
        (({"turn": ("B 1 2",)}, {"turn": ("B 1 2",)}, {"noise": ("A 1 2",)}), (), (), ("A 1 2",)),
    ],
)
def test_gold_is_what_two_agree_on_and_disputes_are_excluded(
    given: tuple[Annotated, ...],
    positives: tuple[str, ...],
    negatives: tuple[str, ...],
    excluded: tuple[str, ...],
) -> None:
    assert gold_of(annotators(*given)) == gold(
        [at(p) for p in positives], [interval(n) for n in negatives], [interval(e) for e in excluded]
    )


@pytest.mark.parametrize(("false_positives", "recall"), [(1, 0.5), (2, 0.0)])
def test_recall_counts_only_at_a_false_positive_rate_of_a_tenth(false_positives: int, recall: float) -> None:
    score = TurnBenchScore(positives=2, detected=1, negatives=10, false_positives=false_positives)
    assert score.recall_in_budget == recall

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.mining.event_eval import (
    NONE,
    Conversation,
    EventMark,
    EventScores,
    marks_of,
    match_onsets,
    score_events,
)
from pipeline.core.mining.events import find_events
from pipeline.core.mining.scoring import Score
from pipeline.domain.errors import ConfigError
from tests.core.mining.made import RATE, talk


def mark(text: str) -> EventMark:
    """`B interruption 4.1`"""
    initiator, label, onset = text.split()
    return EventMark(initiator=initiator, label=label, onset_s=float(onset))


def conversation(name: str, gold: tuple[str, ...], found: tuple[str, ...]) -> Conversation:
    return Conversation(
        conversation_id=name,
        duration_s=3600,
        gold=tuple(mark(text) for text in gold),
        found=tuple(mark(text) for text in found),
    )


@pytest.mark.parametrize(
    ("gold", "found", "pairs"),
    [
        (("B bc 4.0",), ("B bc 4.25",), ((0, 0),)),
        (("B bc 4.0",), ("B bc 4.251",), ()),
        (("B bc 4.0",), ("B bc 3.75",), ((0, 0),)),
        (("B bc 4.0",), ("A bc 4.0",), ()),
        (("B bc 4.0",), ("B int 4.1",), ((0, 0),)),  # the class plays no part in matching
        (("B bc 4.0",), ("B bc 3.9", "B bc 4.05"), ((0, 1),)),  # the nearest
        (("B bc 4.0",), ("B bc 4.1", "B bc 3.9"), ((0, 1),)),  # equally near: the earlier
        (("B bc 4.2", "B bc 4.0"), ("B bc 4.15",), ((1, 0),)),  # in order of time, one-to-one
        (("B bc 4.0", "B bc 4.2"), ("B bc 4.1", "B bc 4.3"), ((0, 0), (1, 1))),
        (("B bc 4.0",), ("B int 4.0", "B bc 4.0"), ((0, 1),)),
        ((), ("B bc 4.0",), ()),
    ],
)
def test_events_are_matched_one_to_one_by_onset(
    gold: tuple[str, ...], found: tuple[str, ...], pairs: tuple[tuple[int, int], ...]
) -> None:
    assert match_onsets([mark(text) for text in gold], [mark(text) for text in found]) == pairs


def scores() -> EventScores:
    return score_events(
        [
            conversation(
                "a",
                ("B int 4.1", "A bc 9.0", "A bc 20.0"),
                ("B term 4.2", "A bc 8.9", "B int 15.0"),
            ),
            conversation("b", ("B int 1.0",), ("B int 1.1",)),
        ]
    )


def test_classes_are_scored_by_hand() -> None:
    found = scores()
    assert found.onsets == Score.of(hits=3, misses=1, false_alarms=1)
    by_label = {row.label: row.score for row in found.classes}
    assert by_label == {
        "bc": Score.of(hits=1, misses=1, false_alarms=0),
        "int": Score.of(hits=1, misses=1, false_alarms=1),
        "term": Score.of(hits=0, misses=0, false_alarms=1),
    }
    assert found.macro_f1 == pytest.approx((2 / 3 + 1 / 2) / 2)  # of the classes in gold: bc, int
    assert [(row.gold_per_hour, row.found_per_hour) for row in found.classes] == [
        (1.0, 0.5),
        (1.0, 1.0),
        (0.0, 0.5),
    ]


def test_the_confusion_matrix_names_what_was_missed_and_invented() -> None:
    assert {(c.gold, c.found): c.count for c in scores().confusion} == {
        ("bc", "bc"): 1,
        ("bc", NONE): 1,
        ("int", "int"): 1,
        ("int", "term"): 1,
        (NONE, "int"): 1,
    }


def test_intervals_hold_the_value_and_come_from_the_seed() -> None:
    many = [
        conversation(
            str(i),
            (*("B int 1.0", "A bc 5.0"), *(f"A int {10 + n}" for n in range(i % 7))),
            (*(("B int 1.0",) if i % 3 else ("A bc 5.0",)), *(f"A int {10 + 2 * n}" for n in range(i % 4))),
        )
        for i in range(30)
    ]
    one, again, other = score_events(many), score_events(many), score_events(many, seed=1)
    assert one == again
    assert one.onset_f1_interval != other.onset_f1_interval
    for row in one.classes:
        assert row.f1_interval is not None
        assert row.f1_interval.low < row.f1_interval.value < row.f1_interval.high
    assert one.macro_f1_interval is not None
    assert one.macro_f1_interval.value == one.macro_f1


def test_one_conversation_has_no_interval() -> None:
    found = score_events([conversation("a", ("B int 1.0",), ("B int 1.0",))])
    assert found.macro_f1 == 1.0
    assert found.macro_f1_interval is found.onset_f1_interval is None


def test_conversations_without_events_have_no_score() -> None:
    found = score_events([conversation("a", (), ()), conversation("b", (), ())])
    assert (found.classes, found.macro_f1, found.onsets.f1) == ((), None, None)
    with pytest.raises(ConfigError, match="no conversation"):
        score_events([])


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 40), st.sampled_from(("x", "y"))), max_size=20),
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 40), st.sampled_from(("x", "y"))), max_size=20),
)
def test_counts_add_up_and_the_matrix_holds_every_event(
    gold: list[tuple[str, int, str]], found: list[tuple[str, int, str]]
) -> None:
    def marks(rows: list[tuple[str, int, str]]) -> tuple[EventMark, ...]:
        return tuple(EventMark(initiator=who, onset_s=at / 10, label=label) for who, at, label in rows)

    result = score_events(
        [Conversation(conversation_id="a", duration_s=10, gold=marks(gold), found=marks(found))]
    )
    assert sum(c.count for c in result.confusion if c.gold != NONE) == len(gold)
    assert sum(c.count for c in result.confusion if c.found != NONE) == len(found)
    assert result.onsets.hits == sum(c.count for c in result.confusion if NONE not in (c.gold, c.found))


def test_events_of_a_recording_scored_against_themselves_are_perfect() -> None:
    marks = marks_of(find_events(talk(((0, 5), (9, 20)), ((3, 8), (12, 12.5)))), RATE)
    assert [m.label for m in marks] == ["interruption", "backchannel"]
    result = score_events([Conversation(conversation_id="a", duration_s=60, gold=marks, found=marks)])
    assert result.macro_f1 == 1.0

"""Events per ten turns, minute and dialogue; and which turns count."""

from collections.abc import Callable

import pytest

from pipeline.core.event_rates import EventTally, floor_turns, pool_events, tally_events
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Speaker
from pipeline.domain.script import Script
from pipeline.io.references import load_reference
from tests.core.said import ANSWER, BACKCHANNEL, QUERY, RATE, THIRD, timeline
from tests.core.scripting.conversations import made_up_conversation
from tests.spoken import backchannel, bystander, hesitation, interruption, speak
from tests.timed import time_dialogues

USER, ASSISTANT = Speaker.USER, Speaker.ASSISTANT
CONTINUES, YIELDS = FloorEffect.CONTINUES, FloorEffect.YIELDS


@pytest.mark.parametrize(
    ("shape", "turns"),
    [(interruption, {0, 1, 2, 3}), (backchannel, {0, 1}), (bystander, {0, 1}), (hesitation, {0, 1})],
)
def test_what_lies_on_top_of_a_turn_is_none(shape: Callable[[], Script], turns: set[int]) -> None:
    script = shape()
    assert floor_turns(script) == turns
    (placed,) = time_dialogues([speak(script)], load_reference("switchboard"))
    assert tally_events(placed).turns == len(turns)


def test_somebody_else_in_the_room_has_no_turn_even_before_the_first() -> None:
    before = timeline(
        (THIRD, 0, ((0, 400),)),
        (USER, 1, ((500, 1000),)),
        (ASSISTANT, 2, ((1300, 1700),)),
        events=((EventType.THIRD_PARTY_SPEECH, 0),),
    )
    assert tally_events(before).turns == 2


def test_a_conversation_has_as_many_turns_as_its_rates_are_counted_in() -> None:
    made = [made_up_conversation(number) for number in range(20)]
    timelines = time_dialogues([speak(one.script) for one in made], load_reference("switchboard"))
    for one, placed in zip(made, timelines, strict=True):
        interruptions = sum(event.type.is_interruption for event in one.events.events)
        wanted = one.events.turns + 2 * interruptions
        assert (len(floor_turns(one.script)), tally_events(placed).turns) == (wanted, wanted)


def test_one_dialogue_is_counted_by_type_initiator_and_effect() -> None:
    placed = timeline(QUERY, ANSWER, BACKCHANNEL, events=((EventType.BACKCHANNEL, 2),), num_samples=30 * RATE)
    assert tally_events(placed) == EventTally(
        counts={(EventType.BACKCHANNEL, USER, CONTINUES): 1}, turns=2, duration_s=30.0
    )


def test_rates_are_sums_over_sums() -> None:
    kind = (EventType.CONTINUER, USER, CONTINUES)
    found = pool_events([EventTally({kind: 3}, 4, 30.0), EventTally({kind: 1}, 16, 90.0)])
    assert found is not None
    assert (found.dialogues, found.turns, found.minutes) == (2, 20, 2.0)
    (row,) = found.rows
    assert (row.n, row.per_ten_turns, row.per_min, row.per_dialogue) == (4, 2.0, 2.0, 2.0)


def test_rows_are_in_the_order_of_the_event_table_and_leave_out_what_never_happens() -> None:
    kinds = [
        (EventType.REACTION, ASSISTANT, CONTINUES),
        (EventType.CORRECTION, ASSISTANT, YIELDS),
        (EventType.CORRECTION, USER, FloorEffect.RESUMES),
        (EventType.CORRECTION, USER, YIELDS),
    ]
    found = pool_events([EventTally(dict.fromkeys(kinds, 1), 5, 60.0)])
    assert found is not None
    got = [(row.type, row.initiator, row.effect) for row in found.rows]
    assert got == [kinds[3], kinds[2], kinds[1], kinds[0]]


def test_of_nothing_there_are_no_rates() -> None:
    assert pool_events([]) is None
    found = pool_events([EventTally({(EventType.THIRD_PARTY_SPEECH, THIRD, CONTINUES): 1}, 0, 6.0)])
    assert found is not None
    assert found.rows[0].per_ten_turns is None

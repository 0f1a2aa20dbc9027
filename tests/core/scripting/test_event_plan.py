"""Which events a conversation holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import poisson

from pipeline.core.scripting.event_plan import (
    CLOSING,
    DEFAULT_RATES,
    TURNS_PER_INTERRUPTION,
    ConversationConfig,
    TurnRange,
    plan_events,
    poisson_count,
)
from pipeline.domain.events import EVENTS, EventType, event_definition
from pipeline.domain.labels import Speaker

SEEDS = st.integers(0, 100_000)


@given(SEEDS, st.integers(4, 30), st.integers(0, 10))
def test_a_plan_has_room_for_what_it_holds(seed: int, least: int, more: int) -> None:
    config = ConversationConfig(turns=TurnRange(min=least, max=least + more + 1))
    plan = plan_events(config, seed, "en-1")
    interruptions = [event for event in plan.events if event.type.is_interruption]
    turns = plan.turns + 2 * len(interruptions)
    assert least <= turns <= least + more + 1
    assert turns % 2 == plan.turns % 2 == 0
    assert len(interruptions) <= turns // TURNS_PER_INTERRUPTION <= plan.turns // 2
    assert sum(event.type in CLOSING for event in plan.events) <= 1
    assert len({event.event_id for event in plan.events}) == len(plan.events)


@given(SEEDS)
def test_who_starts_an_event_and_what_becomes_of_the_floor_are_what_the_table_allows(seed: int) -> None:
    for event in plan_events(ConversationConfig(), seed, "en-1").events:
        row = event_definition(event.type)
        assert event.initiator in row.initiators
        assert event.effect in row.effects


@given(SEEDS, st.sampled_from([event for event in EventType if event is not EventType.BACKCHANNEL]))
def test_a_type_left_out_moves_no_draw_of_another(seed: int, left_out: EventType) -> None:
    few = {event: rate * 0.3 for event, rate in DEFAULT_RATES.items()}  # so few that all of them fit
    whole = plan_events(ConversationConfig(rates=few), seed, "en-1").events
    without = plan_events(ConversationConfig(rates={**few, left_out: 0.0}), seed, "en-1").events
    kinds = [(e.type, e.initiator, e.effect) for e in whole if e.type is not left_out]
    assert [(e.type, e.initiator, e.effect) for e in without if e.type not in CLOSING] == [
        kind for kind in kinds if kind[0] not in CLOSING
    ]


def test_rates_are_met_over_many_dialogues() -> None:
    rates = dict.fromkeys(EventType, 0.0)
    rates |= {EventType.CONTINUER: 0.9, EventType.CORRECTION: 0.5}
    config = ConversationConfig(rates=rates, turns=TurnRange(min=20, max=20), assistant_share=0.25)
    plans = [plan_events(config, seed, "en-1") for seed in range(2_000)]
    events = [event for plan in plans for event in plan.events]
    continuers = [event for event in events if event.type is EventType.CONTINUER]
    corrections = [event for event in events if event.type is EventType.CORRECTION]
    assert len(continuers) / len(plans) == pytest.approx(1.8, rel=0.05)
    assert len(corrections) / len(plans) == pytest.approx(1.0, rel=0.07)
    by_assistant = sum(event.initiator is Speaker.ASSISTANT for event in events)
    assert by_assistant / len(events) == pytest.approx(0.25, abs=0.03)


def test_every_type_but_the_unspecific_one_occurs_by_default() -> None:
    drawn = {e.type for seed in range(300) for e in plan_events(ConversationConfig(), seed, "zh-1").events}
    assert drawn == {row.type for row in EVENTS} - {EventType.BACKCHANNEL}


@given(st.floats(0, 1, exclude_max=True), st.floats(0.01, 20))
def test_counts_are_quantiles_of_the_poisson_law(u: float, mean: float) -> None:
    count = poisson_count(u, mean)
    assert poisson.cdf(count, mean) >= u - 1e-9
    assert count == 0 or poisson.cdf(count - 1, mean) <= u + 1e-9


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"rates": {"urgency": -1}}, "urgency"),
        ({"rates": {"urgency": 11}}, "urgency"),
        ({"rates": {"sneeze": 1}}, "sneeze"),
        ({"turns": {"min": 9, "max": 9}}, "even"),
        ({"turns": {"min": 12, "max": 10}}, "exceed"),
    ],
)
def test_an_impossible_configuration_is_refused(keys: dict[str, dict[str, int]], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        ConversationConfig.model_validate(keys)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.ledger import (
    Call,
    Outcome,
    Prices,
    call_of,
    ledger_table,
    nearest_rank,
    summarise_calls,
    unanswered,
)
from pipeline.domain.chat import ChatReply, Served

PRICES = Prices(currency="EUR", prompt=2.0, cached=0.5, completion=8.0)


def call(
    dialogue: str,
    step: str,
    attempt: int,
    outcome: Outcome,
    latency_s: float = 1.0,
    prompt_tokens: int = 1000,
) -> Call:
    served = Served(endpoint="http://a/v1", latency_s=latency_s, retries=2)
    reply = ChatReply(
        model="m",
        content="{}",
        finish_reason="stop",
        prompt_tokens=prompt_tokens,
        cached_tokens=prompt_tokens // 2,
        completion_tokens=100,
        frames=(),
        served=served,
    )
    return call_of(dialogue, step, attempt, outcome, "f" * 64, reply=reply, stored=attempt == 1)


CALLS = (
    call("a", "adapt", 0, "accepted", 1.0),
    call("a", "write", 0, "asked_again", 2.0),
    call("a", "write", 1, "accepted", 3.0),
    call("b", "adapt", 0, "asked_again", 4.0),
    call("b", "adapt", 1, "refused", 9.0, prompt_tokens=0),
    unanswered("c", "adapt", 0),
)


def test_every_step_counts_its_dialogues_replies_tokens_and_retries() -> None:
    adapt, write = summarise_calls(CALLS, PRICES).rows
    assert (adapt.step, adapt.dialogues, adapt.accepted, adapt.accepted_first) == ("adapt", 3, 1, 1)
    assert (adapt.requests, adapt.stored, adapt.retries, adapt.unmetered) == (3, 1, 6, 1)
    assert (adapt.prompt_tokens, adapt.cached_tokens, adapt.completion_tokens) == (2000, 1000, 300)
    assert (adapt.latency_p50_s, adapt.latency_p95_s) == (4.0, 9.0)
    assert adapt.acceptance == pytest.approx(1 / 3)
    assert (write.dialogues, write.accepted, write.accepted_first, write.requests) == (1, 1, 0, 2)


def test_a_dialogue_counts_as_accepted_in_all_if_it_passed_every_step() -> None:
    total = summarise_calls(CALLS, PRICES).total
    assert (total.dialogues, total.accepted, total.accepted_first, total.requests) == (3, 1, 0, 5)


def test_cost_follows_the_price_table() -> None:
    adapt = summarise_calls(CALLS, PRICES).rows[0]
    assert adapt.cost == pytest.approx((1000 * 2.0 + 1000 * 0.5 + 300 * 8.0) / 1e6)
    assert summarise_calls(CALLS, None).total.cost is None


def test_a_ledger_of_nothing_is_all_zeros() -> None:
    empty = summarise_calls((), PRICES)
    assert empty.rows == ()
    assert (empty.total.requests, empty.total.cost, empty.total.acceptance) == (0, 0.0, None)
    assert empty.total.latency_p50_s is None


def test_the_table_has_a_column_of_money_where_there_are_prices() -> None:
    header, adapt, _, total = ledger_table(summarise_calls(CALLS, PRICES))
    assert (header[-1], adapt[2], total[0]) == ("cost (EUR)", "33.3%", "total")
    assert {len(row) for row in ledger_table(summarise_calls(CALLS, PRICES))} == {13}
    assert {len(row) for row in ledger_table(summarise_calls(CALLS, None))} == {12}


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 1))
def test_a_percentile_is_a_value_that_was_measured_and_covers_its_share(
    values: list[float], share: float
) -> None:
    found = nearest_rank(sorted(values), share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_cached_tokens_are_part_of_the_prompt_and_never_paid_twice(
    fresh: int, cached: int, said: int
) -> None:
    same = Prices(prompt=3.0, cached=3.0, completion=1.0)
    assert same.cost(fresh + cached, cached, said) == pytest.approx((3 * (fresh + cached) + said) / 1e6)

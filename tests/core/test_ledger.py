import json

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
    written_tokens: int = 0,
) -> Call:
    served = Served(endpoint="http://a/v1", latency_s=latency_s, retries=2)
    reply = ChatReply(
        model="m",
        content="{}",
        finish_reason="stop",
        prompt_tokens=prompt_tokens,
        cached_tokens=prompt_tokens // 2,
        cache_write_tokens=written_tokens,
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


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_three_classes_of_input_have_three_prices(plain: int, cached: int, written: int) -> None:
    prices = Prices(prompt=2.0, cached=0.5, cache_write=2.5, completion=0.0)
    cost = prices.cost(plain + cached + written, cached, 0, cache_write_tokens=written)
    assert cost == pytest.approx((plain * 2.0 + cached * 0.5 + written * 2.5) / 1e6)


def test_writing_into_the_cache_costs_what_the_prompt_costs_where_no_price_is_given() -> None:
    assert PRICES.cost(1000, 0, 0, cache_write_tokens=400) == PRICES.cost(1000, 0, 0)


def test_more_tokens_in_the_cache_than_in_the_prompt_never_earn_money() -> None:
    assert PRICES.cost(100, 80, 0, cache_write_tokens=80) == pytest.approx((80 * 0.5 + 80 * 2.0) / 1e6)


def test_tokens_written_into_the_cache_are_counted_and_shown_where_there_are_any() -> None:
    ledger = summarise_calls((call("a", "adapt", 0, "accepted", written_tokens=300),), PRICES)
    assert ledger.total.cache_write_tokens == 300
    header, *rows = ledger_table(ledger)
    assert [row[header.index("written")] for row in rows] == ["300", "300"]
    assert "written" not in ledger_table(summarise_calls(CALLS, PRICES))[0]


def test_a_ledger_of_an_earlier_version_is_still_read() -> None:
    line = json.loads(CALLS[0].to_line())
    del line["cache_write_tokens"]
    assert Call.from_line(json.dumps(line)) == CALLS[0]


def test_an_hour_of_audio_is_a_row_of_its_own() -> None:
    ledger = summarise_calls(CALLS, PRICES)
    header, *_, hourly = ledger_table(ledger, audio_h=0.5)
    shown = dict(zip(header, hourly, strict=True))
    assert ledger.total.cost is not None
    assert (shown["step"], shown["dialogues"], shown["requests"]) == ("per audio hour", "6.0", "10.0")
    assert shown["completion"] == f"{ledger.total.completion_tokens * 2:,.1f}"
    assert shown["cost (EUR)"] == f"{ledger.total.cost * 2:,.4f}"
    assert len(ledger_table(ledger)) == len(ledger_table(ledger, audio_h=0.5)) - 1

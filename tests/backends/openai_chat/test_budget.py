import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.backends.openai_chat.budget import Budget, BudgetedAuthor, BudgetedReplies
from pipeline.core.ledger import Prices, call_of
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import ConfigError, TerminalBackendError
from tests.backends.openai_chat.asking import request_of

PRICES = Prices(currency="EUR", prompt=1.0, cached=0.0, completion=0.0)


def reply_of(prompt_tokens: int = 1_000_000) -> ChatReply:
    """Costs a euro."""
    return ChatReply(
        model="m",
        content="{}",
        finish_reason="stop",
        prompt_tokens=prompt_tokens,
        cached_tokens=0,
        completion_tokens=1,
        frames=(),
    )


class Counting:
    """An author, and a store in memory."""

    def __init__(self, prompt_tokens: int = 1_000_000) -> None:
        self.name = "org/m"
        self.asked = 0
        self.stored: dict[str, ChatReply] = {}
        self._tokens = prompt_tokens

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked += 1
        return reply_of(self._tokens)

    def find_reply(self, fingerprint: str) -> ChatReply | None:
        return self.stored.get(fingerprint)

    def put_reply(self, fingerprint: str, reply: ChatReply) -> None:
        self.stored[fingerprint] = reply


def write(inner: Counting, budget: Budget, count: int) -> None:
    """What the stage does: look, ask, store."""
    author, replies = BudgetedAuthor(inner, budget), BudgetedReplies(inner, budget)

    async def ask() -> None:
        for number in range(count):
            address = f"{author.name}/{request_of(number).fingerprint()}"
            if replies.find_reply(address) is None:
                replies.put_reply(address, await author.complete(request_of(number)))

    asyncio.run(ask())


def test_no_request_is_sent_once_the_run_has_cost_what_it_may() -> None:
    inner = Counting()
    with pytest.raises(TerminalBackendError, match=r"cost 3\.0000 EUR, and 3\.0000 EUR is all") as stopped:
        write(inner, Budget(3.0, PRICES), 10)
    assert inner.asked == 3
    assert "the same command goes on" in str(stopped.value)


def test_a_raised_budget_goes_on_where_the_run_stopped_and_pays_nothing_twice() -> None:
    inner = Counting()
    with pytest.raises(TerminalBackendError):
        write(inner, Budget(3.0, PRICES), 10)
    with pytest.raises(TerminalBackendError, match=r"cost 5\.0000"):
        write(inner, Budget(5.0, PRICES), 10)
    assert inner.asked == 5


def test_a_run_whose_replies_are_all_stored_is_never_stopped() -> None:
    inner = Counting()
    write(inner, Budget(100.0, PRICES), 10)
    write(inner, Budget(1.0, PRICES), 10)
    assert inner.asked == 10


def test_shards_that_were_finished_before_count_and_none_counts_twice() -> None:
    fingerprints = [request_of(number).fingerprint() for number in range(2)]
    calls = [
        call_of("d", "place", 0, "accepted", name, reply=reply_of(), stored=False) for name in fingerprints
    ]
    budget = Budget(10.0, PRICES, calls)
    assert budget.spent == 2.0
    inner = Counting()
    write(inner, budget, 4)  # the first two are asked again here, and known to the ledger
    assert budget.spent == 4.0


def test_threads_share_one_budget() -> None:
    budget = Budget(1e9, PRICES)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: budget.count(f"m/{number}", reply_of()), range(2000)))
    assert budget.spent == 2000.0


def test_a_budget_without_prices_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"wanted script\.author\.prices"):
        Budget(3.0, None)


def test_a_server_that_reports_no_tokens_cannot_be_kept_to_a_budget() -> None:
    inner = Counting(prompt_tokens=0)
    with pytest.raises(TerminalBackendError, match="reports no tokens"):
        write(inner, Budget(3.0, PRICES), 10)
    assert len(inner.stored) == 1, "what was paid for is kept"

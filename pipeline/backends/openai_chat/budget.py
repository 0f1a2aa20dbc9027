"""A hard stop: no request is sent once a run has cost what it may.

    find_reply ─ found ─┐
    put_reply ── paid ──┴─▶ Budget.count        complete ─▶ Budget.check ─▶ the author

What counts is what the ledger counts, the price of the run's replies, whichever process paid for them: a
resumed run starts from what it has cost already, and a run whose replies are all stored is never stopped.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.core.ledger import Call, Prices
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import ConfigError, TerminalBackendError
from pipeline.ports import ChatModel, ReplyStore


class Budget:
    """What a run may cost and what it has, each reply counted once. Shared by the threads that write shards."""

    def __init__(self, limit: float, prices: Prices | None, calls: Iterable[Call] = ()) -> None:
        """`calls` are the ledger of shards that are finished: their replies are not looked up any more."""
        if prices is None:
            raise ConfigError(
                "script.author.budget: got a budget without prices, wanted script.author.prices: what a run "
                "costs is known by them alone; add `prices: {prompt: ..., cached: ..., completion: ...}`"
            )
        self.limit = limit
        self._prices = prices
        self._lock = threading.Lock()
        self._counted: set[str] = set()
        self._spent = 0.0
        for call in calls:
            if call.reply is not None:
                tokens = (call.prompt_tokens, call.cached_tokens, call.completion_tokens)
                self._add(call.reply, prices.cost(*tokens, call.cache_write_tokens))

    @property
    def spent(self) -> float:
        """So far."""
        return self._spent

    def count(self, address: str, reply: ChatReply) -> None:
        """Add one reply's price, once per address (`<model>/<fingerprint of the request>`).

        Raises TerminalBackendError for a reply whose tokens were not reported: its price is unknown, and a
        budget that leaves it out would hold nothing.
        """
        if not reply.prompt_tokens and reply.finish_reason == "stop":
            raise TerminalBackendError(
                f"script.author.budget: {reply.model} reports no tokens, so what it costs is not known; remedy: a "
                "server that sends `usage`, or no budget; what was written is kept"
            )
        tokens = (reply.prompt_tokens, reply.cached_tokens, reply.completion_tokens)
        self._add(
            address.rpartition("/")[2],
            self._prices.cost(*tokens, cache_write_tokens=reply.cache_write_tokens),
        )

    def check(self) -> None:
        """Raise TerminalBackendError where nothing is left."""
        if self._spent >= self.limit:
            currency = self._prices.currency
            raise TerminalBackendError(
                f"script.author.budget: this run has cost {self._spent:,.4f} {currency}, and {self.limit:,.4f} "
                f"{currency} is all it may; remedy: raise the budget; what was written is kept, and the same "
                "command goes on"
            )

    def _add(self, fingerprint: str, cost: float) -> None:
        with self._lock:
            if fingerprint not in self._counted:
                self._counted.add(fingerprint)
                self._spent += cost


@dataclass(frozen=True, slots=True)
class BudgetedAuthor:
    """Implements ChatModel: asks while there is budget.

    Requests that are under way when it runs out are answered and paid for: what a run costs exceeds its budget
    by `max_in_flight` requests at the most.
    """

    author: ChatModel
    budget: Budget

    @property
    def name(self) -> str:
        """The author's."""
        return self.author.name

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer one request. Raises TerminalBackendError where nothing is left to pay for it."""
        self.budget.check()
        return await self.author.complete(request)


@dataclass(frozen=True, slots=True)
class BudgetedReplies:
    """Implements ReplyStore: tells the budget of every reply that the run uses."""

    replies: ReplyStore
    budget: Budget

    def find_reply(self, fingerprint: str) -> ChatReply | None:
        """The stored reply, or None."""
        found = self.replies.find_reply(fingerprint)
        if found is not None:
            self.budget.count(fingerprint, found)
        return found

    def put_reply(self, fingerprint: str, reply: ChatReply) -> None:
        """Store a reply first, then count it: what was paid for is kept."""
        self.replies.put_reply(fingerprint, reply)
        self.budget.count(fingerprint, reply)

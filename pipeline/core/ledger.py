"""What an author's work took: requests, retries, tokens, time and money, step by step.

One `Call` per question whose reply was used or refused, kept per shard in `ledger.NNNNN.jsonl`. It counts what
the run's data cost, whichever process paid: a rerun finds its replies in the store (`stored`), and the ledger
says the same as before.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from pipeline.domain.chat import ChatReply
from pipeline.domain.record import Record

Table = tuple[tuple[str, ...], ...]

Outcome = Literal["accepted", "asked_again", "refused", "unanswered"]
"""`asked_again`: refused, and repaired by another question; `unanswered`: no reply came at all."""


class Prices(Record):
    """What a server's owner charges, per million tokens."""

    currency: str = Field(default="USD", min_length=1)
    prompt: float = Field(ge=0)
    cached: float = Field(ge=0)
    """Prompt tokens that the server had in its prefix cache."""
    cache_write: float | None = Field(default=None, ge=0)
    """Prompt tokens that it wrote into the cache; null: as any others of the prompt."""
    completion: float = Field(ge=0)

    def cost(
        self, prompt_tokens: int, cached_tokens: int, completion_tokens: int, cache_write_tokens: int = 0
    ) -> float:
        """Of some tokens; the cache's, read or written, are part of the prompt's.

        >>> Prices(prompt=1.0, cached=0.1, completion=4.0).cost(1_000_000, 500_000, 250_000)
        1.55
        >>> Prices(prompt=1.0, cached=0.1, cache_write=1.25, completion=4.0).cost(1_000_000, 0, 0, 400_000)
        1.1

        Servers that count written tokens without regard to read ones can report more than the prompt has; then
        no plain ones are left, never a negative number of them.
        """
        plain_tokens = max(prompt_tokens - cached_tokens - cache_write_tokens, 0)
        parts = (
            plain_tokens * self.prompt,
            cached_tokens * self.cached,
            cache_write_tokens * (self.prompt if self.cache_write is None else self.cache_write),
            completion_tokens * self.completion,
        )
        return sum(parts) / 1e6


class Call(Record):
    """One question to the author: a line of `ledger.NNNNN.jsonl`."""

    dialogue_id: str
    step: str
    attempt: int = Field(ge=0)
    """0 is the first question, 1 the repair."""
    outcome: Outcome
    stored: bool
    """The reply was there already: nobody was asked, nothing was paid again."""
    reply: str | None
    """Fingerprint of the request, the address of the stored reply; None where there is none."""
    model: str | None
    prompt_tokens: int = Field(ge=0)
    cached_tokens: int = Field(ge=0)
    cache_write_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(ge=0)
    retries: int = Field(ge=0)
    latency_s: float | None
    """None for an author that is no server."""


def call_of(
    dialogue_id: str,
    step: str,
    attempt: int,
    outcome: Outcome,
    request: str,
    *,
    reply: ChatReply,
    stored: bool,
) -> Call:
    """The line for a reply; `request` is its request's fingerprint."""
    return Call(
        dialogue_id=dialogue_id,
        step=step,
        attempt=attempt,
        outcome=outcome,
        stored=stored,
        reply=request,
        model=reply.model,
        prompt_tokens=reply.prompt_tokens,
        cached_tokens=reply.cached_tokens,
        cache_write_tokens=reply.cache_write_tokens,
        completion_tokens=reply.completion_tokens,
        retries=reply.served.retries if reply.served else 0,
        latency_s=reply.served.latency_s if reply.served else None,
    )


def unanswered(dialogue_id: str, step: str, attempt: int) -> Call:
    """The line for a question that no reply came to."""
    return Call(
        dialogue_id=dialogue_id,
        step=step,
        attempt=attempt,
        outcome="unanswered",
        stored=False,
        reply=None,
        model=None,
        prompt_tokens=0,
        cached_tokens=0,
        completion_tokens=0,
        retries=0,
        latency_s=None,
    )


class LedgerRow(Record):
    """One step, or all of them together."""

    step: str
    requests: int
    """Questions with a reply."""
    stored: int
    """Of them, answered from the store when the shards were last written."""
    retries: int
    prompt_tokens: int
    cached_tokens: int
    cache_write_tokens: int = 0
    completion_tokens: int
    unmetered: int
    """Replies for which the server reported no tokens: they are missing in the tokens and in the cost."""
    latency_p50_s: float | None
    latency_p95_s: float | None
    cost: float | None
    """None without a price table."""
    dialogues: int
    """How many came to this step."""
    accepted: int
    """How many passed it, repaired or not."""
    accepted_first: int
    """How many passed it with the first reply."""

    @property
    def acceptance(self) -> float | None:
        """Share of dialogues that passed; None where none came."""
        return self.accepted / self.dialogues if self.dialogues else None


class Ledger(Record):
    """Of a whole run."""

    currency: str | None
    rows: tuple[LedgerRow, ...]
    """By step, in order of appearance."""
    total: LedgerRow
    """Dialogues that passed all of their steps count as accepted."""


def summarise_calls(calls: Iterable[Call], prices: Prices | None) -> Ledger:
    """Add up a run's calls. Holds them all: a million calls are a few hundred MB, a run has thousands."""
    together = tuple(calls)
    steps: dict[str, list[Call]] = {}
    for call in together:
        steps.setdefault(call.step, []).append(call)
    return Ledger(
        currency=prices.currency if prices else None,
        rows=tuple(_row(step, of_step, prices) for step, of_step in steps.items()),
        total=_row("total", together, prices),
    )


def _row(step: str, calls: Sequence[Call], prices: Prices | None) -> LedgerRow:
    answered = [call for call in calls if call.outcome != "unanswered"]
    failed = {call.dialogue_id for call in calls if call.outcome in ("refused", "unanswered")}
    repaired = {call.dialogue_id for call in calls if call.outcome == "asked_again"}
    dialogues = {call.dialogue_id for call in calls}
    latencies = sorted(call.latency_s for call in answered if call.latency_s is not None)
    prompt, cached, written, completion = (
        sum(call.prompt_tokens for call in answered),
        sum(call.cached_tokens for call in answered),
        sum(call.cache_write_tokens for call in answered),
        sum(call.completion_tokens for call in answered),
    )
    return LedgerRow(
        step=step,
        requests=len(answered),
        stored=sum(call.stored for call in answered),
        retries=sum(call.retries for call in answered),
        prompt_tokens=prompt,
        cached_tokens=cached,
        cache_write_tokens=written,
        completion_tokens=completion,
        unmetered=sum(call.prompt_tokens == 0 for call in answered),
        latency_p50_s=nearest_rank(latencies, 0.5),
        latency_p95_s=nearest_rank(latencies, 0.95),
        cost=None if prices is None else round(prices.cost(prompt, cached, completion, written), 6),
        dialogues=len(dialogues),
        accepted=len(dialogues - failed),
        accepted_first=len(dialogues - failed - repaired),
    )


def nearest_rank(ordered: Sequence[float], share: float) -> float | None:
    """The least of the values that at least this share of all does not exceed; None of nothing.

    >>> nearest_rank([0.1, 0.2, 0.3, 9.0], 0.5), nearest_rank([0.1, 0.2, 0.3, 9.0], 0.95)
    (0.2, 9.0)
    """
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else None


def ledger_table(ledger: Ledger, audio_h: float | None = None) -> Table:
    """The ledger as text, for a plain aligned table.

    With the hours of audio that came of it, a last row says what one of them took.
    """
    written = ("written",) if ledger.total.cache_write_tokens else ()
    money = (f"cost ({ledger.currency})",) if ledger.currency else ()
    header = (
        *("step", "dialogues", "accepted", "at once", "requests", "stored", "retries"),
        *("prompt tokens", "cached", *written, "completion", "p50 (s)", "p95 (s)"),
        *money,
    )
    rows = [_cells(row, writes=bool(written), priced=bool(money)) for row in (*ledger.rows, ledger.total)]
    if audio_h:
        rows.append(_hourly_cells(ledger.total, audio_h, writes=bool(written), priced=bool(money)))
    return (header, *rows)


def _cells(row: LedgerRow, *, writes: bool, priced: bool) -> tuple[str, ...]:
    latencies = (row.latency_p50_s, row.latency_p95_s)
    return (
        row.step,
        f"{row.dialogues:,}",
        _percent(row.accepted, row.dialogues),
        _percent(row.accepted_first, row.dialogues),
        f"{row.requests:,}",
        f"{row.stored:,}",
        f"{row.retries:,}",
        *(f"{tokens:,}" for tokens in _tokens_of(row, writes=writes)),
        *("-" if value is None else f"{value:.2f}" for value in latencies),
        *((("-" if row.cost is None else f"{row.cost:,.4f}"),) if priced else ()),
    )


def _hourly_cells(total: LedgerRow, audio_h: float, *, writes: bool, priced: bool) -> tuple[str, ...]:
    """What an hour of audio took; shares and latencies have no such thing."""
    counts = (total.requests, total.stored, total.retries, *_tokens_of(total, writes=writes))
    cost = "-" if total.cost is None else f"{total.cost / audio_h:,.4f}"
    return (
        "per audio hour",
        f"{total.dialogues / audio_h:,.1f}",
        *("-", "-"),
        *(f"{count / audio_h:,.1f}" for count in counts),
        *("-", "-"),
        *((cost,) if priced else ()),
    )


def _tokens_of(row: LedgerRow, *, writes: bool) -> tuple[int, ...]:
    written = (row.cache_write_tokens,) if writes else ()
    return (row.prompt_tokens, row.cached_tokens, *written, row.completion_tokens)


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"

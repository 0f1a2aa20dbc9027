"""How long a server is waited for, and how much is asked of it at once.

::

    try ─ fails ─ pause ─ try ─ fails ─ longer pause ─ try ...
    └──────────── no success for `give_up_after_s` ──────────┘ → the endpoint is gone, the run stops

::

    in flight  ceiling ──╮   ╭─ one more per round of successes
                         ╰───╯ halved when the server says that it is too much (429, 503)

Pure: the clock's reading and the random number come in as arguments.
"""

from dataclasses import dataclass, replace

from pydantic import Field

from pipeline.domain.record import Record

MIN_FAILURES = 3
"""One slow moment is no outage, however long it was."""


class Patience(Record):
    """How an author waits for its servers."""

    timeout_s: float = Field(default=300.0, gt=0)
    """Without a byte from the server, from one request."""
    connect_timeout_s: float = Field(default=10.0, gt=0)
    max_attempts: int = Field(default=8, ge=1)
    """Tries of one request; then, if the server answers another one, the dialogue is refused (`no_reply`)."""
    first_pause_s: float = Field(default=0.5, ge=0)
    """Doubles from try to try."""
    longest_pause_s: float = Field(default=30.0, ge=0)
    longest_retry_after_s: float = Field(default=600.0, ge=0)
    """A server may ask for longer pauses than ours (`Retry-After`), up to this; beyond it, it counts as gone."""
    give_up_after_s: float = Field(default=60.0, gt=0)
    """So long without a single success, and an endpoint counts as gone. With the last one the run stops."""

    def pause_s(self, failures: int, wish_s: float | None, random: float) -> float:
        """Before the next try, after so many failed ones (>= 1); `random` in [0, 1) spreads a crowd out.

        >>> [Patience().pause_s(n, None, 0.5) for n in (1, 2, 3, 9)]
        [0.375, 0.75, 1.5, 22.5]

        The server's own wish is the least, never shortened:

        >>> Patience().pause_s(1, 150.0, 0.5)
        150.375
        """
        # 2.0**60 is far beyond any pause; more would overflow in a run that never gives up.
        full_s = min(self.first_pause_s * 2.0 ** min(failures - 1, 60), self.longest_pause_s)
        return (wish_s or 0.0) + full_s * (0.5 + random / 2)


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one endpoint, from the outcomes of its requests. A success makes it new: `Health()`."""

    failures: int = 0
    """In a row, since the last success."""
    failing_since_s: float = 0.0
    last_failure_s: float = 0.0
    longest_wish_s: float = 0.0
    """A server that asks for patience gets that much more of it."""

    def failed(self, now_s: float, wish_s: float | None = None) -> "Health":
        """After a failure, with the server's wish for a pause where it had one."""
        return replace(
            self,
            failures=self.failures + 1,
            failing_since_s=now_s if self.failures == 0 else self.failing_since_s,
            last_failure_s=now_s,
            longest_wish_s=max(self.longest_wish_s, wish_s or 0.0),
        )

    def is_gone(self, patience: Patience) -> bool:
        """Whether it failed for too long without a success between."""
        failing_s = self.last_failure_s - self.failing_since_s
        return self.failures >= MIN_FAILURES and failing_s >= patience.give_up_after_s + self.longest_wish_s


@dataclass(frozen=True, slots=True)
class Window:
    """How many requests an endpoint may have in flight: additive increase, multiplicative decrease (AIMD), as in
    TCP's congestion avoidance (Chiu and Jain 1989; RFC 5681). Starts at the ceiling that was configured.

    >>> window = Window.open(64)
    >>> window.overloaded(sent_in=0, in_flight=64).limit
    32
    """

    ceiling: int
    size: float
    cuts: int = 0
    """How often it was halved. A request remembers the number that it was sent under."""

    @classmethod
    def open(cls, ceiling: int) -> "Window":
        """As wide as it may be."""
        return cls(ceiling=ceiling, size=float(ceiling))

    @property
    def limit(self) -> int:
        """Requests at once, 1 to `ceiling`."""
        return int(self.size)

    def succeeded(self) -> "Window":
        """After an answer: a whole window of them makes room for one request more."""
        return replace(self, size=min(self.size + 1.0 / self.size, float(self.ceiling)))

    def overloaded(self, sent_in: int, in_flight: int) -> "Window":
        """After a 429 or 503 to a request that was sent under `sent_in` cuts, one of `in_flight`.

        What was refused with it in one burst counts once: requests sent before the last cut cut no further. Half
        of what was really in flight is what is left, since room that nobody used says nothing.
        """
        if sent_in != self.cuts:
            return self
        return replace(self, size=max(min(self.size, float(in_flight)) / 2, 1.0), cuts=self.cuts + 1)

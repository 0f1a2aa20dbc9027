"""How long a server is waited for: pauses between tries, and when an endpoint counts as gone.

::

    try ─ fails ─ pause ─ try ─ fails ─ longer pause ─ try ...
    └──────────── no success for `give_up_after_s` ──────────┘ → the endpoint is gone, the run stops

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

"""Timing things side by side."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.runner import relax_collector


@dataclass(frozen=True)
class Row:
    """One ratio and what it should be."""

    path: str
    against: str
    ratio: float
    sense: Literal["at least", "at most"]
    goal: float
    note: str

    @property
    def met(self) -> bool:
        return self.ratio >= self.goal if self.sense == "at least" else self.ratio <= self.goal

    @property
    def goal_text(self) -> str:
        return f"{'>=' if self.sense == 'at least' else '<='} {self.goal:g}"


def side_by_side(repeats: int, *work: Callable[[], object]) -> list[float]:
    """Median CPU seconds of each piece of work, taken in turns so that a slow moment hits all alike."""
    taken: list[list[float]] = [[] for _ in work]
    relax_collector()  # as every command does
    for _ in range(repeats):
        for one, seconds in zip(work, taken, strict=True):
            gc.collect()
            began = time.process_time()
            one()
            seconds.append(time.process_time() - began)
    return [statistics.median(seconds) for seconds in taken]

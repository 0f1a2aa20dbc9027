"""Timing things side by side."""

import gc
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pipeline.runner import relax_collector

T = TypeVar("T")


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


def item_by_item(
    items: Sequence[T], prepare: Callable[[T], object], *ways: Callable[[T], object]
) -> list[float]:
    """Median over the items of the CPU seconds that each way takes for one.

    All ways do an item before any does the next, another one first each time: what is in a cache, and a slow
    moment, favours none. `prepare` is not counted.
    """
    taken: list[list[float]] = [[] for _ in ways]
    relax_collector()  # as every command does
    for index, item in enumerate(items):
        prepare(item)
        for turn in range(len(ways)):
            way = (index + turn) % len(ways)
            began = time.process_time()
            ways[way](item)
            taken[way].append(time.process_time() - began)
    return [statistics.median(seconds) for seconds in taken]


def peak_mb() -> float:
    """The most memory that this process has held.

    Linux hands a child its parent's peak as `ru_maxrss`, so a process's own is read from `/proc` where there
    is one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

"""Tests on the way through a decision tree, and how narrowly each came out."""

from math import inf, isfinite
from typing import NamedTuple

from pipeline.core.mining.activity import TIME_EQUALITY_S
from pipeline.domain.mining import Margin

_CLEAR_S = 0.25
"""A value that far from its threshold is as clear as one that is further away."""


class Comparison(NamedTuple):
    """A value against its threshold, in seconds, under the threshold's name.

    A tuple, as `Case` and `Spurt` are: a hundred hours of talk make millions of them.
    """

    test: str
    value: float
    threshold: float
    holds: bool

    @property
    def clearness(self) -> float:
        """0 on the threshold to 1 at 0.25 s from it; infinite where nothing was measured that could tip it."""
        distance = abs(self.value - self.threshold)
        return distance / _CLEAR_S if distance < _CLEAR_S else inf if distance == inf else 1.0


def at_least(test: str, value: float, threshold: float) -> Comparison:
    """`value >= threshold`."""
    return Comparison(test, value, threshold, value >= threshold - TIME_EQUALITY_S)


def at_most(test: str, value: float, threshold: float) -> Comparison:
    """`value <= threshold`."""
    return Comparison(test, value, threshold, value <= threshold + TIME_EQUALITY_S)


def more_than(test: str, value: float, threshold: float) -> Comparison:
    """`value > threshold`."""
    return Comparison(test, value, threshold, value > threshold + TIME_EQUALITY_S)


def fact(test: str, holds: bool) -> Comparison:
    """Something that is so or is not: no distance."""
    return Comparison(test, inf, 0.0, holds)


class Path:
    """What a candidate met on its way: of every test the comparisons that its outcome hangs on.

    A conjunction that holds hangs on each of its comparisons; one that fails, on the failing one that is furthest
    from holding, because all of them would have to change.
    """

    __slots__ = ("met",)

    def __init__(self) -> None:
        self.met: list[Comparison] = []

    def all_hold(self, *tests: Comparison) -> bool:
        """Whether every comparison holds."""
        failing = [test for test in tests if not test.holds]
        if not failing:
            self.met.extend(tests)
            return True
        self.met.append(failing[0] if len(failing) == 1 else max(failing, key=lambda test: test.clearness))
        return False

    def any_holds(self, *tests: Comparison) -> bool:
        """Whether one of the comparisons holds."""
        holding = [test for test in tests if test.holds]
        self.met.extend([max(holding, key=lambda test: test.clearness)] if holding else tests)
        return bool(holding)

    def confidence(self, factor: float = 1.0, cap: float = 1.0) -> float:
        """A rank score, 0.5 to 1, and no probability: how far the narrowest test was from coming out otherwise."""
        narrowest = min((min(1.0, test.clearness) for test in self.met), default=1.0)
        return min(cap, factor * (0.5 + 0.5 * narrowest))

    def narrowest(self, count: int = 2) -> tuple[Margin, ...]:
        """The comparisons with the smallest margins."""
        measured = [test for test in self.met if isfinite(test.value)]
        measured.sort(key=lambda test: (abs(test.value - test.threshold), test.test))
        return tuple(Margin(test=t.test, value=t.value, threshold=t.threshold) for t in measured[:count])

"""Figures with their 95 % intervals.

Shares have Wilson's (1927) score interval; the difference of two has Newcombe's (1998, *Interval estimation for the
difference between independent proportions*, method 10), made of both. Samples are taken to be independent: two runs
of the same dialogues are not quite, and where the same dialogues are hard for both the interval is wider than need
be. Means of scores have the percentiles of a seeded bootstrap.
"""

import math
from collections import Counter

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.core.seeding import derive_rng
from pipeline.domain.record import Record

Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""
RESAMPLES = 2000


class Estimate(Record):
    """A figure with its interval."""

    value: float
    low: float
    high: float


class Share(Record):
    """So many of so many. Nothing of nothing has neither value nor interval."""

    part: int = Field(ge=0)
    whole: int = Field(ge=0)
    estimate: Estimate | None


def share_of(part: int, whole: int) -> Share:
    """With Wilson's score interval, which stays inside 0...1 and has a width even where nothing or all passed.

    >>> share_of(0, 20).estimate
    Estimate(value=0.0, low=0.0, high=0.16112515805281938)
    """
    if whole == 0:
        return Share(part=part, whole=whole, estimate=None)
    p, zz = part / whole, Z * Z / whole
    middle = (p + zz / 2) / (1 + zz)
    half = Z * math.sqrt(p * (1 - p) / whole + zz / (4 * whole)) / (1 + zz)
    # At the ends the interval begins (ends) exactly there; floating point would miss it by 1e-17.
    low = 0.0 if part == 0 else max(middle - half, 0.0)
    high = 1.0 if part == whole else min(middle + half, 1.0)
    return Share(part=part, whole=whole, estimate=Estimate(value=p, low=low, high=high))


def difference_of_shares(a: Share | None, b: Share | None) -> Estimate | None:
    """Share B - share A with the interval made of both Wilson intervals; None where one is of nothing."""
    if a is None or b is None or a.estimate is None or b.estimate is None:
        return None
    one, other = b.estimate, a.estimate
    value = one.value - other.value
    return Estimate(
        value=value,
        low=value - math.hypot(one.value - one.low, other.high - other.value),
        high=value + math.hypot(one.high - one.value, other.value - other.low),
    )


def mean_of(counts: Counter[int]) -> Estimate:
    """The mean of scores given as how often each occurs, one per dialogue. Equal scores have equal intervals."""
    low, high = _percentiles(_resampled_means(counts, "alone"))
    return Estimate(value=_mean(counts), low=low, high=high)


def difference_of_means(a: Counter[int], b: Counter[int]) -> Estimate:
    """Mean B - mean A; either is resampled on its own."""
    resampled = _resampled_means(b, "b") - _resampled_means(a, "a")
    low, high = _percentiles(resampled)
    return Estimate(value=_mean(b) - _mean(a), low=low, high=high)


def _mean(counts: Counter[int]) -> float:
    return sum(score * count for score, count in counts.items()) / counts.total()


def _resampled_means(counts: Counter[int], label: str) -> npt.NDArray[np.float64]:
    """Means of resamples of the dialogues `[RESAMPLES]`.

    Drawing n dialogues with replacement is drawing how many have each score: a multinomial of few cells.
    """
    values = np.array(sorted(counts), dtype=np.float64)
    n = counts.total()
    weights = np.array([counts[int(value)] for value in values]) / n
    drawn = derive_rng(0, "bootstrap", label).multinomial(n, weights, size=RESAMPLES)
    means: npt.NDArray[np.float64] = drawn @ values / n
    return means


def _percentiles(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)

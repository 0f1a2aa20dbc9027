"""Turn-taking references: how long people pause, overlap and wait, as tables one can draw from.

A reference (schema `turntaking-reference/1`) holds aggregate statistics of a corpus: quantile tables of
floor-transfer offsets, gaps, pauses ..., event rates, the spread between conversations, and how far a
*sample of the same corpus* strays from its own table. Times are in seconds.

    u = 0.5                                   quantile table of `fto`
    level      0.005  ...  0.500  ...  0.995
    quantile  -1.213  ...  0.126  ...  2.230   ->  quantile(0.5) = 0.126, cdf(0.126) = 0.5
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from operator import attrgetter
from typing import Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record

V = TypeVar("V")
Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

Collection = Literal["independent", "sixty_second_excerpts", "whole_conversations", "half_vs_half_two_sample"]
"""How a sample was collected. Events of one conversation resemble each other, so 1,000 offsets out of six
long conversations say less than 1,000 out of a hundred: the noise floor is higher."""

_BUILT_LEVELS = tuple(round(0.005 * step, 3) for step in range(1, 200))


class QuantileTable(Record):
    """A distribution as (level, quantile) pairs, linear in between."""

    unit: str
    levels: tuple[float, ...] = Field(min_length=2)
    quantiles: tuple[float, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _monotone(self) -> Self:
        if len(self.levels) != len(self.quantiles):
            raise ValueError(f"{len(self.levels)} levels but {len(self.quantiles)} quantiles")
        if not 0 <= self.levels[0] < self.levels[-1] <= 1 or np.any(np.diff(self.levels) <= 0):
            raise ValueError("levels must increase inside [0, 1]")
        if np.any(np.diff(self.quantiles) < 0):
            raise ValueError("quantiles must not decrease")
        return self

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats]:
        return np.asarray(self.levels), np.asarray(self.quantiles)

    def quantile(self, u: float) -> float:
        """Inverse of the distribution function: what a uniform draw `u` turns into.

        Linear between the table's points; clamped to its first and last quantile outside, so the tails
        beyond the outermost levels are never invented.
        """
        return _interpolate(u, self.levels, self.quantiles, self.quantiles[0], self.quantiles[-1])

    def quantile_array(self, u: npt.ArrayLike) -> Floats:
        """`quantile` of many draws at once, any shape."""
        levels, quantiles = self._arrays
        return np.asarray(np.interp(np.asarray(u, np.float64), levels, quantiles), dtype=np.float64)

    def cdf(self, x: float) -> float:
        """Share of the distribution at or below `x`: 0 below the table, 1 above it, linear in between."""
        return _interpolate(x, self.quantiles, self.levels, 0.0, 1.0)

    def cdf_array(self, x: npt.ArrayLike) -> Floats:
        """`cdf` of many values at once, any shape."""
        levels, quantiles = self._arrays
        return np.asarray(
            np.interp(np.asarray(x, np.float64), quantiles, levels, left=0.0, right=1.0), dtype=np.float64
        )


def _interpolate(x: float, xs: Sequence[float], ys: Sequence[float], left: float, right: float) -> float:
    """What `np.interp` says of one number, bit for bit, in a fifth of its time: timing draws by the hundred."""
    after = bisect_right(xs, x)
    if after == 0:
        return left
    if xs[after - 1] == x:
        return ys[after - 1]
    if after == len(xs):
        return right
    slope = (ys[after] - ys[after - 1]) / (xs[after] - xs[after - 1])
    return slope * (x - xs[after - 1]) + ys[after - 1]


class Distribution(QuantileTable):
    """One measured quantity, such as `fto` or `pause`: summary figures and the table to draw from."""

    description: str
    n: int = Field(gt=0)
    mean: float
    sd: float = Field(ge=0)
    mean_ci95: Interval | None = None
    """95 % interval over resampled conversations; None where conversations were not resampled."""
    median_ci95: Interval | None = None
    p5: float
    p50: float
    p95: float

    @classmethod
    def of(cls, sample: npt.ArrayLike, unit: str, description: str) -> "Distribution":
        """The table of a sample: 199 quantiles at 0.005 ... 0.995, linear between order statistics.

        >>> Distribution.of([0.1, 0.2, 0.3], "s", "three gaps").p50
        0.2
        """
        values = np.asarray(sample, dtype=np.float64)
        p5, p50, p95 = (round(float(q), 4) for q in np.quantile(values, (0.05, 0.5, 0.95)))
        return cls(
            unit=unit,
            description=description,
            n=len(values),
            mean=round(float(values.mean()), 4),
            sd=round(float(values.std(ddof=1)), 4) if len(values) > 1 else 0.0,
            p5=p5,
            p50=p50,
            p95=p95,
            levels=_BUILT_LEVELS,
            quantiles=tuple(round(float(q), 4) for q in np.quantile(values, _BUILT_LEVELS)),
        )


class Metric(QuantileTable):
    """How one figure, such as `median_fto`, differs from conversation to conversation."""

    mean: float
    sd: float = Field(ge=0)


class Rate(Record):
    """How often something happens and how long it lasts in sum, per minute of conversation."""

    per_min: float | None = None
    s_per_min: float | None = None
    per_min_ci95: Interval | None = None


class Ratio(Record):
    """A share with its 95 % interval over conversations."""

    value: float
    ci95: Interval | None = None


class Spearman(Record):
    """Rank correlations between per-conversation metrics."""

    order: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _square(self) -> Self:
        size = len(self.order)
        if len(self.matrix) != size or any(len(row) != size for row in self.matrix):
            raise ValueError(f"spearman matrix must be {size} x {size}, one row and column per metric")
        return self


class SplitHalf(Record):
    """Agreement of the two halves of a conversation: how much of the spread is the dyad and not noise."""

    half_vs_half_spearman: float
    whole_conversation_reliability: float = Field(ge=0, le=1)
    note: str | None = None


class PerConversation(Record):
    """The spread between conversations. Dyads differ a lot: draw a profile, not the mean."""

    n: int = Field(gt=0)
    metrics: Mapping[str, Metric]
    spearman: Spearman
    split_half: Mapping[str, SplitHalf]
    conversation_minutes: Mapping[str, float] | None

    def metric(self, name: str) -> Metric:
        """The table of one metric over conversations; ConfigError with the nearest name otherwise."""
        return _look_up(self.metrics, name, "per-conversation metric")

    def reliability(self, name: str) -> float:
        """Spearman-Brown reliability: shrink a draw to median + sqrt(reliability) * (draw - median)."""
        return _look_up(self.split_half, name, "reliability of metric").whole_conversation_reliability

    def spearman_of(self, names: tuple[str, ...]) -> Floats:
        """Rank correlations of some metrics, `[len(names), len(names)]`, in the order asked for.

        For a Gaussian copula take 2 sin(pi rho / 6) of each entry.
        """
        position = {name: index for index, name in enumerate(self.spearman.order)}
        rows = [_look_up(position, name, "metric with rank correlations") for name in names]
        return np.asarray(self.spearman.matrix, dtype=np.float64)[np.ix_(rows, rows)]


class KsNoise(Record):
    """Distances to the table when the sample *is* the corpus. Below p95 is as good as it gets."""

    ks_mean: float = Field(ge=0)
    ks_p95: float = Field(ge=0)
    emd_mean_s: float | None = None
    emd_p95_s: float | None = None


class NoiseRow(Record):
    """Simulated noise floor of `fto` at one sample size, for every way of collecting a sample."""

    n: int = Field(gt=0)
    repetitions: int = Field(gt=0)
    independent: KsNoise
    sixty_second_excerpts: KsNoise
    whole_conversations: KsNoise
    half_vs_half_two_sample: KsNoise


class CalibratedNoise(Record):
    """Noise floor of another variable, known at one sample size."""

    n: int = Field(gt=0)
    ks_mean_independent: float
    ks_mean_whole_conversations: float
    ks_p95_whole_conversations: float


class SamplingError(Record):
    """What sampling alone does to KS and EMD."""

    variable: str
    one_sample_reference: str
    ks_noise_floor: tuple[NoiseRow, ...] = Field(min_length=2)
    corpus_halves_two_sample: Mapping[str, float]
    other_variables_n1000: Mapping[str, CalibratedNoise]


class Corpus(Record):
    """What was measured, and where it comes from."""

    name: str
    setting: str
    source_repository: str | None = None
    source_commit: str | None = None
    source_path: str | None = None
    n_conversations: int = Field(gt=0)
    speakers_per_conversation: int | Mapping[str, int]
    hours: float = Field(gt=0)
    words: int | None = None
    words_per_min_both_speakers: float | None = None
    share_of_words_with_act_tag: float | None = None
    unclassified_mixed_intervals: Mapping[str, int] | None = None
    zero_offset_speaker_changes: int | None = None


Definition = str | float | None | Mapping[str, float]


class Reference(Record):
    """Aggregate turn-taking statistics of one corpus."""

    corpus: Corpus
    licence: str | None = None
    definitions: Mapping[str, Definition]
    distributions: Mapping[str, Distribution]
    """Only what could be measured."""
    rates: Mapping[str, Rate]
    ratios: Mapping[str, Ratio]
    joint_facts: Mapping[str, Ratio]
    per_conversation: PerConversation | None
    sampling_error: SamplingError | None
    missing: Mapping[str, str] = {}
    """What the material could not give, and why: tables by name, `per_conversation`, or one of its metrics."""
    borrowed: Mapping[str, str] = {}
    """What of that was taken from another reference, by name, and from which."""

    def distribution(self, name: str) -> Distribution:
        """One quantity's table; ConfigError with the reason or the nearest name otherwise."""
        if name in self.missing and name not in self.distributions:
            raise ConfigError(
                f"turn-taking reference {self.corpus.name!r}: has no table {name!r} ({self.missing[name]}); "
                "fit it again with `humdial fit ... --base switchboard`, which borrows what is missing"
            )
        return _look_up(self.distributions, name, "distribution")

    def rate(self, name: str) -> Rate:
        """How often per minute; ConfigError with the nearest name otherwise."""
        return _look_up(self.rates, name, "rate")

    def ratio(self, name: str) -> Ratio:
        """A share of time; ConfigError with the nearest name otherwise."""
        return _look_up(self.ratios, name, "ratio")

    def conversations(self) -> PerConversation:
        """The spread between conversations; ConfigError where the reference has none."""
        if self.per_conversation is None:
            who = f"reference {self.corpus.name!r}"
            raise ConfigError(
                f"{who}: no `per_conversation` section to draw profiles from; use `switchboard`"
            )
        return self.per_conversation

    def ks_noise_floor(
        self, n: int, variable: str = "fto", collection: Collection = "whole_conversations"
    ) -> KsNoise | None:
        """KS (and EMD) that a sample of `n` events of this very corpus would show; None where not known.

        A power law of `n` between simulated sizes (a straight line in log n, log KS), 1/sqrt(n) outside them.
        Events drawn independently have the same KS law whatever the variable. For whole conversations, a
        variable other than `fto` is scaled by its own simulation at n = 1,000; unknown where there is none.
        """
        if n < 1:
            raise ConfigError(f"noise floor of {variable!r}: wanted at least 1 event, got {n}")
        if self.sampling_error is None:
            return None
        floor = _interpolated_floor(self.sampling_error.ks_noise_floor, n, collection)
        if variable == self.sampling_error.variable:
            return floor
        if collection == "independent":
            return KsNoise(ks_mean=floor.ks_mean, ks_p95=floor.ks_p95)
        own = self.sampling_error.other_variables_n1000.get(variable)
        if own is None or collection != "whole_conversations":
            return None
        base = _interpolated_floor(self.sampling_error.ks_noise_floor, own.n, collection)
        return KsNoise(
            ks_mean=min(1.0, floor.ks_mean * own.ks_mean_whole_conversations / base.ks_mean),
            ks_p95=min(1.0, floor.ks_p95 * own.ks_p95_whole_conversations / base.ks_p95),
        )


def _look_up(table: Mapping[str, V], name: str, what: str) -> V:
    if name in table:
        return table[name]
    near = get_close_matches(name, table, n=1, cutoff=0.0)
    known = f"did you mean {near[0]!r}?" if near else "the reference has none at all"
    raise ConfigError(f"turn-taking reference: unknown {what} {name!r}; {known}")


def _interpolated_floor(rows: tuple[NoiseRow, ...], n: int, collection: Collection) -> KsNoise:
    ordered = sorted(rows, key=lambda row: row.n)
    inside = min(max(n, ordered[0].n), ordered[-1].n)
    beyond = math.sqrt(inside / n)
    sizes = np.log([row.n for row in ordered])
    column: Callable[[NoiseRow], KsNoise] = attrgetter(collection)
    columns = [column(row) for row in ordered]

    def at(values: list[float]) -> float:
        line = np.interp(np.log(inside), sizes, np.log(values))
        return round(float(np.exp(line)) * beyond, 5)

    means = [c.emd_mean_s for c in columns if c.emd_mean_s is not None]
    tails = [c.emd_p95_s for c in columns if c.emd_p95_s is not None]
    return KsNoise(
        ks_mean=min(1.0, at([c.ks_mean for c in columns])),
        ks_p95=min(1.0, at([c.ks_p95 for c in columns])),
        emd_mean_s=at(means) if len(means) == len(columns) else None,
        emd_p95_s=at(tails) if len(tails) == len(columns) else None,
    )

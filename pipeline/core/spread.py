"""How conversations of one corpus differ: the spread that timing draws a dyad's profile from."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from pipeline.core.reference import Metric, PerConversation, Spearman, SplitHalf
from pipeline.core.turntaking import Activity, Quantity, TurnTakingStatistics, measure
from pipeline.domain.span import Span

Floats = npt.NDArray[np.float64]

MIN_CONVERSATIONS = 20

_LEVELS = (0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99)


def _median_of(quantity: Quantity) -> Callable[[TurnTakingStatistics], float]:
    def value(statistics: TurnTakingStatistics) -> float:
        sample = statistics.sample(quantity)
        return median(sample) if sample else np.nan

    return value


def _per_min_of(quantity: Quantity) -> Callable[[TurnTakingStatistics], float]:
    return lambda statistics: statistics.per_min(quantity)


_METRICS: Mapping[str, tuple[str, Callable[[TurnTakingStatistics], float]]] = {
    "overlap_over_total_time": ("share", lambda s: s.overlap_over_total_time),
    "overlap_over_speech_time": ("share", lambda s: s.overlap_over_speech_time),
    "joint_silence_over_total_time": ("share", lambda s: s.joint_silence_over_total_time),
    "gaps_per_min": ("1/min", _per_min_of(Quantity.GAP)),
    "overlaps_between_per_min": ("1/min", _per_min_of(Quantity.OVERLAP_BETWEEN)),
    "pauses_per_min": ("1/min", _per_min_of(Quantity.PAUSE)),
    "backchannels_per_min": ("1/min", _per_min_of(Quantity.BACKCHANNEL_DURATION)),
    "dominant_speech_share": ("share", lambda s: s.dominant_speech_share),
    "median_fto": ("s", _median_of(Quantity.FTO)),
    "median_pause": ("s", _median_of(Quantity.PAUSE)),
}
"""Unit and value of one conversation, under the names of the shipped reference; NaN where it has none."""

_OF_BACKCHANNELS = ("backchannels_per_min",)
"""Known only where somebody said which words are backchannels. Timing draws no dyad from it: scripts decide how
often people listen audibly."""


def spread_between(
    activities: Sequence[Activity], measured: Sequence[TurnTakingStatistics]
) -> PerConversation | str:
    """Spread, rank correlations and reliability of every metric over conversations; else why there is none.

    Recordings whose backchannels nobody marked give every metric but that of backchannels (`metrics_left_out`).
    Split halves are the first and the second half of each conversation's time; Spearman-Brown turns their
    agreement r into the reliability 2r / (1 + r) of the whole. Where too few conversations have both halves
    measured, reliability is 0: a draw then stays at the median.
    """
    if len(measured) < MIN_CONVERSATIONS:
        return f"{len(measured)} conversations, wanted {MIN_CONVERSATIONS}"
    told = all(Quantity.BACKCHANNEL_DURATION in one.samples for one in measured)
    names = tuple(name for name in _METRICS if told or name not in _OF_BACKCHANNELS)
    table = _values(measured, names)
    complete = np.asarray(np.isfinite(table).all(axis=1), dtype=bool)
    if complete.sum() < MIN_CONVERSATIONS:
        defined = np.isfinite(table).sum(axis=0)
        rarest = int(np.argmin(defined))
        return (
            f"{int(complete.sum())} conversations in which every metric is defined, wanted {MIN_CONVERSATIONS}; "
            f"the rarest, {names[rarest]}, is in {int(defined[rarest])}"
        )
    kept = [activity for activity, whole in zip(activities, complete.tolist(), strict=True) if whole]
    minutes = [one.total_s / 60 for one, whole in zip(measured, complete.tolist(), strict=True) if whole]
    halves = [_halves(activity) for activity in kept]
    first = _values([measure(half) for half, _ in halves], names)
    second = _values([measure(half) for _, half in halves], names)
    return _summarise(names, table[complete], first, second, minutes)


def metrics_left_out(spread: PerConversation) -> tuple[str, ...]:
    """Metrics of the shipped reference that a fitted spread does not have."""
    return tuple(name for name in _METRICS if name not in spread.metrics)


def _summarise(
    names: tuple[str, ...], table: Floats, first: Floats, second: Floats, minutes: Sequence[float]
) -> PerConversation:
    """From values `[conversations, metrics]` of the whole and of both halves."""
    return PerConversation(
        n=len(table),
        metrics={name: _metric(_METRICS[name][0], table[:, column]) for column, name in enumerate(names)},
        spearman=Spearman(order=names, matrix=_rank_correlations(table)),
        split_half={
            name: _split_half(first[:, column], second[:, column]) for column, name in enumerate(names)
        },
        conversation_minutes={
            "mean": round(float(np.mean(minutes)), 3),
            **{f"p{level}": round(float(np.quantile(minutes, level / 100)), 3) for level in (5, 50, 95)},
        },
    )


def _values(measured: Sequence[TurnTakingStatistics], names: tuple[str, ...]) -> Floats:
    """`[conversations, metrics]`."""
    rows = [[_METRICS[name][1](one) for name in names] for one in measured]
    return np.asarray(rows, dtype=np.float64)


def _halves(activity: Activity) -> tuple[Activity, Activity]:
    """Cut in the middle between the first onset and the last end."""
    spans = [span for speaker in activity.speakers for span in speaker]
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    middle = (start + end) // 2
    return (
        activity.restricted((Span(start=start, end=middle),)),
        activity.restricted((Span(start=middle, end=end),)),
    )


def _metric(unit: str, values: Floats) -> Metric:
    return Metric(
        unit=unit,
        mean=round(float(values.mean()), 4),
        sd=round(float(values.std(ddof=1)), 4),
        levels=_LEVELS,
        quantiles=tuple(round(float(q), 4) for q in np.quantile(values, _LEVELS)),
    )


def _rank_correlations(table: Floats) -> tuple[tuple[float, ...], ...]:
    """Spearman's rho of every pair of columns; a column that never varies goes with no other."""
    ranks = np.apply_along_axis(rankdata, 0, table)
    centred = ranks - ranks.mean(axis=0)
    length = np.sqrt(np.sum(centred**2, axis=0))
    scaled = centred / np.where(length > 0, length, 1.0)
    rho = np.clip(scaled.T @ scaled, -1, 1)
    np.fill_diagonal(rho, 1.0)
    return tuple(tuple(round(float(value), 3) for value in row) for row in rho)


def _split_half(first: Floats, second: Floats) -> SplitHalf:
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < MIN_CONVERSATIONS:
        note = f"{int(both.sum())} conversations with both halves measured, wanted {MIN_CONVERSATIONS}: taken as 0"
        return SplitHalf(half_vs_half_spearman=0.0, whole_conversation_reliability=0.0, note=note)
    rho = _rank_correlations(np.column_stack((first[both], second[both])))[0][1]
    reliability = max(0.0, 2 * rho / (1 + rho)) if rho > -1 else 0.0
    return SplitHalf(half_vs_half_spearman=rho, whole_conversation_reliability=round(reliability, 3))

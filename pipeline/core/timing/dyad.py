"""Dyads differ: one draw per dialogue from the reference's spread between conversations.

A Gaussian copula: rank correlations rho of the reference's per-conversation metrics become correlations
R = 2 sin(pi rho / 6) of normal scores, one score per metric and dialogue. The score of a single transfer or
pause is then part the pair's and part the moment's, so that over many dialogues each law is the reference's, and
within one dialogue offsets resemble each other as much as they do in one conversation.

Drawn are the metrics that timing decides. How often people listen audibly, interrupt, or hold the floor is
decided by scripts.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pipeline.core.reference import PerConversation, Reference
from pipeline.core.seeding import draw_uniform

FTO, PAUSE = "median_fto", "median_pause"
METRICS = (FTO, PAUSE)
_TABLES = {FTO: "fto_turn_to_turn", PAUSE: "pause"}
_RATES = {FTO: ("gaps_per_min", "overlaps_between_per_min"), PAUSE: ("pauses_per_min",)}
"""Metrics whose sum says how many values a conversation's median is taken from."""

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Tendency:
    """How a pair differs from the average one in one metric."""

    score: float
    """Standard normal over dyads."""
    loading: float
    """How much of a single value's score is the pair's, 0...1; the rest is the moment's."""
    median_s: float | None
    """The pair's own median; None where the reference knows no conversations."""

    def mix(self, own: float) -> float:
        """Score of one value from its own standard normal draw. Standard normal over dyads."""
        return self.loading * self.score + math.sqrt(1.0 - self.loading**2) * own


AVERAGE = Tendency(score=0.0, loading=0.0, median_s=None)


@dataclass(frozen=True, slots=True)
class Dyad:
    """The pair of one dialogue."""

    transfers: Tendency = AVERAGE
    pauses: Tendency = AVERAGE

    def values(self) -> dict[str, float]:
        """The drawn medians by metric, for the record; empty for the average pair."""
        named = ((FTO, self.transfers), (PAUSE, self.pauses))
        return {name: round(one.median_s, 4) for name, one in named if one.median_s is not None}


@dataclass(frozen=True, slots=True)
class DyadLaw:
    """What dyads are drawn from: made once per reference."""

    conversations: PerConversation | None
    factor: npt.NDArray[np.float64]
    """Factor of the scores' correlation, `[2, 2]`."""
    loadings: tuple[float, ...]
    shrinkage: tuple[float, ...]
    """Square root of each metric's reliability."""

    def draw(self, root_seed: int, stream: str, dialogue_id: str) -> Dyad:
        """The pair of one dialogue. A reference that knows no conversations gives the average pair."""
        if self.conversations is None:
            return Dyad()
        own = [
            _NORMAL.inv_cdf(_open(draw_uniform(root_seed, stream, dialogue_id, f"dyad/{metric}")))
            for metric in METRICS
        ]
        scores = self.factor @ np.asarray(own)
        tendencies = []
        for metric, score, loading, shrink in zip(
            METRICS, scores, self.loadings, self.shrinkage, strict=True
        ):
            table = self.conversations.metric(metric)
            median = table.quantile(0.5)
            value = median + shrink * (table.quantile(_NORMAL.cdf(float(score))) - median)
            tendencies.append(Tendency(score=float(score), loading=loading, median_s=value))
        return Dyad(*tendencies)


def dyad_law(reference: Reference) -> DyadLaw:
    """The law behind a reference's spread between conversations.

    A loading makes the spread of dialogues' medians equal the reference's: its standard deviation between
    conversations, without the noise that any conversation's own median has, over what one standard score is
    worth at the middle of the values' distribution.
    """
    conversations = reference.per_conversation
    if conversations is None:
        return DyadLaw(conversations=None, factor=np.eye(len(METRICS)), loadings=(), shrinkage=())
    correlation = 2.0 * np.sin(np.pi * conversations.spearman_of(METRICS) / 6.0)
    values, vectors = np.linalg.eigh(correlation)
    factor = vectors * np.sqrt(np.clip(values, 0.0, None))
    factor /= np.linalg.norm(factor, axis=1, keepdims=True)
    shrinkage = tuple(math.sqrt(_reliability(reference, conversations, metric)) for metric in METRICS)
    loadings = tuple(
        min(0.9, shrink * conversations.metric(metric).sd / _worth_s(reference, metric))
        for metric, shrink in zip(METRICS, shrinkage, strict=True)
    )
    return DyadLaw(conversations=conversations, factor=factor, loadings=loadings, shrinkage=shrinkage)


def _worth_s(reference: Reference, metric: str) -> float:
    """Seconds per standard score at the middle of the metric's own values."""
    table = reference.distribution(_TABLES[metric])
    return max(1e-6, table.quantile(_NORMAL.cdf(0.5)) - table.quantile(_NORMAL.cdf(-0.5)))


def _reliability(reference: Reference, conversations: PerConversation, metric: str) -> float:
    """Split-half reliability where the reference measured it, else by the sampling error of a median.

    A median of m values has standard deviation sqrt(pi / 2) * worth / sqrt(m), the values being near normal
    around their middle (Kendall and Stuart, The Advanced Theory of Statistics, 14.12).
    """
    if metric in conversations.split_half:
        return conversations.reliability(metric)
    minutes = (conversations.conversation_minutes or {}).get("mean", 5.0)
    count = minutes * sum(conversations.metric(rate).quantile(0.5) for rate in _RATES[metric])
    noise_s = math.sqrt(math.pi / 2) * _worth_s(reference, metric) / math.sqrt(max(1.0, count))
    observed_s = max(1e-6, conversations.metric(metric).sd)
    return max(0.0, 1.0 - (noise_s / observed_s) ** 2)


def _open(u: float) -> float:
    """Keep a uniform draw off the ends, where the normal score is infinite."""
    return min(max(u, 2.0**-53), 1.0 - 2.0**-53)

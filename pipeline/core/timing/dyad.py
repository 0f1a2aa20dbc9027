"""Dyads differ: one draw per dialogue from the reference's spread between conversations.

A Gaussian copula: rank correlations rho of the reference's per-conversation metrics become correlations
R = 2 sin(pi rho / 6) of normal scores; each score is read as a quantile of its metric. A metric measured on
one conversation also holds that conversation's own noise, so a value is shrunk towards the median by the
square root of its split-half reliability.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pipeline.core.reference import PerConversation, Reference
from pipeline.core.seeding import draw_uniform

METRICS = (
    "overlap_over_total_time",
    "gaps_per_min",
    "overlaps_between_per_min",
    "backchannels_per_min",
    "dominant_speech_share",
    "median_fto",
)
"""The six metrics whose correlations are well conditioned in the shipped reference."""

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Dyad:
    """How this pair of speakers differs from the average pair."""

    values: tuple[tuple[str, float], ...]
    """Metric and its shrunk value."""
    fto_score: float
    """Normal score of the pair's floor transfers: < 0 comes in early, > 0 leaves gaps."""
    fto_loading: float
    """How much of a single transfer's score is the pair's, 0...1; the rest is the moment's."""

    def transfer_score(self, own: float) -> float:
        """Normal score of one transfer, from its own standard normal draw. Standard normal over dyads."""
        rest = math.sqrt(1.0 - self.fto_loading**2)
        return self.fto_loading * self.fto_score + rest * own


AVERAGE = Dyad(values=(), fto_score=0.0, fto_loading=0.0)
"""What a reference without conversations gives: pairs that do not differ."""


@dataclass(frozen=True, slots=True)
class DyadLaw:
    """What dyads are drawn from: made once per reference."""

    conversations: PerConversation | None
    factor: npt.NDArray[np.float64]
    """Factor of the scores' correlation, `[6, 6]`."""
    fto_loading: float

    def draw(self, root_seed: int, stream: str, dialogue_id: str) -> Dyad:
        """The pair of one dialogue. A reference that knows no conversations gives the average pair."""
        if self.conversations is None:
            return AVERAGE
        own = [
            _NORMAL.inv_cdf(_open(draw_uniform(root_seed, stream, dialogue_id, f"dyad/{metric}")))
            for metric in METRICS
        ]
        scores = self.factor @ np.asarray(own)
        values = tuple(
            (metric, self._value(metric, float(score))) for metric, score in zip(METRICS, scores, strict=True)
        )
        return Dyad(values=values, fto_score=float(scores[-1]), fto_loading=self.fto_loading)

    def _value(self, metric: str, score: float) -> float:
        if self.conversations is None:
            raise TypeError("the average pair has no values of its own")
        table = self.conversations.metric(metric)
        median = table.quantile(0.5)
        shrink = math.sqrt(self.conversations.reliability(metric))
        return round(median + shrink * (table.quantile(_NORMAL.cdf(score)) - median), 4)


def dyad_law(reference: Reference) -> DyadLaw:
    """The law behind a reference's spread between conversations.

    The loading makes the spread of dialogues' typical offset equal the reference's: its shrunk standard
    deviation between conversations, over what one standard score is worth at the middle of the offset's own
    distribution.
    """
    conversations = reference.per_conversation
    if conversations is None:
        return DyadLaw(conversations=None, factor=np.eye(len(METRICS)), fto_loading=0.0)
    correlation = 2.0 * np.sin(np.pi * conversations.spearman_of(METRICS) / 6.0)
    values, vectors = np.linalg.eigh(correlation)
    factor = vectors * np.sqrt(np.clip(values, 0.0, None))
    factor /= np.linalg.norm(factor, axis=1, keepdims=True)
    offsets = reference.distribution("fto_turn_to_turn")
    worth_s = offsets.quantile(_NORMAL.cdf(0.5)) - offsets.quantile(_NORMAL.cdf(-0.5))
    spread_s = math.sqrt(conversations.reliability("median_fto")) * conversations.metric("median_fto").sd
    return DyadLaw(conversations=conversations, factor=factor, fto_loading=min(0.9, spread_s / worth_s))


def _open(u: float) -> float:
    """Keep a uniform draw off the ends, where the normal score is infinite."""
    return min(max(u, 2.0**-53), 1.0 - 2.0**-53)

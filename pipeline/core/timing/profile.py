"""How long things take: draws from a turn-taking reference by inverse CDF, and the dial that moves them.

A draw is a standard normal score, read as a quantile of a table of the reference. The **dial** shifts scores:
0 leaves every law as it is, a positive dial makes more overlap, a negative one less. Onsets and yields move
within what their anchors and events allow; pauses and hesitations never move::

    transfer      score - dial      earlier: less gap, more terminal overlap
    reaction      score + dial      a host that is interrupted speaks on for longer
                  (dial > 0)        overlaps and reactions are also stretched, by exp(dial / 4): no table
                                    holds more than its own extremes
    backchannel   (dial < 0)        later in the host's turn, towards its edge
    bystander     (dial < 0)        the same: less of it is heard together
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from pipeline.core.reference import Distribution, Reference
from pipeline.core.seeding import draw_uniform
from pipeline.core.timing.dyad import Dyad
from pipeline.core.turntaking.activity import IPU_SILENCE_S
from pipeline.domain.labels import Language

HESITATION_S = {Language.ZH: (0.90, 1.66), Language.EN: (1.09, 1.92)}
"""Median and 90th percentile of the longest pause in HumDial's `[break]` utterances, by voice activity."""
HESITATION_RANGE_S = (0.39, 3.59)

INTERRUPTER_DELAY_S = (0.0, 0.30)
"""An interrupter starts this long after its anchor word: uniform, then moved inside these bounds so that the
host's reaction time ends on a syllable."""
BYSTANDER_DELAY_S = (0.0, 0.40)
"""The same for speech that is not about the host's words at all."""

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Latency:
    """Response latency of the assistant as a law of its own: lognormal."""

    median_s: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Draws for one dialogue. Each draw is labelled, so none depends on another."""

    reference: Reference
    root_seed: int
    stream: str
    """Names the stream of draws: another one gives other timing from the same laws."""
    dialogue_id: str
    dyad: Dyad
    dial: float = 0.0
    latency: Latency | None = None
    assistant_waits: bool = False
    """The assistant never starts before its user has ended (talk with a machine)."""

    def transfer_s(self, label: str, lower_s: float) -> float:
        """Floor-transfer offset, at least `lower_s` (the law of the reference, given that bound)."""
        score = self.dyad.transfers.mix(self._score(label)) - self.dial
        drawn_s = draw_between(self.reference.distribution("fto_turn_to_turn"), score, lower_s, math.inf)
        return max(drawn_s * self._stretch, lower_s) if drawn_s < 0 else drawn_s

    def response_s(self, label: str, lower_s: float) -> float:
        """Offset from the user's last word to the assistant's first; its own law where one is configured."""
        if self.latency is not None or self.assistant_waits:
            return self.awaited_response_s(label)
        return self.transfer_s(label, lower_s)

    def awaited_response_s(self, label: str) -> float:
        """The same where the assistant waits until its user has ended: never negative."""
        if self.latency is not None:
            return self.latency.median_s * math.exp(self.latency.sigma * self._score(label))
        return self.gap_s(label)

    def gap_s(self, label: str) -> float:
        """Joint silence between two speakers where overlap would make no sense."""
        return draw_between(self.reference.distribution("gap"), self._score(label), 0.0, math.inf)

    def own_gap_s(self, label: str) -> float:
        """Silence between two turns of one speaker, the reply between them being text only: a gap that cannot be
        taken for less than the end of an IPU, so that the turns stay apart."""
        return draw_between(self.reference.distribution("gap"), self._score(label), IPU_SILENCE_S, math.inf)

    def pause_s(self, label: str) -> float:
        """Silence within a turn, between two of its utterances; at least 0.2 s by definition of an IPU."""
        score = self.dyad.pauses.mix(self._score(label))
        return draw_between(self.reference.distribution("pause"), score, 0.0, math.inf)

    def backchannel_delay_s(self, label: str, upper_s: float) -> float:
        """From the end of the host's latest word to the onset of a backchannel."""
        table = self.reference.distribution("backchannel_since_partner_word_end")
        return draw_between(table, self._score(label), 0.0, upper_s)

    def reaction_s(self, label: str) -> float:
        """How long a host that yields goes on speaking after it is interrupted."""
        table = self.reference.distribution("floor_taking_continuation_cut_off")
        return self._stretch * draw_between(table, self._score(label) + self.dial, 0.0, math.inf)

    def interrupter_delay_s(self, label: str, upper_s: float) -> float:
        """From the end of the anchor word to the onset of an interruption."""
        return self._uniform(label, INTERRUPTER_DELAY_S, upper_s)

    def bystander_delay_s(self, label: str, upper_s: float) -> float:
        """From the end of the anchor word to the onset of a third party or an aside."""
        delay_s = self._uniform(label, BYSTANDER_DELAY_S, upper_s)
        return delay_s + self.lateness * max(0.0, upper_s - delay_s)

    @property
    def lateness(self) -> float:
        """How far a listener or bystander is moved from its anchor to the end of the host's turn: 0...1."""
        return -math.expm1(min(self.dial, 0.0))

    def hesitation_s(self, label: str, language: Language) -> float:
        """A hesitation pause inside a query: lognormal through HumDial's median and 90th percentile."""
        median_s, p90_s = HESITATION_S[language]
        law = NormalDist(math.log(median_s), math.log(p90_s / median_s) / _NORMAL.inv_cdf(0.9))
        low, high = (law.cdf(math.log(bound_s)) for bound_s in HESITATION_RANGE_S)
        return math.exp(law.inv_cdf(low + self._u(label) * (high - low)))

    @property
    def _stretch(self) -> float:
        return math.exp(max(0.0, self.dial) / 4.0)

    def _u(self, label: str) -> float:
        """The uniform draw behind a label, kept off 0 and 1."""
        u = draw_uniform(self.root_seed, self.stream, self.dialogue_id, label)
        return min(max(u, 2.0**-53), 1.0 - 2.0**-53)

    def _score(self, label: str) -> float:
        return _NORMAL.inv_cdf(self._u(label))

    def _uniform(self, label: str, bounds_s: tuple[float, float], upper_s: float) -> float:
        low_s, high_s = bounds_s
        return low_s + self._u(label) * max(0.0, min(high_s, upper_s) - low_s)


def draw_between(distribution: Distribution, score: float, lower_s: float, upper_s: float) -> float:
    """The distribution's quantile at a normal score, given that the value lies in [lower_s, upper_s].

    Conditioning keeps the shape of the law inside the bounds; clamping would pile mass up at them. Where
    the law has no mass between the bounds, the bound nearest to it is returned.
    """
    low, high = distribution.cdf(lower_s), distribution.cdf(upper_s)
    value = distribution.quantile(low + _NORMAL.cdf(score) * (high - low))
    return min(max(value, lower_s), upper_s)

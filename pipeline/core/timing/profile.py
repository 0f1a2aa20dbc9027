"""How long things take: draws from a turn-taking reference by inverse CDF."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from pipeline.core.reference import Distribution, Reference
from pipeline.core.seeding import draw_uniform
from pipeline.domain.labels import Language

HESITATION_S = {Language.ZH: (0.90, 1.66), Language.EN: (1.09, 1.92)}
"""Median and 90th percentile of the longest pause in HumDial's `[break]` utterances, by voice activity."""
HESITATION_RANGE_S = (0.39, 3.59)

INTERRUPTER_DELAY_S = (0.0, 0.15)
"""An interrupter starts this long after its anchor word: uniform, short against any reaction time."""
BYSTANDER_DELAY_S = (0.0, 0.40)
"""The same for speech that is not about the host's words at all."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Draws for one dialogue. Each draw is labelled, so none depends on another."""

    reference: Reference
    root_seed: int
    dialogue_id: str

    def transfer_s(self, label: str, lower_s: float) -> float:
        """Floor-transfer offset, at least `lower_s` (the law of the reference, given that bound)."""
        return self._draw("fto_turn_to_turn", label, lower_s=lower_s)

    def gap_s(self, label: str) -> float:
        """Joint silence between two speakers where overlap would make no sense."""
        return self._draw("gap", label)

    def pause_s(self, label: str) -> float:
        """Silence within a turn, between two of its utterances; at least 0.2 s by definition of an IPU."""
        return self._draw("pause", label)

    def backchannel_delay_s(self, label: str, upper_s: float) -> float:
        """From the end of the anchor word to the onset of a backchannel inside the host's turn."""
        return self._draw("backchannel_since_partner_word_end_inside", label, upper_s=upper_s)

    def reaction_s(self, label: str) -> float:
        """How long a host that yields goes on speaking after it is interrupted."""
        return self._draw("floor_taking_continuation_cut_off", label)

    def interrupter_delay_s(self, label: str, upper_s: float) -> float:
        """From the end of the anchor word to the onset of an interruption."""
        return self._uniform(label, INTERRUPTER_DELAY_S, upper_s)

    def bystander_delay_s(self, label: str, upper_s: float) -> float:
        """From the end of the anchor word to the onset of a third party or an aside."""
        return self._uniform(label, BYSTANDER_DELAY_S, upper_s)

    def hesitation_s(self, label: str, language: Language) -> float:
        """A hesitation pause inside a query: lognormal through HumDial's median and 90th percentile."""
        median_s, p90_s = HESITATION_S[language]
        sigma = math.log(p90_s / median_s) / NormalDist().inv_cdf(0.9)
        law = NormalDist(math.log(median_s), sigma)
        low, high = (law.cdf(math.log(bound_s)) for bound_s in HESITATION_RANGE_S)
        return math.exp(law.inv_cdf(low + self.u(label) * (high - low)))

    def u(self, label: str) -> float:
        """The uniform number behind a label."""
        return draw_uniform(self.root_seed, "timing", self.dialogue_id, label)

    def _uniform(self, label: str, bounds_s: tuple[float, float], upper_s: float) -> float:
        low_s, high_s = bounds_s
        return low_s + self.u(label) * max(0.0, min(high_s, upper_s) - low_s)

    def _draw(self, name: str, label: str, lower_s: float = -math.inf, upper_s: float = math.inf) -> float:
        return draw_between(self.reference.distribution(name), self.u(label), lower_s, upper_s)


def draw_between(distribution: Distribution, u: float, lower_s: float, upper_s: float) -> float:
    """Inverse CDF of the distribution, given that the value lies in [lower_s, upper_s].

    Conditioning keeps the shape of the law inside the bounds; clamping would pile mass up at them. Where
    the law has no mass between the bounds, the bound nearest to it is returned.
    """
    low, high = distribution.cdf(lower_s), distribution.cdf(upper_s)
    value = distribution.quantile(low + u * (high - low))
    return min(max(value, lower_s), upper_s)

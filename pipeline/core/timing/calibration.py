"""Finding the dial that gives a dataset the overlap ratio that was asked for.

The ratio is time with both tracks speaking over time with any track speaking, summed over the dataset before
dividing. Every draw keeps its own random number while the dial moves, so the ratio is a function of the dial
that rises with it, in steps where a yielding host moves on by a syllable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.core.timing.placement import Placed
from pipeline.core.turntaking.activity import merge_runs, sweep_times
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Track
from pipeline.domain.record import Record
from pipeline.domain.span import to_samples

IPU_SILENCE_S = 0.2
DIAL_RANGE = (-6.0, 6.0)
"""Six standard scores either way: past that no draw moves any more."""
TOLERANCE = 2e-4
"""The search stops when the ratio is this near; the promise is 0.002."""
MAX_STEPS = 40


@dataclass(frozen=True, slots=True)
class Talk:
    """Speech of one dialogue or many, in samples."""

    overlap: int
    speech: int
    """Time with any track speaking."""

    @property
    def ratio(self) -> float:
        """Overlap over speech; 0 where nobody speaks."""
        return self.overlap / self.speech if self.speech else 0.0

    @classmethod
    def total(cls, many: Sequence["Talk"]) -> "Talk":
        """Summed before dividing."""
        return cls(overlap=sum(t.overlap for t in many), speech=sum(t.speech for t in many))


class Moved(Record):
    """How far the dial moved one kind of offset: medians without and with it."""

    kind: str
    n: int
    median_s: float
    dialled_median_s: float


class Calibration(Record):
    """What was asked, what the dial is, and what it gives."""

    target: float
    dial: float
    planned: float
    """Overlap ratio of the dataset at this dial."""
    lowest: float
    highest: float
    """The feasible range."""
    undialled: float
    """Overlap ratio that the reference alone would give."""
    moved: tuple[Moved, ...] = ()


def talk_of(placed: Sequence[Placed], sampling_rate: int) -> Talk:
    """Measure placed utterances as `describe` measures a timeline: words merged across short silences."""
    tracks: dict[Track, list[tuple[int, int]]] = {track: [] for track in Track}
    for one in placed:
        start = one.span.start
        tracks[Track.of(one.utterance.speaker)].extend(
            (start + word.span.start, start + word.span.end) for word in one.words
        )
    silence = to_samples(IPU_SILENCE_S, sampling_rate)
    runs = [
        merge_runs(np.array(sorted(words), dtype=np.int64).reshape(-1, 2), silence)
        for words in tracks.values()
    ]
    times = sweep_times(runs)
    return Talk(overlap=times.overlap, speech=times.any_speech)


@dataclass(frozen=True, slots=True)
class Reach:
    """Overlap ratios at the ends of the dial and in its middle."""

    lowest: float
    undialled: float
    highest: float

    def check(self, target: float) -> None:
        """Raise ConfigError with the feasible range where no dial gives the target."""
        if not self.lowest - TOLERANCE <= target <= self.highest + TOLERANCE:
            raise ConfigError(
                f"timing.overlap_ratio={target:g} cannot be met by these scripts; feasible: {self.lowest:.4f} to "
                f"{self.highest:.4f} (the reference alone gives {self.undialled:.4f}); other scenes change the range"
            )

    def clamp(self, target: float) -> float:
        """The feasible ratio nearest to the target."""
        return min(max(target, self.lowest), self.highest)


def reach_of(talk_at: Callable[[float], Talk]) -> Reach:
    """What the dial can do."""
    low, high = DIAL_RANGE
    return Reach(lowest=talk_at(low).ratio, undialled=talk_at(0.0).ratio, highest=talk_at(high).ratio)


def find_dial(talk_at: Callable[[float], Talk], target: float, reach: Reach) -> tuple[float, float]:
    """(dial, ratio there) for a feasible target, by secants with a bisection every third step."""
    low, high = DIAL_RANGE
    ratio_low, ratio_high = reach.lowest, reach.highest
    if target >= reach.undialled:
        low, ratio_low = 0.0, reach.undialled
    else:
        high, ratio_high = 0.0, reach.undialled
    best, best_ratio = min(((low, ratio_low), (high, ratio_high)), key=lambda pair: abs(pair[1] - target))
    for step in range(MAX_STEPS):
        if abs(best_ratio - target) <= TOLERANCE or high - low < 1e-6:
            break
        share = (target - ratio_low) / (ratio_high - ratio_low) if ratio_high > ratio_low else 0.5
        # The secant is fast where the ratio is smooth; every third step halves the bracket whatever it is.
        share = 0.5 if step % 3 == 2 else min(max(share, 0.02), 0.98)
        dial = low + share * (high - low)
        ratio = talk_at(dial).ratio
        if abs(ratio - target) < abs(best_ratio - target):
            best, best_ratio = dial, ratio
        if ratio < target:
            low, ratio_low = dial, ratio
        else:
            high, ratio_high = dial, ratio
    return best, best_ratio

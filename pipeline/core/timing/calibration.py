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


def feasible(talk_at: Callable[[float], Talk]) -> tuple[float, float]:
    """Lowest and highest ratio that the dial can give."""
    low, high = DIAL_RANGE
    return talk_at(low).ratio, talk_at(high).ratio


def calibrate(talk_at: Callable[[float], Talk], target: float) -> Calibration:
    """The dial at which the ratio is `target`, by bisection between secants.

    Raises ConfigError with the feasible range where no dial gives it.
    """
    low, high = DIAL_RANGE
    at_low, at_high = feasible(talk_at)
    at_zero = talk_at(0.0).ratio
    if not at_low - TOLERANCE <= target <= at_high + TOLERANCE:
        raise ConfigError(
            f"timing.overlap_ratio={target:g} cannot be met by these scripts; feasible: {at_low:.4f} to "
            f"{at_high:.4f} (the reference alone gives {at_zero:.4f}); other scenes change the range"
        )
    if target >= at_zero:
        low, ratio_low, ratio_high = 0.0, at_zero, at_high
    else:
        high, ratio_low, ratio_high = 0.0, at_low, at_zero
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
    return Calibration(
        target=target, dial=best, planned=best_ratio, lowest=at_low, highest=at_high, undialled=at_zero
    )

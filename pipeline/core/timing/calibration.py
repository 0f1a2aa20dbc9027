"""Finding the dial that gives a dataset, or one dialogue, the overlap ratio that was asked for.

The ratio is time with both tracks speaking over time with any track speaking, summed over the dataset before
dividing. Every draw keeps its own random number while the dial moves, so the ratio is a function of the dial
that rises with it, in steps where a yielding host moves on by a syllable.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.timing.placement import Placed
from pipeline.core.turntaking.activity import merge_runs, sweep_times
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Track
from pipeline.domain.record import Record
from pipeline.domain.span import to_samples

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

IPU_SILENCE_S = 0.2
DIAL_RANGE = (-6.0, 6.0)
"""Six standard scores either way: past that no draw moves any more."""
ENDS_AND_MIDDLE = (DIAL_RANGE[0], 0.0, DIAL_RANGE[1])
"""Dials at which a `Reach` is measured, in its order."""
TOLERANCE = 2e-4
"""The search stops when the ratio is this near; the promise is 0.002."""
MAX_STEPS = 40
JUDGED_FROM = 20
"""A spread is refused on so many dialogues or more: of fewer, chance alone may pick more than half badly."""
_CANDIDATES = 41


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
                f"{self.highest:.4f} (the reference alone gives {self.undialled:.4f}); other scripts change the range"
            )

    def clamp(self, target: float) -> float:
        """The feasible ratio nearest to the target."""
        return min(max(target, self.lowest), self.highest)


def reach_of(talk_at: Callable[[float], Talk]) -> Reach:
    """What the dial can do."""
    return Reach(*(talk_at(dial).ratio for dial in ENDS_AND_MIDDLE))


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


class SpreadReach(Record):
    """How many dialogues can have the ratio that a spread gives them.

    ::

        spread               min |------------x-----------------| max      x: what this dialogue is given
        timed at its own          |-----------x-----|
        timed at the nearest      |------|    x                            too high: it has its highest
        refused              |--|             x                            nothing in common with the spread
    """

    min: float
    max: float
    n: int
    """Dialogues that can be placed at all."""
    too_high: int
    """Given more than their highest ratio, and timed at that."""
    too_low: int
    """Given less than their lowest ratio, and timed at that."""
    refused: int
    """Allow nothing inside the spread."""
    asked_mean: float | None
    """Over dialogues that are timed; None where there is none."""
    reached_mean: float | None
    """Of the same dialogues, the mean of the nearest ratios that they can have."""
    feasible: tuple[float, float] | None
    """A spread, as wide as was found, of which half of the dialogues can have their own ratio; None: there is not
    even a single ratio that half can have."""

    def sentence(self) -> str:
        """What became of the dialogues, for a summary.

        >>> found = Allowances.of([(0.5, Reach(0.0, 0.1, 0.3)), (1.0, Reach(0.0, 0.1, 0.15))]).survey(0.1, 0.2)
        >>> print(found.sentence())
        of 2 dialogues 1 have the ratio that they were given, 1 only a lower one, 0 only a higher one, and 0 are \
refused, having none inside the spread; on average 0.1750 asked, 0.1500 reached
        """
        own = self.n - self.too_high - self.too_low - self.refused
        means = (
            ""
            if self.asked_mean is None
            else f"; on average {self.asked_mean:.4f} asked, {self.reached_mean:.4f} reached"
        )
        return (
            f"of {self.n} dialogues {own} have the ratio that they were given, {self.too_high} only a lower one, "
            f"{self.too_low} only a higher one, and {self.refused} are refused, having none inside the spread{means}"
        )

    def check(self) -> None:
        """Raise ConfigError with a spread that can be had where more than half cannot have their ratio."""
        missed = self.too_high + self.too_low + self.refused
        if self.n < JUDGED_FROM or 2 * missed <= self.n:
            return
        remedy = (
            "no single ratio suits half of them"
            if self.feasible is None
            else f"feasible for half of them: {self.feasible[0]:.4f} to {self.feasible[1]:.4f}"
        )
        raise ConfigError(
            f"timing.overlap_ratio={{min: {self.min:g}, max: {self.max:g}}}: {missed} of {self.n} dialogues cannot "
            f"have the ratio that they are given ({self.too_high} only a lower one, {self.too_low} only a higher "
            f"one, {self.refused} none inside the spread); {remedy}; other scripts change the range"
        )


@dataclass(frozen=True, slots=True)
class Allowances:
    """What each of many dialogues is given of any spread, and what its script allows: `[dialogues]` each."""

    places: Floats
    """0...1: from a spread's lowest ratio to its highest."""
    lowest: Floats
    highest: Floats

    @classmethod
    def of(cls, rows: Sequence[tuple[float, Reach]]) -> "Allowances":
        """Place and reach of each dialogue."""
        table = np.array([(place, reach.lowest, reach.highest) for place, reach in rows], dtype=np.float64)
        return cls(*table.reshape(-1, 3).T)

    def survey(self, low: float, high: float) -> SpreadReach:
        """How many can have what the spread from `low` to `high` gives them."""
        asked = low + self.places * (high - low)
        refused = self._outside(low, high)
        reached = np.clip(asked, self.lowest, self.highest)
        timed = ~refused
        return SpreadReach(
            min=low,
            max=high,
            n=len(asked),
            too_high=int((timed & (asked > self.highest + TOLERANCE)).sum()),
            too_low=int((timed & (asked < self.lowest - TOLERANCE)).sum()),
            refused=int(refused.sum()),
            asked_mean=round(float(asked[timed].mean()), 4) if timed.any() else None,
            reached_mean=round(float(reached[timed].mean()), 4) if timed.any() else None,
            feasible=self._feasible(),
        )

    def _outside(self, low: float, high: float) -> Flags:
        return np.asarray((self.highest < low) | (self.lowest > high), dtype=np.bool_)

    def _suits_half(self, low: float, high: float) -> bool:
        asked = low + self.places * (high - low)
        missed = (asked > self.highest + TOLERANCE) | (asked < self.lowest - TOLERANCE)
        return 2 * int((missed | self._outside(low, high)).sum()) <= len(asked)

    def _feasible(self) -> tuple[float, float] | None:
        """Narrow a spread from the extremes of what anybody allows until half can have their own ratio.

        Where that finds none, the single ratio that suits most is tried.
        """
        if not len(self.places):
            return None
        # Rounded inwards: whoever types these figures asks for no more.
        for level in np.linspace(0, 1, _CANDIDATES).tolist():
            low = math.ceil(1e4 * float(np.quantile(self.lowest, level))) / 1e4
            high = math.floor(1e4 * float(np.quantile(self.highest, 1 - level))) / 1e4
            if low <= high and self._suits_half(low, high):
                return low, high
        ratios = np.ceil(1e4 * self.lowest) / 1e4
        suited = np.searchsorted(np.sort(self.lowest), ratios, side="right")
        suited = suited - np.searchsorted(np.sort(self.highest), ratios, side="left")
        best = float(ratios[int(np.argmax(suited))])
        return (best, best) if self._suits_half(best, best) else None

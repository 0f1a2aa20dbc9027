"""Speech and overlap against a reference, instant by instant, without a collar.

Regions (a UEM) are always given: without them a false alarm outside the reference's extent is dropped unseen.
"""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from pipeline.core.mining.activity import TIME_EQUALITY_S
from pipeline.core.mining.scoring import Score, total
from pipeline.core.turntaking.activity import Activity, Ints, Runs, as_array, count_speakers, merge_runs
from pipeline.core.turntaking.transitions import Bools
from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import RecordedActivity
from pipeline.domain.record import Record
from pipeline.domain.span import Span

DURATION_EDGES_S = (0.2, 0.5, 1.0)


def length_name(low_s: float | None, high_s: float | None) -> str:
    """Lengths from `low_s` to below `high_s`, in words.

    >>> length_name(None, 0.2), length_name(0.2, 0.5), length_name(1.0, None)
    ('below 0.2 s', '0.2-0.5 s', 'from 1 s')
    """
    if low_s is None or high_s is None:
        return f"below {high_s:g} s" if low_s is None else f"from {low_s:g} s"
    return f"{low_s:g}-{high_s:g} s"


class DurationRecall(Record):
    """Recall of reference overlaps of a length from `low_s` to below `high_s`; None: no bound."""

    low_s: float | None
    high_s: float | None
    overlaps: int
    reference_s: float
    found_s: float

    @property
    def length(self) -> str:
        """For a table: `0.2-0.5 s`."""
        return length_name(self.low_s, self.high_s)

    @property
    def recall(self) -> float | None:
        """Of their time, the part that was found; None where there are none."""
        return self.found_s / self.reference_s if self.reference_s else None


class DetectionScores(Record):
    """Scores in seconds."""

    speech: Score
    """Anybody speaks."""
    overlap: Score
    """Two or more speak."""
    overlap_recall: tuple[DurationRecall, ...]
    """By length of the reference overlap: short ones are what diarizers miss."""


def activity_of_recording(recorded: RecordedActivity) -> Activity:
    """The activity alone, as turn-taking is measured on it."""
    return Activity(tuple(s.talkspurts for s in recorded.speakers), recorded.sampling_rate)


def score_detection(reference: Activity, hypothesis: Activity, regions: tuple[Span, ...]) -> DetectionScores:
    """One recording; both at one sampling rate, `regions` in its samples. Names of speakers play no part."""
    require_regions(reference, hypothesis, regions)
    rate = reference.sampling_rate
    truth, guess = _levels(reference.restricted(regions)), _levels(hypothesis.restricted(regions))
    return DetectionScores(
        speech=_score(truth[0], guess[0], rate),
        overlap=_score(truth[1], guess[1], rate),
        overlap_recall=_by_duration(truth[1], guess[1], rate),
    )


def require_regions(reference: Activity, hypothesis: Activity, regions: tuple[Span, ...]) -> None:
    """Refuse sides at two sampling rates, and scoring nowhere. Raises ConfigError."""
    rate = reference.sampling_rate
    if hypothesis.sampling_rate != rate:
        raise ConfigError(
            f"eval: reference at {rate} Hz, hypothesis at {hypothesis.sampling_rate} Hz; wanted one rate, "
            "read both at the same"
        )
    if not regions:
        raise ConfigError(
            "eval: no regions to score in; wanted a UEM, or one region over the whole recording"
        )


def pool_detection(scores: Iterable[DetectionScores]) -> DetectionScores:
    """Sum over recordings."""
    known = tuple(scores)
    if not known:
        raise ConfigError("eval: no recording to score; wanted one that reference and hypothesis both have")
    columns = zip(*(score.overlap_recall for score in known), strict=True)
    return DetectionScores(
        speech=total(score.speech for score in known),
        overlap=total(score.overlap for score in known),
        overlap_recall=tuple(
            DurationRecall(
                low_s=column[0].low_s,
                high_s=column[0].high_s,
                overlaps=sum(part.overlaps for part in column),
                reference_s=sum(part.reference_s for part in column),
                found_s=sum(part.found_s for part in column),
            )
            for column in columns
        ),
    )


def _levels(activity: Activity) -> tuple[Runs, Runs]:
    """Stretches with at least one, and with at least two speakers."""
    speakers = [merge_runs(as_array(spans), 1) for spans in activity.speakers]
    borders, counts = count_speakers(speakers)
    return _runs_where(borders, counts >= 1), _runs_where(borders, counts >= 2)


def _runs_where(borders: Ints, holds: Bools) -> Runs:
    pieces = np.column_stack((borders[:-1][holds], borders[1:][holds])) if len(borders) else borders
    return merge_runs(pieces.reshape(-1, 2), 1)


def _score(truth: Runs, guess: Runs, rate: int) -> Score:
    common = _common(truth, guess)
    wanted, said = _length(truth), _length(guess)
    return Score.of(
        hits=common / rate,
        misses=(wanted - common) / rate,
        false_alarms=(said - common) / rate,
    )


def _common(a: Runs, b: Runs) -> int:
    borders, counts = count_speakers([a, b])
    return int(np.diff(borders)[counts == 2].sum())


def _length(runs: Runs) -> int:
    return int((runs[:, 1] - runs[:, 0]).sum())


def _by_duration(truth: Runs, guess: Runs, rate: int) -> tuple[DurationRecall, ...]:
    lengths_s = (truth[:, 1] - truth[:, 0]) / rate
    bins = np.searchsorted(np.array(DURATION_EDGES_S) - TIME_EQUALITY_S, lengths_s, side="right")
    rows = []
    for index, (low, high) in enumerate(pairwise((None, *DURATION_EDGES_S, None))):
        those = truth[bins == index]
        rows.append(
            DurationRecall(
                low_s=low,
                high_s=high,
                overlaps=len(those),
                reference_s=_length(those) / rate,
                found_s=_common(those, guess) / rate,
            )
        )
    return tuple(rows)

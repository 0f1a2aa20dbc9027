"""How much of what is found survives worse borders: the same tree on talkspurts that were moved or lost.

::

    as given      |=====|   |==|       |======|
    jittered     |=====|     |===|     |=====|        every border moved a little, each on its own
    shorts lost   |=====|              |======|       as a detector with a minimum length would have it
"""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.core.mining.activity import TIME_EQUALITY_S, clean, union
from pipeline.core.mining.event_eval import marks_of, match_onsets
from pipeline.core.mining.events import find_events
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.scoring import Score
from pipeline.core.seeding import derive_rng
from pipeline.domain.mining import RecordedActivity
from pipeline.domain.span import Span

Change = Callable[[RecordedActivity], RecordedActivity]


def jittered(activity: RecordedActivity, deviation_s: float, limits: EventLimits) -> RecordedActivity:
    """Every border of every talkspurt moved by a normal draw of that standard deviation, at most off the recording."""
    rng = derive_rng(0, "eval-jitter", activity.recording_id)
    last = activity.num_samples

    def moved(spans: tuple[Span, ...]) -> tuple[Span, ...]:
        by = (
            np.rint(rng.normal(0, deviation_s * activity.sampling_rate, (len(spans), 2))).astype(int).tolist()
        )
        shifted = (
            (max(span.start + left, 0), min(span.end + right, last))
            for span, (left, right) in zip(spans, by, strict=True)
        )
        return union(sorted((Span(a, b) for a, b in shifted if a < b), key=lambda span: span.start))

    return _changed(activity, limits, moved)


def without_short(activity: RecordedActivity, shortest_s: float, limits: EventLimits) -> RecordedActivity:
    """Without the talkspurts below that length."""
    least = (shortest_s - TIME_EQUALITY_S) * activity.sampling_rate
    return _changed(activity, limits, lambda spans: tuple(span for span in spans if len(span) >= least))


def onsets_kept(
    activity: RecordedActivity, changes: Sequence[Change], limits: EventLimits
) -> tuple[Score, ...]:
    """Onsets found after each change against those found before it, whatever their class, one to one within 0.25 s."""
    before = marks_of(find_events(activity, limits), activity.sampling_rate)
    scores = []
    for change in changes:
        after = marks_of(find_events(change(activity), limits), activity.sampling_rate)
        hits = len(match_onsets(before, after))
        scores.append(Score.of(hits=hits, misses=len(before) - hits, false_alarms=len(after) - hits))
    return tuple(scores)


def _changed(
    activity: RecordedActivity,
    limits: EventLimits,
    change: Callable[[tuple[Span, ...]], tuple[Span, ...]],
) -> RecordedActivity:
    """Cleaned talkspurts, changed; without words, whose times nobody moved."""
    rate = activity.sampling_rate
    return activity.model_copy(
        update={
            "speakers": tuple(
                speaker.model_copy(
                    update={
                        "talkspurts": change(
                            clean(speaker.talkspurts, rate, limits.ipu_gap_s, limits.min_ipu_s)
                        ),
                        "words": (),
                    }
                )
                for speaker in activity.speakers
            )
        }
    )

"""What is heard of each supervision: recorded utterances found again in runs of voice activity.

record   |== query ==|        |= backchannel =|
heard     |== = ===|           |=============|        onset and end of each, where they can be told
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from pipeline.core.turntaking import Activity
from pipeline.domain.labels import Track
from pipeline.domain.span import Span, to_samples
from pipeline.domain.timeline import Supervision, Timeline

Runs = Sequence[Span]
"""Stretches of speech on one track, by start, disjoint."""

SEARCH_S = 0.5
"""Speech up to so far outside of a supervision's span, and nearer to it than to its neighbours, is its own ..."""
REACH_S = 0.15
"""... where no longer silence than this lies between it and what is heard inside the span."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One supervision in the audio, times in samples."""

    supervision: Supervision
    audible: bool
    onset: int | None
    """First sample that is heard; None where it is not heard, or somebody else already sounds on its track."""
    end: int | None
    """One past the last sample that is heard; None where it is not, or somebody else sounds on."""

    @property
    def span(self) -> Span | None:
        """From onset to end, where both can be told."""
        if self.onset is None or self.end is None:
            return None
        return Span(start=self.onset, end=self.end)


def hear(timeline: Timeline, runs: tuple[Runs, Runs]) -> tuple[Heard, ...]:
    """Find every supervision in the runs of its track (0 user, 1 assistant), in the timeline's order."""
    by_track = {track: [s for s in timeline.supervisions if s.track is track] for track in Track}
    rate = timeline.sampling_rate
    return tuple(
        _hear_one(supervision, by_track[supervision.track], runs[supervision.track.channel], rate)
        for supervision in timeline.supervisions
    )


def _hear_one(supervision: Supervision, on_track: list[Supervision], runs: Runs, sampling_rate: int) -> Heard:
    span, search = supervision.span, to_samples(SEARCH_S, sampling_rate)
    others = [one.span for one in on_track if one is not supervision]
    earliest = span.start - search
    latest = span.end + search
    tells_onset = tells_end = True
    for other in others:
        if other.end <= span.start:
            earliest = max(earliest, (other.end + span.start) // 2)
        elif other.start >= span.end:
            latest = min(latest, (span.end + other.start + 1) // 2)
        else:
            tells_onset &= other.start > span.start
            tells_end &= other.end < span.end
    around = clip_runs(
        runs, max(0, earliest if tells_onset else span.start), latest if tells_end else span.end
    )
    own = _connected(around, span, to_samples(REACH_S, sampling_rate))
    return Heard(
        supervision=supervision,
        audible=bool(own),
        onset=own[0].start if own and tells_onset else None,
        end=own[-1].end if own and tells_end else None,
    )


def _connected(parts: Runs, span: Span, reach: int) -> Runs:
    """What lies inside the span, and what can be reached from there."""
    inside = [index for index, part in enumerate(parts) if part.start < span.end and part.end > span.start]
    if not inside:
        return ()
    first, last = inside[0], inside[-1]
    while first > 0 and parts[first].start - parts[first - 1].end <= reach:
        first -= 1
    while last + 1 < len(parts) and parts[last + 1].start - parts[last].end <= reach:
        last += 1
    return parts[first : last + 1]


def clip_runs(runs: Runs, start: int, end: int) -> tuple[Span, ...]:
    """The parts of the runs that lie in `[start, end)`."""
    first = bisect_right(runs, start, key=attrgetter("end"))
    beyond = bisect_left(runs, end, key=attrgetter("start"))
    return tuple(Span(start=max(run.start, start), end=min(run.end, end)) for run in runs[first:beyond])


def heard_samples(runs: Runs, start: int, end: int) -> int:
    """How many samples of `[start, end)` are inside a run."""
    return sum(len(part) for part in clip_runs(runs, start, end))


def heard_activity(timeline: Timeline, runs: tuple[Runs, Runs]) -> Activity:
    """Who is heard when, per track; what is heard of backchannel events are backchannels.

    Voice activity cannot tell a backchannel from a word that takes the floor: which utterance it was comes
    from the record, when it was heard from the audio.
    """
    tagged = {event.supervision_id for event in timeline.events if event.type.is_backchannel}
    units: dict[Track, list[tuple[Span, ...]]] = {track: [] for track in Track}
    for heard in hear(timeline, runs):
        span = heard.span
        if heard.supervision.supervision_id in tagged and span is not None:
            track = heard.supervision.track
            units[track].append(clip_runs(runs[track.channel], span.start, span.end))
    return Activity(
        speakers=tuple(_split_at(runs[track.channel], units[track]) for track in Track),
        sampling_rate=timeline.sampling_rate,
        backchannels=tuple(tuple(units[track]) for track in Track),
    )


def _split_at(runs: Runs, units: Iterable[tuple[Span, ...]]) -> tuple[Span, ...]:
    """Runs cut at the borders of backchannel units, so that a unit's stretches are stretches of the speaker."""
    borders = sorted({border for unit in units for part in unit for border in (part.start, part.end)})
    pieces: list[Span] = []
    for run in runs:
        inside = borders[bisect_right(borders, run.start) : bisect_left(borders, run.end)]
        edges = [run.start, *inside, run.end]
        pieces.extend(Span(start=a, end=b) for a, b in pairwise(edges))
    return tuple(pieces)

"""Who is speaking when: the input of every turn-taking measure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Track
from pipeline.domain.span import Span, to_samples
from pipeline.domain.timeline import Timeline
from pipeline.domain.words import TimeSource

Ints = npt.NDArray[np.int64]
Runs = Ints
"""`[n, 2]` starts and ends in samples, by start, disjoint."""

IPU_SILENCE_S = 0.2
"""Silence of the same speaker that ends an inter-pausal unit; shorter ones belong to it."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Stretches of speech per speaker: words, runs of a voice activity detector, or RTTM segments.

    ::

        speakers[0]   |w||w|   |w|            |w|
        speakers[1]               |w||w||w|

    Any order, overlaps of one speaker with itself are merged when measured. `backchannels` holds per
    speaker the backchannel units, each as the stretches it consists of (they are in `speakers` too);
    None where nobody said which words are backchannels. `has_words` is False where stretches are talkspurts that
    nobody transcribed: then no word inside one is known to end.
    """

    speakers: tuple[tuple[Span, ...], ...]
    sampling_rate: int
    backchannels: tuple[tuple[tuple[Span, ...], ...], ...] | None = None
    has_words: bool = True

    def __post_init__(self) -> None:
        if self.sampling_rate < 1:
            raise ConfigError(f"activity: wanted a sampling rate of 1 Hz or more, got {self.sampling_rate}")
        if self.backchannels is not None and len(self.backchannels) != len(self.speakers):
            raise ConfigError(
                f"activity: {len(self.speakers)} speakers, but backchannels of {len(self.backchannels)}"
            )

    def ipus(self, min_silence_s: float = IPU_SILENCE_S) -> tuple[tuple[Span, ...], ...]:
        """Inter-pausal units per speaker."""
        min_silence = to_samples(min_silence_s, self.sampling_rate)
        return tuple(ipus(spans, min_silence) for spans in self.speakers)

    def restricted(self, regions: tuple[Span, ...]) -> "Activity":
        """Only what lies inside the regions (a UEM's): stretches across a border are cut there."""
        speakers = tuple(_restricted(spans, regions) for spans in self.speakers)
        if self.backchannels is None:
            return replace(self, speakers=speakers)
        units = tuple(
            tuple(cut for unit in units if (cut := _restricted(unit, regions))) for units in self.backchannels
        )
        return replace(self, speakers=speakers, backchannels=units)


@dataclass(frozen=True, slots=True)
class TalkTimes:
    """Time, in samples, by the number of distinct speakers who speak at once."""

    total: int
    """From the first onset to the last end."""
    any_speech: int
    overlap: int
    """Two or more."""
    three_or_more: int

    @property
    def silence(self) -> int:
        """Nobody speaks, between the first onset and the last end."""
        return self.total - self.any_speech


def activity_of(timeline: Timeline) -> Activity:
    """The words of a timeline per track (0 user, 1 assistant), backchannel events as backchannels.

    A third party counts on the user's track, where it is heard.
    """
    tagged = {event.supervision_id for event in timeline.events if event.type.is_backchannel}
    words: dict[Track, list[Span]] = {track: [] for track in Track}
    units: dict[Track, list[tuple[Span, ...]]] = {track: [] for track in Track}
    for supervision in timeline.supervisions:
        spans = tuple(word.span for word in supervision.words)
        words[supervision.track].extend(spans)
        if supervision.supervision_id in tagged:
            units[supervision.track].append(spans)
    return Activity(
        speakers=tuple(tuple(words[track]) for track in Track),
        sampling_rate=timeline.sampling_rate,
        backchannels=tuple(tuple(units[track]) for track in Track),
        has_words=not any(w.source is TimeSource.DETECTOR for s in timeline.supervisions for w in s.words),
    )


def ipus(spans: Iterable[Span], min_silence: int) -> tuple[Span, ...]:
    """Merge stretches of one speaker while the silence between them is shorter than `min_silence` samples.

    >>> ipus((Span(start=0, end=10), Span(start=12, end=20), Span(start=40, end=50)), min_silence=5)
    (Span(start=0, end=20), Span(start=40, end=50))
    """
    return tuple(
        Span(start=start, end=end) for start, end in merge_runs(as_array(spans), min_silence).tolist()
    )


def as_array(spans: Iterable[Span]) -> Ints:
    """`[n, 2]` starts and ends, sorted."""
    pairs = sorted((span.start, span.end) for span in spans)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def merge_runs(sorted_runs: Ints, min_silence: int) -> Runs:
    """`ipus` on an array sorted by start. Runs that touch or overlap are always merged."""
    if not len(sorted_runs):
        return sorted_runs
    reached = np.maximum.accumulate(sorted_runs[:, 1])
    opens = np.r_[True, sorted_runs[1:, 0] - reached[:-1] >= max(1, min_silence)]
    first = np.flatnonzero(opens)
    return np.column_stack((sorted_runs[first, 0], reached[np.r_[first[1:] - 1, len(reached) - 1]]))


def count_speakers(speakers: Iterable[Runs]) -> tuple[Ints, Ints]:
    """Sweep: sorted boundaries `[n]` and the number of speakers between each and the next `[n - 1]`.

    ::

        A            |=====|
        B               |=====|
        boundaries   0  3  6  9
        speakers      1  2  1
    """
    runs = np.concatenate([np.zeros((0, 2), dtype=np.int64), *speakers])
    boundaries = np.unique(runs)
    steps = np.zeros(len(boundaries), dtype=np.int64)
    np.add.at(steps, np.searchsorted(boundaries, runs[:, 0]), 1)
    np.add.at(steps, np.searchsorted(boundaries, runs[:, 1]), -1)
    return boundaries, np.cumsum(steps)[:-1]


def talk_times(speakers: Iterable[Iterable[Span]], min_silence: int = 0) -> TalkTimes:
    """Speech, overlap and silence of any number of speakers, each counted once at any instant.

    Pairwise sums would count three at once three times. `min_silence` bridges silences of one speaker as
    `ipus` does; 0 takes the stretches as they are.
    """
    return sweep_times([merge_runs(as_array(spans), min_silence) for spans in speakers])


def sweep_times(speakers: Iterable[Runs]) -> TalkTimes:
    """`talk_times` on merged arrays."""
    boundaries, active = count_speakers(speakers)
    if not len(boundaries):
        return TalkTimes(total=0, any_speech=0, overlap=0, three_or_more=0)
    lengths = np.diff(boundaries)
    return TalkTimes(
        total=int(boundaries[-1] - boundaries[0]),
        any_speech=int(lengths[active >= 1].sum()),
        overlap=int(lengths[active >= 2].sum()),
        three_or_more=int(lengths[active >= 3].sum()),
    )


def _restricted(spans: tuple[Span, ...], regions: tuple[Span, ...]) -> tuple[Span, ...]:
    """Intersection by a merge walk over both, sorted."""
    inside: list[Span] = []
    zones = ipus(regions, 1)
    at = 0
    for span in sorted(spans, key=lambda s: s.start):
        while at < len(zones) and zones[at].end <= span.start:
            at += 1
        ahead = at
        while ahead < len(zones) and zones[ahead].start < span.end:
            part = span.overlap(zones[ahead])
            if part is not None:
                inside.append(part)
            ahead += 1
    return tuple(inside)

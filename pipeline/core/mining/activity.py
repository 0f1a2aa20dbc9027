"""Who holds the floor: cleaned talkspurts, time alone, joint silences and who starts while another speaks."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import floor
from typing import Literal

import numpy as np

from pipeline.core.turntaking.activity import Runs, as_array, count_speakers, merge_runs
from pipeline.domain.mining import RecordedActivity
from pipeline.domain.span import Span

TIME_EQUALITY_S = 1e-9
"""Seconds that are that near count as equal: thresholds are inclusive, and 0.1 + 0.2 is not 0.3."""


def clean(spans: Iterable[Span], sampling_rate: int, ipu_gap_s: float, min_ipu_s: float) -> tuple[Span, ...]:
    """Talkspurts of one speaker: gaps of `ipu_gap_s` or less are merged, then spurts below `min_ipu_s` go.

    In this order: a short word between two others is part of their talkspurt, alone it is a noise.

    >>> clean((Span(0, 10), Span(12, 20), Span(40, 43)), sampling_rate=10, ipu_gap_s=0.2, min_ipu_s=0.5)
    (Span(start=0, end=20),)
    """
    runs = _cleaned(as_array(spans), sampling_rate, ipu_gap_s, min_ipu_s)
    return tuple(Span(start, end) for start, end in runs.tolist())


def _cleaned(runs: Runs, sampling_rate: int, ipu_gap_s: float, min_ipu_s: float) -> Runs:
    longest_gap = floor((ipu_gap_s + TIME_EQUALITY_S) * sampling_rate)
    merged = merge_runs(runs, longest_gap + 1)
    return merged[(merged[:, 1] - merged[:, 0]) / sampling_rate >= min_ipu_s - TIME_EQUALITY_S]


@dataclass(frozen=True, slots=True)
class Talk:
    """Cleaned talkspurts of all speakers, and how long each speaks between any two samples.

    ::

        speaker 0      |=======|      |====|
        speaker 1          |=======|
        alone          00001111 1111  000000     solo(0, a, b) counts the zeros between a and b

    Lists by speaker, in the order of the recording's speakers. Sums are cumulative over the sorted borders of
    all talkspurts, so that every question costs two bisections, however long the recording.
    """

    names: tuple[str, ...]
    sampling_rate: int
    num_samples: int
    starts: tuple[tuple[int, ...], ...]
    ends: tuple[tuple[int, ...], ...]
    borders: tuple[int, ...]
    alone: tuple[tuple[int, ...], ...]
    """Samples that a speaker was alone until each border."""
    active: tuple[tuple[int, ...], ...]
    """Samples that a speaker was active until each border."""

    def solo(self, speaker: int, start: int, end: int) -> int:
        """Samples of [start, end) in which this speaker and nobody else is active."""
        return self._until(self.alone[speaker], end) - self._until(self.alone[speaker], start)

    def spoken(self, speaker: int, start: int, end: int) -> int:
        """Samples of [start, end) in which this speaker is active."""
        return self._until(self.active[speaker], end) - self._until(self.active[speaker], start)

    def _until(self, sums: tuple[int, ...], at: int) -> int:
        """Between two borders a speaker is active (alone) all the time or never: sums grow by all or nothing."""
        after = bisect_right(self.borders, at)
        if after == 0:
            return 0
        if after == len(self.borders):
            return sums[-1]
        before = sums[after - 1]
        return before + (at - self.borders[after - 1] if sums[after] > before else 0)

    def holder(self, speaker: int, at: int) -> int | None:
        """Index of this speaker's talkspurt [start, end) that holds the sample, or None."""
        index = bisect_right(self.starts[speaker], at) - 1
        return index if index >= 0 and at < self.ends[speaker][index] else None

    def holder_before(self, speaker: int, at: int) -> int | None:
        """Index of this speaker's last talkspurt that started before the sample, or None."""
        index = bisect_left(self.starts[speaker], at) - 1
        return index if index >= 0 else None

    def latest_end(self, speaker: int, at: int) -> int | None:
        """The last end at or before a sample of this speaker's talkspurts, or None."""
        index = bisect_right(self.ends[speaker], at) - 1
        return self.ends[speaker][index] if index >= 0 else None


def talk_of(activity: RecordedActivity, ipu_gap_s: float, min_ipu_s: float) -> Talk:
    """Clean every speaker's talkspurts and sum them up."""
    rate = activity.sampling_rate
    runs = [_cleaned(as_array(s.talkspurts), rate, ipu_gap_s, min_ipu_s) for s in activity.speakers]
    borders, together = count_speakers(runs)
    lengths = np.diff(borders)
    alone, active = [], []
    for own in runs:
        begun = np.searchsorted(own[:, 0], borders[:-1], side="right")
        over = np.searchsorted(own[:, 1], borders[:-1], side="right")
        speaks = begun > over
        active.append((0, *np.cumsum(lengths * speaks).tolist()))
        alone.append((0, *np.cumsum(lengths * (speaks & (together == 1))).tolist()))
    return Talk(
        names=tuple(speaker.speaker for speaker in activity.speakers),
        sampling_rate=rate,
        num_samples=activity.num_samples,
        starts=tuple(tuple(own[:, 0].tolist()) for own in runs),
        ends=tuple(tuple(own[:, 1].tolist()) for own in runs),
        borders=tuple(borders.tolist()),
        alone=tuple(alone),
        active=tuple(active),
    )


def overlapping_starts(talk: Talk) -> tuple[tuple[int, int, int, int], ...]:
    """Candidates: (incumbent, its talkspurt, initiator, its talkspurt), pair by pair, by onset.

    Y starts while X is talking: `x0 <= y0 < x1`. Where both start at once the speaker whose name is larger is the
    initiator, so that the pair counts once, in whatever order the speakers are listed.
    """
    found = []
    for y, starts in enumerate(talk.starts):
        for index, onset in enumerate(starts):
            for x in range(len(talk.names)):
                host = talk.holder(x, onset) if x != y else None
                if host is None:
                    continue
                if talk.starts[x][host] == onset and talk.names[y] < talk.names[x]:
                    continue
                found.append((onset, x, host, y, index))
    found.sort(key=lambda c: (c[0], talk.names[c[1]], talk.names[c[3]]))
    return tuple(candidate[1:] for candidate in found)


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """When anybody is active; stretches that touch are one."""
    return tuple(Span(start, end) for start, end in merge_runs(as_array(spans), 1).tolist())


def joint_silences(speech: tuple[Span, ...], min_silence_s: float, sampling_rate: int) -> tuple[Span, ...]:
    """Silences of at least that length between stretches of `union`.

    >>> joint_silences((Span(0, 10), Span(14, 20), Span(21, 30)), min_silence_s=0.3, sampling_rate=10)
    (Span(start=10, end=14),)
    """
    return tuple(
        Span(before.end, after.start)
        for before, after in pairwise(speech)
        if (after.start - before.end) / sampling_rate >= min_silence_s - TIME_EQUALITY_S
    )


@dataclass(frozen=True, slots=True)
class Silence:
    """A joint silence between two talkspurts: a pause where the same speaker goes on, a gap where another starts.

    The end of a gap is a turn initiation of `after`.
    """

    kind: Literal["pause", "gap"]
    span: Span
    before: str
    after: str


def silences(talk: Talk, min_silence_s: float) -> tuple[Silence, ...]:
    """Pauses of at least that length, and all gaps.

    Who is first in both ends of a silence decides; where two stop or start at once, the one whose name is larger.
    """
    spurts = sorted(
        (start, end, name)
        for name, starts, ends in zip(talk.names, talk.starts, talk.ends, strict=True)
        for start, end in zip(starts, ends, strict=True)
    )
    found: list[Silence] = []
    reached, last = 0, ""
    for index, (start, end, name) in enumerate(spurts):
        if index and start > reached:
            follower = max(n for s, _, n in spurts[index : index + len(talk.names)] if s == start)
            kind: Literal["pause", "gap"] = "pause" if follower == last else "gap"
            long_enough = (start - reached) / talk.sampling_rate >= min_silence_s - TIME_EQUALITY_S
            if kind == "gap" or long_enough:
                found.append(Silence(kind, Span(reached, start), last, follower))
        if (end, name) > (reached, last):
            reached, last = end, name
    return tuple(found)

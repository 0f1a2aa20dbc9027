"""Stretches worth keeping: cut in joint silences around the events that they are kept for.

::

    joint silences   .....|..........|..|.............|.....|....
    anchors                      ^                 ^
    context                  |<->     <->|
    segment               [============================]        as near to the target length as silences allow
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from pipeline.core.mining.activity import TIME_EQUALITY_S, joint_silences, talk_of, union
from pipeline.core.mining.candidates import Candidate
from pipeline.core.mining.limits import EventLimits, SegmentLimits
from pipeline.domain.mining import AuditValue, MinedEvent, RecordedActivity, RejectCode, Segment
from pipeline.domain.span import Span

_NEAREST_CUTS = 12
"""Cuts that are looked at on either side of an anchor."""
_EDGE_S = 0.1
"""Kept before the first and after the last speech of a recording."""


@dataclass(frozen=True, slots=True)
class UncutAnchor:
    """An anchor that no segment could be cut for, and why."""

    event: MinedEvent
    value: AuditValue


@dataclass(frozen=True, slots=True)
class Extraction:
    """The segments of one recording, disjoint and in order, and the anchors that have none."""

    segments: tuple[Segment, ...]
    uncut: tuple[UncutAnchor, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    at: int
    silence_s: float


def find_segments(
    activity: RecordedActivity,
    candidates: Iterable[Candidate],
    limits: SegmentLimits | None = None,
    events: EventLimits | None = None,
) -> Extraction:
    """Cut segments for the accepted candidates whose class is in `limits.require`.

    An anchor inside the segment before it needs none of its own and may have less context there. A segment holds
    every accepted or ambiguous event whose onset is inside; rejected ones are in the audit alone.
    """
    limits, events = limits or SegmentLimits(), events or EventLimits()
    kept = sorted(
        (c for c in candidates if c.decision != "reject"), key=lambda c: (c.event.onset, c.event.event_id)
    )
    anchors = [c.event for c in kept if c.accepted and c.event.type in limits.require]
    ladder = _ladder(activity, limits, events)
    cutter = _Cutter(activity, limits, tuple(anchor.onset for anchor in anchors))
    onsets = [c.event.onset for c in kept]
    segments: list[Segment] = []
    uncut: list[UncutAnchor] = []
    last = 0
    for anchor in anchors:
        if anchor.onset < last:
            continue
        found = next((pair for cuts in ladder if (pair := cutter.choose(cuts, anchor, last))), None)
        if found is None:
            uncut.append(UncutAnchor(anchor, cutter.why_not(ladder[-1], anchor, last)))
            continue
        left, right = found
        inside = kept[bisect_left(onsets, left.at) : bisect_left(onsets, right.at)]
        segments.append(_segment(activity, found, tuple(inside), limits, len(segments)))
        last = right.at
    return Extraction(tuple(segments), tuple(uncut))


def _ladder(
    activity: RecordedActivity, limits: SegmentLimits, events: EventLimits
) -> tuple[tuple[_Cut, ...], ...]:
    """Cuts by position: those in long enough silences, then those in shorter ones too.

    Speech is everything that is active, of whatever length, and the short gaps inside a talkspurt: no cut falls
    into a talkspurt even where a gap that is merged is as long as a silence that is cut in.
    """
    talk = talk_of(activity, events.ipu_gap_s, events.min_ipu_s)
    raw = chain.from_iterable(speaker.talkspurts for speaker in activity.speakers)
    cleaned = (
        Span(start, end)
        for starts, ends in zip(talk.starts, talk.ends, strict=True)
        for start, end in zip(starts, ends, strict=True)
    )
    speech = union(chain(raw, cleaned))
    if not speech:
        return ((),)
    rate, total = activity.sampling_rate, activity.num_samples
    edge = round(_EDGE_S * rate)
    first, end = speech[0].start, speech[-1].end
    head = _Cut(max(0, first - edge), first / rate)
    tail = _Cut(min(total, end + edge), (total - end) / rate)
    return tuple(
        (head, *(_middle(silence, rate) for silence in joint_silences(speech, wanted, rate)), tail)
        for wanted in (limits.boundary_silence_s, limits.relaxed_boundary_silence_s)
    )


def _middle(silence: Span, rate: int) -> _Cut:
    return _Cut((silence.start + silence.end) // 2, len(silence) / rate)


@dataclass(frozen=True, slots=True)
class _Cutter:
    activity: RecordedActivity
    limits: SegmentLimits
    anchors: tuple[int, ...]
    """Onsets."""

    def choose(self, cuts: tuple[_Cut, ...], anchor: MinedEvent, last: int) -> tuple[_Cut, _Cut] | None:
        """The pair of cuts around an anchor whose distance is nearest to the target; ties: earliest left, right."""
        rate, limits = self.activity.sampling_rate, self.limits
        best: tuple[float, int, int, _Cut, _Cut] | None = None
        left, right = self._sides(cuts, anchor, last)
        for a in left:
            for b in right:
                length_s = (b.at - a.at) / rate
                if not limits.min_len_s - TIME_EQUALITY_S <= length_s <= limits.max_len_s + TIME_EQUALITY_S:
                    continue
                if limits.min_events > 1 and self._anchors_in(a, b) < limits.min_events:
                    continue
                key = (round(abs(length_s - limits.target_len_s), 9), a.at, b.at, a, b)
                if best is None or key[:3] < best[:3]:
                    best = key
        return None if best is None else (best[3], best[4])

    def why_not(self, cuts: tuple[_Cut, ...], anchor: MinedEvent, last: int) -> AuditValue:
        """Why `choose` found nothing, with the value that comes nearest to what was wanted."""
        rate, limits = self.activity.sampling_rate, self.limits
        before_s = (anchor.onset - max(last, cuts[0].at)) / rate
        after_s = (cuts[-1].at - anchor.initiator_span.end) / rate
        if before_s < limits.pre_context_s - TIME_EQUALITY_S:
            return _reason(RejectCode.CONTEXT_MISSING, before_s, limits.pre_context_s)
        if after_s < limits.post_context_s - TIME_EQUALITY_S:
            return _reason(RejectCode.CONTEXT_MISSING, after_s, limits.post_context_s)
        needed_s = len(anchor.initiator_span) / rate + limits.pre_context_s + limits.post_context_s
        if needed_s > limits.max_len_s + TIME_EQUALITY_S:
            return _reason(RejectCode.TOO_LONG, needed_s, limits.max_len_s)
        left, right = self._sides(cuts, anchor, last)
        lengths = [(b.at - a.at) / rate for a in left for b in right]
        if lengths and max(lengths) < limits.min_len_s:
            return _reason(RejectCode.TOO_SHORT, max(lengths), limits.min_len_s)
        if any(limits.min_len_s <= length <= limits.max_len_s for length in lengths):
            most = max(self._anchors_in(a, b) for a in left for b in right)
            return _reason(RejectCode.TOO_FEW_EVENTS, most, limits.min_events)
        longest = max((cut.silence_s for cut in (*left, *right)), default=None)
        return _reason(RejectCode.NO_BOUNDARY_SILENCE, longest, limits.relaxed_boundary_silence_s)

    def _sides(
        self, cuts: tuple[_Cut, ...], anchor: MinedEvent, last: int
    ) -> tuple[tuple[_Cut, ...], tuple[_Cut, ...]]:
        rate = self.activity.sampling_rate
        latest = anchor.onset - self.limits.pre_context_s * rate + TIME_EQUALITY_S * rate
        earliest = anchor.initiator_span.end + self.limits.post_context_s * rate - TIME_EQUALITY_S * rate
        stop = bisect_right(cuts, latest, key=lambda cut: cut.at)
        start = bisect_left(cuts, last, key=lambda cut: cut.at)
        after = bisect_left(cuts, earliest, key=lambda cut: cut.at)
        return cuts[max(start, stop - _NEAREST_CUTS) : stop], cuts[after : after + _NEAREST_CUTS]

    def _anchors_in(self, left: _Cut, right: _Cut) -> int:
        return bisect_left(self.anchors, right.at) - bisect_left(self.anchors, left.at)


def _segment(
    activity: RecordedActivity,
    cuts: tuple[_Cut, _Cut],
    inside: tuple[Candidate, ...],
    limits: SegmentLimits,
    index: int,
) -> Segment:
    left, right = cuts
    return Segment(
        segment_id=f"{activity.recording_id}:{index:06d}",
        recording_id=activity.recording_id,
        span=Span(left.at, right.at),
        sampling_rate=activity.sampling_rate,
        mode=activity.mode,
        events=tuple(c.event for c in inside),
        anchors=tuple(c.event.event_id for c in inside if c.accepted and c.event.type in limits.require),
        boundary_silence_s=(left.silence_s, right.silence_s),
    )


def _reason(code: RejectCode, value: float | None, threshold: float) -> AuditValue:
    return AuditValue(code=code, value=value, threshold=threshold)

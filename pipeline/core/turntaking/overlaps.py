"""What an overlap was, judged by timing alone: interruption, terminal overlap, backchannel candidate ...

An overlap starts when Y begins to speak inside X's inter-pausal unit:

    X     |==============|                x0 ... x1
    Y              |===========|          y0 ... y1
                   |<--->|                overlap = min(x1, y1) - y0, continuation = x1 - y0
                         |<-- 2 s -->|    who speaks alone here took the floor

The tree tests, first match wins: simultaneous start; short and out of silence (backchannel candidate);
Y takes the floor at once (terminal overlap) or after X went on for more than 0.5 s (interruption); X keeps
it (failed interruption if Y spoke for 1 s or more, else short incursion); what is left is a short floor
change. Thresholds are those of the shipped reference, whose figures they make comparable.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pipeline.core.turntaking.activity import Ints, Runs
from pipeline.core.turntaking.transitions import Bools, JointStates, ipu_at, joint_states

_MIN_IPU_S = 0.1
_SIMULTANEOUS_START_S = 0.2
_BACKCHANNEL_MAX_S = 1.0
_BACKCHANNEL_PRIOR_SILENCE_S = 1.0
_AFTER_WINDOW_S = 2.0
_TAKE_MIN_SOLO_S = 0.5
_TERMINAL_ZONE_S = 0.5
_FAILED_MIN_DURATION_S = 1.0


class OverlapClass(StrEnum):
    """Leaves of the timing tree."""

    SIMULTANEOUS_START = "simultaneous_start"
    TIMING_BACKCHANNEL = "timing_backchannel"
    TERMINAL_OVERLAP = "terminal_overlap"
    INTERRUPTION = "interruption"
    FAILED_INTERRUPTION = "failed_interruption"
    SHORT_INCURSION = "short_incursion"
    SHORT_FLOOR_CHANGE = "short_floor_change"
    UNRESOLVED = "unresolved"
    """Nobody speaks alone in the 2 s after."""


@dataclass(frozen=True, slots=True)
class OverlapEvents:
    """Overlaps by onset, all arrays `[n]`, times in samples."""

    classes: npt.NDArray[np.object_]
    speaker: Ints
    """Who came in (0, 1)."""
    x0: Ints
    x1: Ints
    y0: Ints
    y1: Ints

    @property
    def overlap(self) -> Ints:
        """Overlapped time."""
        return np.minimum(self.x1, self.y1) - self.y0

    @property
    def continuation(self) -> Ints:
        """How long the incumbent's IPU goes on after the onset."""
        return self.x1 - self.y0

    def of(self, *wanted: OverlapClass) -> Bools:
        """Which events belong to one of the classes."""
        return np.isin(self.classes, wanted)


def overlap_events(a: Runs, b: Runs, sampling_rate: int) -> OverlapEvents:
    """Run the tree over both speakers' IPUs; IPUs shorter than 100 ms are left out, as in the reference."""
    shortest = _MIN_IPU_S * sampling_rate
    kept = [runs[runs[:, 1] - runs[:, 0] >= shortest] for runs in (a, b)]
    joint = joint_states(kept[0], kept[1])
    sides = [_incoming(kept[1 - speaker], kept[speaker], speaker, joint, sampling_rate) for speaker in (0, 1)]
    order = np.argsort(np.concatenate([side.y0 for side in sides]), kind="stable")
    return OverlapEvents(
        classes=np.concatenate([side.classes for side in sides])[order],
        speaker=np.concatenate([side.speaker for side in sides])[order],
        x0=np.concatenate([side.x0 for side in sides])[order],
        x1=np.concatenate([side.x1 for side in sides])[order],
        y0=np.concatenate([side.y0 for side in sides])[order],
        y1=np.concatenate([side.y1 for side in sides])[order],
    )


def _incoming(x: Runs, y: Runs, speaker: int, joint: JointStates, sampling_rate: int) -> OverlapEvents:
    """Overlaps that one speaker (of IPUs `y`) starts."""
    host = ipu_at(x, y[:, 0] - 1)  # the latest that started strictly before
    silence_before = np.full(len(y), np.iinfo(np.int64).max)
    silence_before[1:] = y[1:, 0] - y[:-1, 1]
    starts_inside = host >= 0
    starts_inside[starts_inside] &= y[starts_inside, 0] < x[host[starts_inside], 1]
    inside = np.flatnonzero(starts_inside)
    x0, x1 = x[host[inside], 0], x[host[inside], 1]
    y0, y1 = y[inside, 0], y[inside, 1]
    after = np.minimum(x1, y1)
    until = after + round(_AFTER_WINDOW_S * sampling_rate)
    solo_y = joint.alone_by(speaker, until) - joint.alone_by(speaker, after)
    solo_x = joint.alone_by(1 - speaker, until) - joint.alone_by(1 - speaker, after)
    takes = solo_y > solo_x
    at_once = x1 - y0 <= _TERMINAL_ZONE_S * sampling_rate
    for_long = takes & (solo_y >= _TAKE_MIN_SOLO_S * sampling_rate)
    keeps = (solo_x >= solo_y) & (solo_x > 0)
    short = y1 - y0 <= _BACKCHANNEL_MAX_S * sampling_rate
    rested = silence_before[inside] >= _BACKCHANNEL_PRIOR_SILENCE_S * sampling_rate
    tests = [
        (y0 - x0 <= _SIMULTANEOUS_START_S * sampling_rate, OverlapClass.SIMULTANEOUS_START),
        (short & rested, OverlapClass.TIMING_BACKCHANNEL),
        (for_long & at_once, OverlapClass.TERMINAL_OVERLAP),
        (for_long, OverlapClass.INTERRUPTION),
        (keeps & (y1 - y0 >= _FAILED_MIN_DURATION_S * sampling_rate), OverlapClass.FAILED_INTERRUPTION),
        (keeps, OverlapClass.SHORT_INCURSION),
        (takes, OverlapClass.SHORT_FLOOR_CHANGE),
    ]
    classes = np.full(len(inside), OverlapClass.UNRESOLVED, dtype=np.object_)
    for matches, label in reversed(tests):  # the first test is written last and so wins
        classes[matches] = label
    return OverlapEvents(classes, np.full(len(inside), speaker), x0, x1, y0, y1)

"""From one speaker alone to the next: gaps, pauses and overlaps between two speakers.

A            |=========|        |=====|     |=======|
B                   |======|                  |==|
state        A......2..B...0....A.....0.....A.2..A..
                    between gap       pause   within
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.turntaking.activity import Ints, Runs

Bools = npt.NDArray[np.bool_]

_NONE, _A, _B, _BOTH = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class JointStates:
    """Piecewise constant: nobody (0), A alone (1), B alone (2), both (3) from each boundary to the next."""

    boundaries: Ints
    states: Ints

    def alone_by(self, speaker: int, times: Ints) -> Ints:
        """Samples that A (0) or B (1) has spoken alone up to each time."""
        if not len(self.boundaries):
            return np.zeros_like(times)
        lengths = np.diff(self.boundaries) * (self.states == speaker + 1)
        total = np.concatenate(([0], np.cumsum(lengths)))
        # linear between boundaries, and exact: both ends of a stretch are integers far below 2**53
        return np.rint(np.interp(times, self.boundaries, total)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Transitions:
    """Every step from one single-speaker stretch to the next, in order of time.

    `offset` is in samples: silence > 0, overlap < 0, 0 where one ends as the other starts.
    `classified` is False where silence and overlap are mixed in between.
    """

    offset: Ints
    classified: Bools
    changes_speaker: Bools
    outgoing: Ints
    """Speaker (0, 1) before."""
    left_at: Ints
    """A sample inside the outgoing speaker's IPU."""
    entered_at: Ints
    """A sample inside the incoming speaker's IPU."""

    @property
    def speaker_changes(self) -> Bools:
        """Classified changes: those that have a floor-transfer offset."""
        return self.classified & self.changes_speaker


def joint_states(a: Runs, b: Runs) -> JointStates:
    """Sweep over two speakers' IPUs."""
    boundaries = np.unique(np.concatenate((a, b)))
    if not len(boundaries):
        return JointStates(boundaries, boundaries)
    starts = boundaries[:-1]
    return JointStates(boundaries, _inside(a, starts) * _A + _inside(b, starts) * _B)


def walk(joint: JointStates) -> Transitions:
    """Classify what lies between each single-speaker stretch and the next."""
    alone = np.flatnonzero((joint.states == _A) | (joint.states == _B))
    here, there = alone[:-1], alone[1:]
    steps_between = there - here - 1
    leave, enter = joint.boundaries[here + 1], joint.boundaries[there]
    # with one step in between it is pure silence or pure overlap; with none the offset is 0
    overlap = (steps_between == 1) & (joint.states[np.minimum(here + 1, len(joint.states) - 1)] == _BOTH)
    return Transitions(
        offset=np.where(overlap, leave - enter, enter - leave),
        classified=steps_between <= 1,
        changes_speaker=joint.states[here] != joint.states[there],
        outgoing=joint.states[here] - 1,
        left_at=joint.boundaries[here],
        entered_at=enter,
    )


def ipu_at(runs: Runs, times: Ints) -> Ints:
    """Index of the latest run that starts at or before each time; -1 where there is none."""
    return np.searchsorted(runs[:, 0], times, side="right") - 1


def _inside(runs: Runs, times: Ints) -> Ints:
    started = np.searchsorted(runs[:, 0], times, side="right")
    ended = np.searchsorted(runs[:, 1], times, side="right")
    return np.asarray(started - ended, dtype=np.int64)

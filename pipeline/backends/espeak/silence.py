"""Silence at the edges of an utterance goes, silence inside is shortened.

The engine pauses 150 ms after a comma and up to 340 ms after a full stop. Pauses between sentences are
drawn by the timing stage, and those inside one must stay well below the 200 ms that would split an IPU::

    engine   ....|== well ==|..........|== I see ==|...............
    clip         |== well ==|......|== I see ==|
                              <= LONGEST_PAUSE_S
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

AUDIBLE_DB = -40.0
"""Samples this far below the clip's peak count as silence."""
CLOSURE_S = 0.03
"""Inaudible stretches up to this length belong to the sound around them."""
LONGEST_PAUSE_S = 0.1
LEAD_S = 0.005
TAIL_S = 0.01
"""Kept after the last audible sample, and faded out over it."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """An utterance without needless silence, and where its samples came from."""

    samples: npt.NDArray[np.float32]
    """`[num_samples]`, -1...1"""
    runs: tuple[tuple[int, int], ...]
    """Audible stretches `[start, end)`, in order; never empty."""
    kept: tuple[tuple[int, int], ...]
    """Spans of the engine's output that were kept."""

    def place(self, sample: int) -> int:
        """Where a sample of the engine's output is now; a removed one falls on the cut."""
        index = max(bisect_right([start for start, _ in self.kept], sample) - 1, 0)
        before = sum(end - start for start, end in self.kept[:index])
        start, end = self.kept[index]
        return before + min(max(sample - start, 0), end - start)


def tidy(pcm: npt.NDArray[np.int16], sampling_rate: int) -> Tidied | None:
    """Trim and shorten; None where nothing is audible."""
    runs = _audible_runs(pcm, sampling_rate)
    if not runs:
        return None
    kept = _kept(runs, len(pcm), sampling_rate)
    samples = np.concatenate([pcm[start:end] for start, end in kept]).astype(np.float32) / np.float32(32768)
    tail = kept[-1][1] - runs[-1][1]
    if tail:
        samples[-tail:] *= np.linspace(1, 0, tail, endpoint=False, dtype=np.float32)
    moved = Tidied(samples, runs, kept)
    return Tidied(samples, tuple((moved.place(start), moved.place(end)) for start, end in runs), kept)


def _audible_runs(pcm: npt.NDArray[np.int16], sampling_rate: int) -> tuple[tuple[int, int], ...]:
    level = np.abs(pcm.astype(np.int32))
    peak = int(level.max(initial=0))
    if not peak:
        return ()
    audible = np.flatnonzero(level > peak * 10 ** (AUDIBLE_DB / 20))
    breaks = np.flatnonzero(np.diff(audible) > CLOSURE_S * sampling_rate)
    starts = audible[np.concatenate([[0], breaks + 1])]
    ends = audible[np.concatenate([breaks, [len(audible) - 1]])] + 1
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True))


def _kept(
    runs: tuple[tuple[int, int], ...], num_samples: int, sampling_rate: int
) -> tuple[tuple[int, int], ...]:
    """Everything but the edges and the middle of long pauses."""
    longest = round(LONGEST_PAUSE_S * sampling_rate)
    spans: list[tuple[int, int]] = []
    start = max(runs[0][0] - round(LEAD_S * sampling_rate), 0)
    for (_, end), (next_start, _) in pairwise(runs):
        if next_start - end > longest:
            spans.append((start, end + longest // 2))
            start = next_start - (longest - longest // 2)
    spans.append((start, min(runs[-1][1] + round(TAIL_S * sampling_rate), num_samples)))
    return tuple(spans)

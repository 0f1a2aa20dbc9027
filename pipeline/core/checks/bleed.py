"""Two microphones in one conversation: each hears the other side too, and voice activity takes that for speech.

ch 0   ~~~~ A, loud ~~~~            .. B, from afar ..
ch 1   .. A, from afar ..           ~~~~ B, loud ~~~~
run    |=================|          |===================|     on both channels
left   on channel 0                 on channel 1
"""

import numpy as np
import numpy.typing as npt

from pipeline.core.checks.signals import Pcm, frame_levels_db, runs
from pipeline.core.hearing import Runs
from pipeline.core.turntaking import ipus
from pipeline.domain.span import Span

BLEED_DB = 15.0
"""Whoever is so much quieter than the other channel is the other side, heard from afar: real speech is not."""
_SMOOTH = 11
"""Frames of 10 ms over which levels are compared: a voice is quiet for a moment in each of its closures."""
_MOMENT = 20
"""Frames: shorter than this ends no stretch of speech."""


def without_bleed(heard: tuple[Runs, Runs], samples: Pcm, sampling_rate: int) -> tuple[Runs, Runs]:
    """Runs of speech per channel of `[num_samples, 2]` without what is only the other side's."""
    levels = [_smooth(samples[:, channel], sampling_rate) for channel in (0, 1)]
    frame = max(1, round(0.01 * sampling_rate))
    return (
        _own(heard[0], levels[0] > levels[1] - BLEED_DB, frame),
        _own(heard[1], levels[1] > levels[0] - BLEED_DB, frame),
    )


def _smooth(signal: Pcm, sampling_rate: int) -> npt.NDArray[np.float64]:
    power = 10.0 ** (frame_levels_db(signal, sampling_rate) / 10.0) + 1e-10
    return np.asarray(10.0 * np.log10(np.convolve(power, np.full(_SMOOTH, 1 / _SMOOTH), "same")), np.float64)


def _own(heard: Runs, louder: npt.NDArray[np.bool_], frame: int) -> tuple[Span, ...]:
    """The parts of runs whose frames are the channel's own; what is drowned out for a moment goes on."""
    own: list[Span] = []
    for run in heard:
        first = run.start // frame
        parts = (
            Span((first + start) * frame, (first + end) * frame).overlap(run)
            for start, end in runs(louder[first : -(-run.end // frame)])
        )
        own.extend(ipus((part for part in parts if part is not None), _MOMENT * frame))
    return tuple(own)

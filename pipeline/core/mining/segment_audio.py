"""The audio of a segment: two channels of its recording, cut out as they are.

::

    recording   ch 0 ....~~~ A ~~~......|~~ A ~~.....~ A ~|.....
                ch 1 .~ B ~.............|....~ B ~........|..~~
    dialogue    ch 0                    |~~ A ~~.....~ A ~|        user:      the first speaker's channel
                ch 1                    |....~ B ~........|        assistant: the second's

Nothing is silenced and no level is changed: what a microphone heard between two words is part of the recording.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.domain.record import Record

Pcm = npt.NDArray[np.int16]

_FULL_SCALE = 32_768.0


class SegmentAudio(Record):
    """Section `audio`: what exported files are like."""

    format: Literal["flac", "wav"] = "flac"
    fade_s: float = Field(default=0.0, ge=0, le=0.1)
    """Of a fade at both cuts, 0.01 for 10 ms; 0: samples are those of the recording. Cuts lie in silence."""


def cut_segment(block: npt.NDArray[np.float32], channels: tuple[int, int], fade_samples: int) -> Pcm:
    """`[num_samples, 2]` PCM16, user and assistant, from `[num_samples, channels]`, -1...1, with fades at both ends."""
    sides = block[:, list(channels)] * _FULL_SCALE
    fade = min(fade_samples, len(sides) // 2)
    if fade:
        ramp = (np.sin(np.pi / 2 * np.arange(1, fade + 1) / (fade + 1)) ** 2)[:, None]
        sides[:fade] *= ramp
        sides[-fade:] *= ramp[::-1]
    return np.asarray(np.clip(np.rint(sides), -_FULL_SCALE, _FULL_SCALE - 1), np.int16)

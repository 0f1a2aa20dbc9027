"""Voice activity frame by frame, for what decides on frames: cross-channel suppression.

The detectors of `find_detector` give finished runs of one channel. Here they give what they think of every frame,
in a stream, so that a recording of hours never lies in memory.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.core.suppression import RATE_HZ, STEP_S, runs_of
from pipeline.core.turntaking.activity import merge_runs
from pipeline.core.vad import EnergyVadSettings, hop_levels_db, thresholds_of
from pipeline.domain.errors import ConfigError

Wave = npt.NDArray[np.float32]

BLOCK_MULTIPLE = 2560
"""Blocks are whole numbers of every detector's frame (80, 160 and 512 samples); only the last one may not be."""


class FrameListener(Protocol):
    """Hears one channel from beginning to end."""

    def hear(self, samples: Wave) -> None:
        """The next `[num_samples]` at 16 kHz, -1...1; a multiple of `BLOCK_MULTIPLE`, except for the last."""
        ...

    def probabilities(self) -> Wave:
        """Probability of speech per hop, `[num_hops]`."""
        ...


class FrameDetector(Protocol):
    """Makes a listener per channel: detectors adapt to what they hear."""

    @property
    def name(self) -> str:
        """`<detector>-<version>`; activity is cached under it."""
        ...

    @property
    def hop_s(self) -> float:
        """Seconds per probability."""
        ...

    def listen(self) -> FrameListener:
        """A listener for one channel."""
        ...


class EnergyFrames:
    """The embedded detector: energy against the channel's own quiet and loud; probabilities are 0 or 1."""

    name = "energy-frames-1"
    hop_s = STEP_S

    def listen(self) -> FrameListener:
        """A listener for one channel."""
        return _EnergyListener()


class _EnergyListener:
    def __init__(self) -> None:
        self._levels: list[npt.NDArray[np.float32]] = []

    def hear(self, samples: Wave) -> None:
        self._levels.append(hop_levels_db(samples, round(STEP_S * RATE_HZ)).astype(np.float32))

    def probabilities(self) -> Wave:
        """As `pipeline.core.vad` decides: loud enough, in a stretch that comes near the speech level."""
        levels = np.concatenate(self._levels or [np.zeros(0, np.float32)])
        settings = EnergyVadSettings()
        speaking = np.zeros(len(levels), np.float32)
        threshold = thresholds_of(levels, settings)
        if threshold is None:
            return speaking
        runs = runs_of(levels >= threshold.speech_db)
        loud = np.zeros(len(levels) + 1, np.int32)
        np.cumsum(levels >= threshold.trigger_db, out=loud[1:])
        stretches = merge_runs(runs, round(settings.closure_s / STEP_S))
        shortest = settings.min_speech_s / STEP_S
        kept = stretches[loud[stretches[:, 1]] - loud[stretches[:, 0]] >= shortest]
        inside = np.zeros(len(levels), dtype=bool)
        for start, end in kept.tolist():
            inside[start:end] = True
        speaking[inside & (levels >= threshold.speech_db)] = 1.0
        return speaking


def _silero() -> FrameDetector:
    from pipeline.backends.vad.silero import SileroFrames

    return SileroFrames()


def _webrtc() -> FrameDetector:
    from pipeline.backends.vad.webrtc import WebRtcFrames

    return WebRtcFrames()


_BUILDERS: Mapping[str, Callable[[], FrameDetector]] = {
    "energy": EnergyFrames,
    "webrtc": _webrtc,
    "silero": _silero,
}

FRAME_DETECTORS = tuple(_BUILDERS)


def find_frame_detector(name: str) -> FrameDetector:
    """The detector of a name. Raises ConfigError for an unknown one, or one whose package is missing."""
    if name not in _BUILDERS:
        raise ConfigError(
            f"voice activity detector {name!r}: unknown; wanted one of: {', '.join(FRAME_DETECTORS)}"
        )
    return _BUILDERS[name]()

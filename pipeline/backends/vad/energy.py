"""The embedded detector: energy against each channel's own quiet and loud. No model, no download."""

import numpy as np
import numpy.typing as npt

from pipeline.core.vad import EnergyVadSettings, detect_speech
from pipeline.domain.span import Span


class EnergyDetector:
    """`pipeline.core.vad` behind the port."""

    def __init__(self, settings: EnergyVadSettings | None = None) -> None:
        self._settings = settings or EnergyVadSettings()

    @property
    def name(self) -> str:
        """`energy-1`, with the settings' fingerprint where they are not the default."""
        if self._settings == EnergyVadSettings():
            return "energy-1"
        return f"energy-1-{self._settings.fingerprint()[:8]}"

    def detect(
        self,
        samples: npt.NDArray[np.float32] | npt.NDArray[np.int16],
        sampling_rate: int,
        min_silence_s: float = 0.0,
    ) -> tuple[Span, ...]:
        """Runs of speech; see the port."""
        return detect_speech(samples, sampling_rate, min_silence_s, self._settings)

"""Diarization by pyannote.audio 4, in an environment of its own (extra `pyannote`)."""

import os
from importlib.util import find_spec

from pipeline.domain.diarization import DiarizerChoice
from pipeline.domain.errors import ConfigError
from pipeline.ports import Diarizer

TELEMETRY = "PYANNOTE_METRICS_ENABLED"
"""The library's own switch. Unset means on: origin, class and length of every file would be sent away."""


def load_diarizer(choice: DiarizerChoice) -> Diarizer:
    """Load a model; seconds. Raises ConfigError where the package or the model is missing, or telemetry is wanted."""
    silence_telemetry()
    if find_spec("pyannote") is None or find_spec("pyannote.audio") is None:
        raise ConfigError(
            "diarizer: the package pyannote.audio is not installed; remedy: an environment of its own, "
            "pip install -c constraints-pyannote.txt 'humdial-pipeline[pyannote]'"
        )
    from pipeline.backends.pyannote.diarizer import PyannoteDiarizer

    return PyannoteDiarizer(choice)


def silence_telemetry() -> None:
    """Switch telemetry off before the library is imported, which is when it reads the switch.

    Raises ConfigError where somebody switched it on: recordings of people are not for that.
    """
    wanted = os.environ.setdefault(TELEMETRY, "0")
    if wanted.lower() not in ("0", "false"):
        raise ConfigError(
            f"diarizer: {TELEMETRY}={wanted} would send facts about every recording to the library's maker; "
            f"wanted 0: unset {TELEMETRY}"
        )

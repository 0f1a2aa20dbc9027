"""Voice activity detectors, by name."""

from collections.abc import Callable, Mapping

from pipeline.domain.errors import ConfigError
from pipeline.ports import VoiceActivityDetector

DEFAULT = "energy"


def _energy() -> VoiceActivityDetector:
    from pipeline.backends.vad.energy import EnergyDetector

    return EnergyDetector()


def _webrtc() -> VoiceActivityDetector:
    from pipeline.backends.vad.webrtc import WebRtcDetector

    return WebRtcDetector()


_BUILDERS: Mapping[str, Callable[[], VoiceActivityDetector]] = {DEFAULT: _energy, "webrtc": _webrtc}

DETECTORS = tuple(_BUILDERS)


def find_detector(name: str) -> VoiceActivityDetector:
    """The detector of a name. Raises ConfigError for an unknown one, or one whose package is missing."""
    if name not in _BUILDERS:
        raise ConfigError(f"voice activity detector {name!r}: unknown; wanted one of: {', '.join(DETECTORS)}")
    return _BUILDERS[name]()

"""Audio is judged before it leaves the engine: trimmed, measured, passed or refused with a reason.

    |....####..####.......|     silence of more than 2 s at an edge, NaN, clipping, or a duration that the text
      ^40 ms        40 ms^      cannot have: refused; else what lies between the marks

Bounds count the text's own units: 0.04-0.45 s per Han character, 0.12-0.9 s per English word, and half a second
for pauses at punctuation. They catch an instruction that is spoken aloud and a model that never stops, not a word
that is wrong.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from .messages import BadReason, Kind
from .text import count_units

FRAME_S = 0.010
KEPT_S = 0.040
SILENCE_DBFS = -50.0
BELOW_LOUDEST_DB = 40.0
MOST_TRIMMED_S = 2.0
INNER_SILENCE_S = 1.0
MOST_CLIPPED = 0.001
CLIPPED_AT = 0.9899
"""CosyVoice clamps at 0.99."""
HAN_S = (0.04, 0.45)
WORD_S = (0.12, 0.9)
PAUSES_S = 0.5
BACKCHANNEL_S = (0.08, 1.5)
"""Of one syllable, which may be drawn out; of more, as long as those may take."""


class BadAudioError(Exception):
    """What came out of the model is not what was asked for."""

    def __init__(self, reason: BadReason, message: str, details: dict[str, JsonValue]) -> None:
        super().__init__(message)
        self.reason: BadReason = reason
        self.details = details


@dataclass(frozen=True)
class Passed:
    """Audio that may leave: float32 `[num_samples]`, trimmed."""

    samples: npt.NDArray[np.float32]
    trimmed_lead_s: float
    trimmed_tail_s: float
    warnings: tuple[str, ...]


def judge(
    samples: npt.NDArray[np.float32],
    rate_hz: int,
    *,
    text: str,
    kind: Kind,
    speed: float = 1.0,
    max_duration_s: float | None = None,
) -> Passed:
    """Trim it, or raise BadAudioError."""
    if not len(samples):
        raise BadAudioError("too_short", "the model made no audio at all", {"num_samples": 0})
    if not np.isfinite(samples).all():
        broken = int(np.count_nonzero(~np.isfinite(samples)))
        raise BadAudioError(
            "nan", f"{broken} of {len(samples)} samples are not finite", {"num_broken": broken}
        )
    clipped = float(np.mean(np.abs(samples) >= CLIPPED_AT))
    if clipped >= MOST_CLIPPED:
        raise BadAudioError("clipped", f"{clipped:.2%} of the samples are clipped", {"clipped": clipped})
    active = _active_frames(samples, rate_hz)
    if not active.any():
        raise BadAudioError("silent", f"nothing above {SILENCE_DBFS:.0f} dBFS", {"active_s": 0.0})
    start, end = _edges(active, rate_hz, len(samples))
    lead_s, tail_s = start / rate_hz, (len(samples) - end) / rate_hz
    if max(lead_s, tail_s) > MOST_TRIMMED_S:
        details: dict[str, JsonValue] = {"lead_s": round(lead_s, 3), "tail_s": round(tail_s, 3)}
        raise BadAudioError("silent", f"{lead_s:.2f} s of silence before, {tail_s:.2f} s after", details)
    _check_duration((end - start) / rate_hz, text, kind, speed, max_duration_s)
    pause_s = _longest_pause_s(active)
    warnings = (f"inner_silence_{pause_s:.1f}s",) if pause_s > INNER_SILENCE_S else ()
    kept = np.ascontiguousarray(samples[start:end])
    return Passed(kept, round(lead_s, 4), round(tail_s, 4), warnings)


def duration_bounds(text: str, kind: Kind, speed: float, max_duration_s: float | None) -> tuple[float, float]:
    """(shortest, longest) in seconds that `text` may take."""
    units = count_units(text)
    low_s, high_s = (HAN_S[edge] * units.han + WORD_S[edge] * units.words for edge in (0, 1))
    high_s += PAUSES_S
    if kind == "backchannel":
        low_s, high_s = BACKCHANNEL_S[0], max(BACKCHANNEL_S[1], high_s)
    high_s = high_s / speed if max_duration_s is None else max_duration_s
    return low_s / speed, high_s


def _check_duration(
    duration_s: float, text: str, kind: Kind, speed: float, max_duration_s: float | None
) -> None:
    low_s, high_s = duration_bounds(text, kind, speed, max_duration_s)
    details: dict[str, JsonValue] = {
        "duration_s": round(duration_s, 3),
        "wanted_s": [round(low_s, 3), round(high_s, 3)],
    }
    wanted = f"{duration_s:.2f} s of speech, wanted {low_s:.2f} to {high_s:.2f} s for this text"
    if duration_s < low_s:
        raise BadAudioError("too_short", wanted, details)
    if duration_s > high_s:
        raise BadAudioError("too_long", wanted, details)


def _active_frames(samples: npt.NDArray[np.float32], rate_hz: int) -> npt.NDArray[np.bool_]:
    """Per frame of 10 ms, whether it is louder than silence, and no more than 40 dB below the loudest."""
    size = max(1, round(FRAME_S * rate_hz))
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % size))
    power = np.mean(padded.reshape(-1, size) ** 2, axis=1)
    level_db = 10 * np.log10(power + 1e-12)
    found: npt.NDArray[np.bool_] = level_db > max(SILENCE_DBFS, float(level_db.max()) - BELOW_LOUDEST_DB)
    return found


def _edges(active: npt.NDArray[np.bool_], rate_hz: int, num_samples: int) -> tuple[int, int]:
    """First and last sample that is kept: the active frames and 40 ms around them."""
    frames = np.flatnonzero(active)
    size, kept = max(1, round(FRAME_S * rate_hz)), round(KEPT_S * rate_hz)
    return max(0, int(frames[0]) * size - kept), min(num_samples, (int(frames[-1]) + 1) * size + kept)


def _longest_pause_s(active: npt.NDArray[np.bool_]) -> float:
    frames = np.flatnonzero(active)
    return float((np.diff(frames) - 1).max(initial=0)) * FRAME_S

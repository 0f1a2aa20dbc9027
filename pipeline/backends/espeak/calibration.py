"""Measure what a voice sounds like: the figures that the catalogue states.

with EspeakSynthesizer() as synthesizer:
    f0_hz = asyncio.run(measure_median_f0_hz(synthesizer, voice))
"""

import numpy as np
import numpy.typing as npt

from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.voice import SpeechRequest, Voice
from pipeline.ports import SpeechSynthesizer

TEST_SENTENCES = {
    Language.EN: "The weather is lovely today, so we may walk along the river all morning.",
    Language.ZH: "今天天气很好，我们可以一起去河边走一走。",
}
"""Mostly voiced sounds; in Mandarin, all four tones."""

_LOWEST_HZ, _HIGHEST_HZ = 55, 450
_VOICED = 0.8
"""Normalised autocorrelation of a frame that counts as voiced."""
_NEAR_BEST = 0.93
"""The first peak this close to the best one wins: the best may be a multiple of the period."""


async def measure_median_f0_hz(
    synthesizer: SpeechSynthesizer,
    voice: Voice,
    emotion: Emotion = Emotion.NEUTRAL,
    style: Style = Style.PLAIN,
) -> float:
    """Median pitch of a voice on the test sentence of its language."""
    request = SpeechRequest(
        text=TEST_SENTENCES[voice.language],
        language=voice.language,
        voice=voice,
        emotion=emotion,
        style=style,
        seed=0,
    )
    clip = await synthesizer.synthesize(request)
    return median_f0_hz(clip.samples, clip.sampling_rate)


def median_f0_hz(samples: npt.NDArray[np.float32], sampling_rate: int) -> float:
    """Median over voiced frames by normalised autocorrelation, one frame every 10 ms.

    Enough for clean synthetic speech; use a real pitch tracker for recordings.
    Raises ValueError where no frame is voiced.
    """
    frame, hop = round(0.046 * sampling_rate), round(0.01 * sampling_rate)
    longest_lag = sampling_rate // _LOWEST_HZ
    loud = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    found = []
    for start in range(0, len(samples) - frame - longest_lag, hop):
        window = samples[start : start + frame + longest_lag].astype(np.float64)
        if np.sqrt(np.mean(np.square(window[:frame]))) < 0.5 * loud:
            continue
        lag = _period(window, frame, sampling_rate)
        if lag is not None:
            found.append(sampling_rate / lag)
    if not found:
        raise ValueError("no voiced frame")
    return float(np.median(found))


def _period(window: npt.NDArray[np.float64], frame: int, sampling_rate: int) -> int | None:
    """Samples per period of the frame at the start of `window`, or None where it is not voiced."""
    shortest, longest = sampling_rate // _HIGHEST_HZ, sampling_rate // _LOWEST_HZ
    head = window[:frame]
    energy = np.convolve(np.square(window), np.ones(frame), "valid")[:longest]
    similarity = np.correlate(window, head, "valid")[:longest] / np.sqrt(energy * np.dot(head, head) + 1e-12)
    best = float(similarity[shortest:].max())
    if best < _VOICED:
        return None
    inner = similarity[shortest:-1]
    peaks = (
        (inner >= similarity[shortest - 1 : -2])
        & (inner >= similarity[shortest + 1 :])
        & (inner >= _NEAR_BEST * best)
    )
    return shortest + int(np.flatnonzero(peaks)[0]) if peaks.any() else None

"""Two-channel calls whose talk is known: a buzz with vowel-like formants for each side, at given seconds."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Wave = npt.NDArray[np.float32]
Spans = tuple[tuple[float, float], ...]

# A talks for long, B listens: a backchannel at 8 s, then takes the floor at 20 s while A goes on until 21.5 s.
TALK_A: Spans = ((1.0, 4.0), (4.5, 14.0), (14.6, 21.5), (34.0, 38.0), (40.0, 45.0))
TALK_B: Spans = ((8.0, 8.6), (20.0, 33.0), (38.4, 39.5))
SECONDS = 46.0


@lru_cache(maxsize=16)
def voice(spans: Spans, rate: int, seconds: float = SECONDS, pitch_hz: float = 120.0) -> Wave:
    """One side of a call `[num_samples]`; made once, and not to be written to."""
    t = np.arange(round(seconds * rate)) / rate
    wave = np.zeros(len(t))
    for k in range(1, 25):
        if k * pitch_hz < rate / 2:
            weight = 1 / (1 + ((k * pitch_hz - 600) / 300) ** 2) + 0.05
            wave += weight * np.sin(2 * np.pi * pitch_hz * k * t + k * k)
    mask = np.zeros(len(t))
    for start, end in spans:
        mask[round(start * rate) : round(end * rate)] = 1
    made = np.asarray(0.1 * wave * mask, dtype=np.float32)
    made.flags.writeable = False
    return made


def call(
    rate: int = 8000,
    a: Spans = TALK_A,
    b: Spans = TALK_B,
    seconds: float = SECONDS,
    bleed_db: float | None = None,
) -> Wave:
    """`[num_samples, 2]`: both sides, each over a little noise, each heard in the other's channel at `bleed_db`."""
    sides = np.stack([voice(a, rate, seconds, 120.0), voice(b, rate, seconds, 187.0)], axis=1)
    if bleed_db is not None:
        delay = round(0.008 * rate)
        late = np.roll(sides[:, ::-1], delay, axis=0)
        late[:delay] = 0
        sides = sides + 10 ** (bleed_db / 20) * late
    noise = np.random.default_rng(7).normal(0, 2e-4, sides.shape)
    return np.asarray(sides + noise, np.float32)


def write_call(path: Path, samples: Wave, rate: int = 8000, subtype: str = "PCM_16") -> Path:
    """Write it, in the format that the suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path

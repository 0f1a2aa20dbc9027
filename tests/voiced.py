"""Recordings of nobody: a buzz in syllables, as loud, clean and long as a test wants it."""

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Wave = npt.NDArray[np.float32]

RATE_HZ = 24_000
TEXT = "She asked me to bring the keys, and then I forgot them at home."
"""Long enough for three to six seconds."""
SHORT_TEXT = "Yes, that is really wonderful."


@cache
def talk(
    f0_hz: float = 200.0, seconds: float = 3.4, rate_hz: int = RATE_HZ, noise_db: float = -50.0, seed: int = 0
) -> Wave:
    """`[num_samples]`: syllables in a rhythm of the seed, noise so far under them, 30 ms of silence at the ends."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    glide = 1 + 0.03 * np.sin(2 * np.pi * (0.3 + rng.random()) * time_s + rng.random())
    phase = 2 * np.pi * np.cumsum(f0_hz * glide) / rate_hz
    highest = int(0.4 * min(rate_hz, 20_000) / f0_hz)
    buzz = sum(np.sin(n * phase + rng.random()) / n for n in range(1, highest))
    beats = np.cumsum(0.2 + 0.15 * rng.random(round(seconds / 0.2)))
    syllables = np.interp(time_s, np.concatenate(([0.03], beats)), np.arange(len(beats) + 1) % 2.0)
    ends = (time_s > 0.03) & (time_s < seconds - 0.03)
    clean = buzz * np.clip(1.4 * np.sin(np.pi * syllables / 2) ** 2 - 0.4, 0, 1) * ends
    clean = 0.1 * clean / np.sqrt(np.mean(clean**2))
    noise = rng.normal(size=len(clean)) * 0.1 * 10 ** (noise_db / 20)
    samples = (clean + noise).astype(np.float32)
    samples.setflags(write=False)  # every test hears the same
    return samples


def encoded(
    samples: Wave, rate_hz: int = RATE_HZ, subtype: str = "PCM_16", file_format: str = "WAV"
) -> bytes:
    """A file of `[num_samples]` or `[num_samples, channels]`."""
    file = BytesIO()
    soundfile.write(file, samples, rate_hz, format=file_format, subtype=subtype)
    return file.getvalue()


def write_clip(path: Path, samples: Wave, rate_hz: int = RATE_HZ, subtype: str = "PCM_16") -> Path:
    """A wav file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(samples, rate_hz, subtype))
    return path

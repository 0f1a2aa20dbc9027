"""How loud each speaker of a dialogue is."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.core.loudness import integrated_loudness_lufs

TARGET_LUFS = -23.0
"""EBU R 128 programme loudness, per speaker over all of their clips in a dialogue."""
PEAK_DBFS = -3.0
"""No sample of one speaker exceeds this, so that a bystander (at most -11 dBFS) fits on the same track."""
MIN_BLOCK_S = 0.4
"""BS.1770 measures blocks of this length: shorter speech is repeated until it fills one."""


def speaker_gain_db(clips: Sequence[npt.NDArray[np.int16]], sampling_rate: int, target_lufs: float) -> float:
    """One gain for all clips of a speaker: to the loudness target, or as near as the peak limit allows.

    One gain, so that emotion and style keep their differences in level. Clips are `[num_samples]` int16.
    """
    speech = np.concatenate(clips).astype(np.float32) / 32_768.0
    peak = float(np.max(np.abs(speech)))
    if peak == 0.0:
        raise ValueError("clips are silent: there is no gain that makes them audible")
    repeats = -(-round(2 * MIN_BLOCK_S * sampling_rate) // len(speech))
    loudness = integrated_loudness_lufs(np.tile(speech, max(1, repeats)), sampling_rate)
    headroom_db = PEAK_DBFS - 20.0 * float(np.log10(peak))
    return round(min(target_lufs - loudness, headroom_db), 3)

"""Integrated loudness after ITU-R BS.1770-4, the measure that EBU R 128 normalises to -23 LUFS.

    samples -> K-weighting -> mean square per 400 ms block -> absolute gate -> relative gate -> LUFS
               (head, then   (a block every 100 ms)           -70 LUFS        10 LU below the
                high-pass)                                                    mean of what is left

The gates leave out silence, so a speaker who says little is not turned up for it.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.signal import sosfilt

from pipeline.domain.errors import ConfigError

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16] | npt.NDArray[np.float32] | npt.NDArray[np.float64]

_BLOCK_S = 0.4
_HOP_S = 0.1
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_OFFSET_LU = -0.691
"""Makes a 997 Hz sine at full scale in one channel read -3.01 LUFS (BS.1770-4, annex 1)."""


def integrated_loudness_lufs(samples: Samples, sampling_rate: int) -> float:
    """Loudness of a whole signal; -inf where no block is louder than -70 LUFS.

    `samples` is `[num_samples]` or `[num_samples, channels]`, float in -1...1 or int16; left and right weigh
    the same. A signal shorter than 400 ms is one block of its own length (the standard has none for it).

    >>> time = np.arange(48_000) / 48_000
    >>> round(integrated_loudness_lufs(np.sin(2 * np.pi * 997 * time), 48_000), 1)
    -3.0
    """
    channels = _as_channels(samples)
    weighted = sosfilt(k_weighting(sampling_rate), channels, axis=0)
    power = _block_power(np.sum(weighted * weighted, axis=1), sampling_rate)
    loud = power[power > _power(_ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return -math.inf
    gate = _power(_lufs(float(loud.mean())) + _RELATIVE_GATE_LU)
    return _lufs(float(loud[loud > gate].mean()))


def k_weighting(sampling_rate: int) -> Floats:
    """The two biquads of the K curve at any rate, `[2, 6]` second-order sections.

    The standard tabulates them at 48 kHz only. Their analogue prototypes (a high shelf of +4 dB around
    1.68 kHz for the head, a high-pass at 38 Hz) follow from B. De Man, "Evaluation of Implementations of
    the EBU R128 Loudness Measurement" (AES 145, 2018); the bilinear transform then gives
    the printed table at 48 kHz (tested to 1e-11) and the same curve elsewhere.
    """
    if sampling_rate < 8000:
        raise ConfigError(
            f"loudness: the K curve wants a sampling rate of 8000 Hz or more, got {sampling_rate} Hz"
        )
    gain = 10 ** (3.999843853973347 / 20)
    band = gain**0.4996667741545416
    k, damp, norm = _prewarped(1681.974450955533, 0.7071752369554196, sampling_rate)
    shelf = (gain + band * damp + k * k, 2 * (k * k - gain), gain - band * damp + k * k)
    shelf_section = [*(b / norm for b in shelf), 1.0, 2 * (k * k - 1) / norm, (1 - damp + k * k) / norm]
    k, damp, norm = _prewarped(38.13547087602444, 0.5003270373238773, sampling_rate)
    high_pass_section = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - damp + k * k) / norm]
    return np.array([shelf_section, high_pass_section])


def _prewarped(frequency_hz: float, quality: float, sampling_rate: int) -> tuple[float, float, float]:
    k = math.tan(math.pi * frequency_hz / sampling_rate)
    return k, k / quality, 1 + k / quality + k * k


def _as_channels(samples: Samples) -> Floats:
    if samples.ndim not in (1, 2) or not samples.size:
        raise ConfigError(f"loudness: wanted [n > 0] or [n > 0, channels] samples, got {list(samples.shape)}")
    scale = 1 / 32768 if np.issubdtype(samples.dtype, np.integer) else 1.0
    return np.asarray(samples, dtype=np.float64).reshape(len(samples), -1) * scale


def _block_power(squares: Floats, sampling_rate: int) -> Floats:
    """Mean square of every 400 ms block, one each 100 ms; edges on the nearest sample."""
    block = min(round(_BLOCK_S * sampling_rate), len(squares))
    hops = int((len(squares) - block) / (_HOP_S * sampling_rate) + 1e-9) + 1
    starts = np.minimum(np.rint(np.arange(hops) * _HOP_S * sampling_rate), len(squares) - block).astype(
        np.intp
    )
    total = np.concatenate(([0.0], np.cumsum(squares)))
    return np.asarray((total[starts + block] - total[starts]) / block)


def _lufs(power: float) -> float:
    return _OFFSET_LU + 10 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET_LU) / 10))

"""WAV in and out, without a library: what is uploaded is checked, what is sent is float32 or PCM16."""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .messages import Format

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_MOST_CHUNKS = 1000
"""Files of studios have some dozens."""


class WavError(ValueError):
    """Not a WAV file that can be read here."""


@dataclass(frozen=True)
class Wav:
    """Decoded: float32 `[num_samples]`, the mean of its channels."""

    samples: npt.NDArray[np.float32]
    rate_hz: int

    @property
    def duration_s(self) -> float:
        """Length."""
        return len(self.samples) / self.rate_hz


def write_wav(samples: npt.NDArray[np.float32], rate_hz: int, encoding: Format) -> bytes:
    """A mono WAV file.

    >>> len(write_wav(np.zeros(10, np.float32), 24000, "pcm16"))
    64
    """
    if encoding == "pcm16":
        code, width = _PCM, 2
        content = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    else:
        code, width = _FLOAT, 4
        content = samples.astype("<f4", copy=False).tobytes()
    description = struct.pack("<HHIIHH", code, 1, rate_hz, rate_hz * width, width, 8 * width)
    chunks = _chunk(b"fmt ", description) + _chunk(b"data", content)
    return _chunk(b"RIFF", b"WAVE" + chunks)


def read_wav(content: bytes) -> Wav:
    """PCM of 16, 24 or 32 bits or float32, any number of channels; raises WavError."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise WavError("no RIFF/WAVE header")
    chunks = _chunks(content)
    if b"fmt " not in chunks or b"data" not in chunks or len(chunks[b"fmt "]) < 16:
        raise WavError("no fmt or no data chunk")
    description = chunks[b"fmt "]
    code, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", description[:16])
    if code == _EXTENSIBLE and len(description) >= 26:
        (code,) = struct.unpack("<H", description[24:26])
    if not channels or not rate_hz:
        raise WavError(f"{channels} channels at {rate_hz} Hz")
    samples = _decode(chunks[b"data"], code, bits)
    whole = len(samples) // channels * channels
    mono = samples[:whole].reshape(-1, channels).mean(axis=1, dtype=np.float64).astype(np.float32)
    return Wav(mono, rate_hz)


def _decode(content: bytes, code: int, bits: int) -> npt.NDArray[np.float32]:
    content = content[: len(content) // (bits // 8 or 1) * (bits // 8 or 1)]
    if (code, bits) == (_PCM, 16):
        return (np.frombuffer(content, "<i2") / 32768).astype(np.float32)
    if (code, bits) == (_PCM, 24):
        raw = np.frombuffer(content, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(raw), 4), np.uint8)
        wide[:, 1:] = raw
        return (wide.reshape(-1).view("<i4").astype(np.float64) / 2**31).astype(np.float32)
    if (code, bits) == (_PCM, 32):
        return (np.frombuffer(content, "<i4").astype(np.float64) / 2**31).astype(np.float32)
    if (code, bits) == (_FLOAT, 32):
        return np.frombuffer(content, "<f4").astype(np.float32)
    raise WavError(f"encoding {code} with {bits} bits; wanted PCM of 16, 24 or 32 bits, or float32")


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _chunks(content: bytes) -> dict[bytes, bytes]:
    """The first chunk of each name; raises WavError."""
    found: dict[bytes, bytes] = {}
    position, num_read = 12, 0
    while position + 8 <= len(content):
        name = content[position : position + 4]
        (size,) = struct.unpack("<I", content[position + 4 : position + 8])
        num_read += 1
        if num_read > _MOST_CHUNKS:
            raise WavError(f"more than {_MOST_CHUNKS} chunks")
        found.setdefault(name, content[position + 8 : position + 8 + size])
        position += 8 + size + size % 2
    return found

"""Sound as servers send and take it.

    bytes --decode_wave--> float32 [num_samples] at the rate of the header
    float32 --encode_wave--> a wav file of 16 bits

A header that speaks of more sound than there is tells of an answer that was cut off; servers that stream do not
know the length beforehand and write zero, or the largest number there is.
"""

import io
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile

from pipeline.backends.server_errors import redact
from pipeline.domain.errors import BadTakeError
from pipeline.domain.takes import Flaw

_EXCERPT = 80
_PROBABLY_UNKNOWN = 0x7FFF0000
"""Streaming writers take the largest number there is, with a sign or without, or subtract the header from it."""


@dataclass(frozen=True, slots=True)
class Wave:
    """`samples` is `[num_samples]`, mono; it may hold what is no number."""

    samples: npt.NDArray[np.float32]
    sampling_rate: int
    warnings: tuple[str, ...] = ()


def decode_wave(content: bytes, who: str, secrets: tuple[str, ...]) -> Wave:
    """The sound in an answer. Raises BadTakeError for none, for something else, and for one that was cut off.

    What is no sound is quoted without `secrets`: some servers say 200 to a wrong key, and repeat it.
    """
    if not content:
        raise BadTakeError(Flaw.EMPTY, f"{who}: answered without one byte; wanted a wav file")
    try:
        samples, sampling_rate = soundfile.read(
            io.BytesIO(_settle_length(content, who)), dtype="float32", always_2d=True
        )
    except (soundfile.LibsndfileError, RuntimeError, ValueError):
        excerpt = redact(content.decode("utf-8", "replace"), secrets)[:_EXCERPT]
        raise BadTakeError(
            Flaw.ENGINE_FAILED, f"{who}: answered with no sound: {excerpt!r}; wanted a wav file"
        ) from None
    if not len(samples):
        raise BadTakeError(Flaw.EMPTY, f"{who}: answered with a wav file without a sample")
    channels = samples.shape[1]
    mono = samples[:, 0] if channels == 1 else samples.mean(axis=1, dtype=np.float32)
    warnings = () if channels == 1 else (f"{channels} channels were mixed to one",)
    return Wave(np.ascontiguousarray(mono, dtype=np.float32), int(sampling_rate), warnings)


def decode_pcm16(content: bytes, sampling_rate: int, who: str) -> Wave:
    """Headerless 16-bit samples, least significant byte first. Raises BadTakeError for none and for half a one."""
    if not content or len(content) % 2:
        raise BadTakeError(
            Flaw.EMPTY, f"{who}: answered with {len(content)} bytes; wanted 16-bit samples, two bytes each"
        )
    samples = np.frombuffer(content, dtype="<i2").astype(np.float32) / np.float32(32768)
    return Wave(samples, sampling_rate)


def encode_wave(samples: npt.NDArray[np.float32], sampling_rate: int) -> bytes:
    """A wav file of 16 bits; what is louder than full scale is clipped."""
    pcm = np.rint(np.clip(samples.astype(np.float64), -1.0, 1.0) * 32767).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, pcm, sampling_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def _settle_length(content: bytes, who: str) -> bytes:
    """A wav file whose header says how much sound follows it; anything else as it is.

    Raises BadTakeError where the header announces more than there is.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return content
    position = 12
    while position + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        position += 8
        there = len(content) - position
        if name == b"data":
            if size == 0 or size >= _PROBABLY_UNKNOWN:
                return content[: position - 4] + struct.pack("<I", there) + content[position:]
            if size > there:
                raise BadTakeError(
                    Flaw.ENGINE_FAILED, f"{who}: its sound was cut off: {size - there} bytes of {size} miss"
                )
            return content
        position += size + size % 2
    return content

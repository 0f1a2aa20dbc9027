"""Messages on a pipe: a 4-byte big-endian length and JSON; samples follow as little-endian float32."""

import asyncio
import os

import numpy as np
import numpy.typing as npt

LARGEST = 1 << 20
"""Bytes of one JSON message: anything longer is no message."""


class PipeClosedError(Exception):
    """The other end is gone, or says what is no message."""


def frame(body: bytes) -> bytes:
    """A message as it is written."""
    return len(body).to_bytes(4, "big") + body


def samples_to_bytes(samples: npt.NDArray[np.float32]) -> bytes:
    """Little-endian float32."""
    return samples.astype("<f4", copy=False).tobytes()


def samples_from_bytes(content: bytes) -> npt.NDArray[np.float32]:
    """Float32 `[num_samples]`."""
    return np.frombuffer(content, dtype="<f4").astype(np.float32)


def read_message(descriptor: int) -> bytes:
    """One message; raises PipeClosedError at the end of input."""
    size = int.from_bytes(_read_exactly(descriptor, 4), "big")
    if size > LARGEST:
        raise PipeClosedError(f"a message of {size} bytes")
    return _read_exactly(descriptor, size)


def write_all(descriptor: int, content: bytes) -> None:
    """Write until all of it is written."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


async def receive(reader: asyncio.StreamReader) -> bytes:
    """`read_message` for the parent, which must not block."""
    try:
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > LARGEST:
            raise PipeClosedError(f"a message of {size} bytes")
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        raise PipeClosedError("the pipe was closed") from error


async def receive_samples(reader: asyncio.StreamReader, num_samples: int) -> npt.NDArray[np.float32]:
    """The samples that a message announced."""
    try:
        return samples_from_bytes(await reader.readexactly(4 * num_samples))
    except asyncio.IncompleteReadError as error:
        raise PipeClosedError("the pipe was closed inside the audio") from error


def _read_exactly(descriptor: int, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(descriptor, size - len(parts))
        if not part:
            raise PipeClosedError("the pipe was closed")
        parts.extend(part)
    return bytes(parts)

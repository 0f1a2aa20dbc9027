"""The content-addressed store: clips and model replies, shared by all runs.

::

    outputs/store/
      clips/ab/<digest>.wav   mono PCM16        clips/ab/<digest>.json   its ClipRef, written last
      replies/cd/<digest>.json
"""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from pipeline.core.assembly import FULL_SCALE, to_pcm16
from pipeline.domain.chat import ChatReply
from pipeline.domain.errors import BackendError
from pipeline.domain.voice import Clip, ClipRef
from pipeline.io.audio import encode
from pipeline.io.files import write_bytes

_WAV_HEADER_BYTES = 44


class Store:
    """Implements ClipStore and ReplyStore on a directory. Safe for several threads and processes:
    equal addresses hold equal content, and every file appears whole."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find_clip(self, digest: str) -> ClipRef | None:
        """The stored clip's reference; None if it is absent or its audio is not all there."""
        audio, sidecar = self._clip_paths(digest)
        try:
            ref = ClipRef.from_line(sidecar.read_bytes())
            complete = audio.stat().st_size == _WAV_HEADER_BYTES + 2 * ref.num_samples
        except (OSError, ValidationError):
            return None
        return ref if complete else None

    def put_clip(self, digest: str, clip: Clip) -> ClipRef:
        """Store a clip as PCM16, rounded to nearest."""
        pcm = to_pcm16(clip.samples * np.float32(FULL_SCALE))
        ref = ClipRef(
            digest=digest,
            num_samples=len(pcm),
            sampling_rate=clip.sampling_rate,
            words=clip.words,
            engine=clip.engine,
        )
        audio, sidecar = self._clip_paths(digest)
        write_bytes(audio, encode(pcm, clip.sampling_rate, "wav"), durable=False)
        write_bytes(sidecar, ref.to_line().encode(), durable=False)
        return ref

    def load_clip(self, digest: str) -> npt.NDArray[np.int16]:
        """Samples `[num_samples]` int16. Raises BackendError if the clip is gone."""
        audio, _ = self._clip_paths(digest)
        try:
            content = audio.read_bytes()
        except OSError as error:
            raise BackendError(
                f"clip {digest} is not in the store ({error.strerror}: {audio}); run the speech stage again"
            ) from error
        return np.frombuffer(content, dtype="<i2", offset=_WAV_HEADER_BYTES)

    def find_reply(self, address: str) -> ChatReply | None:
        """The stored reply, or None."""
        try:
            return ChatReply.from_line(self._reply_path(address).read_bytes())
        except (OSError, ValidationError):
            return None

    def put_reply(self, address: str, reply: ChatReply) -> None:
        """Store a reply, whole or not at all."""
        write_bytes(self._reply_path(address), reply.to_line().encode(), durable=False)

    def _clip_paths(self, digest: str) -> tuple[Path, Path]:
        stem = self._directory / "clips" / digest[:2] / digest
        return stem.with_suffix(".wav"), stem.with_suffix(".json")

    def _reply_path(self, address: str) -> Path:
        digest = hashlib.sha256(address.encode()).hexdigest()
        return self._directory / "replies" / digest[:2] / f"{digest}.json"

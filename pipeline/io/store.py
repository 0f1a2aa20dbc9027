"""The content-addressed store: clips and model replies, shared by all runs.

::

    outputs/store/
      clips/ab/<digest>.wav   mono PCM16        clips/ab/<digest>.json   its ClipRef, written last
      replies/cd/<digest>.json

Addresses say what was asked, not what came back, so every entry carries the hash of its content: one that was
damaged counts as absent and is made again.
"""

import fcntl
import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from pipeline.core.assembly import FULL_SCALE, to_pcm16
from pipeline.domain.chat import ChatReply
from pipeline.domain.errors import BackendError
from pipeline.domain.record import Record
from pipeline.domain.voice import Clip, ClipRef
from pipeline.io.audio import write_audio
from pipeline.io.files import audio_file_digest, write_bytes

_LOCK = ".lock"
"""In each directory of clips: who holds it writes."""
_WAV_HEADER_BYTES = 44
_WAV_SIZE = slice(40, 44)
"""Where the header says how many bytes of samples follow."""


class StoredClip(Record):
    """What lies beside a clip's audio."""

    ref: ClipRef
    ref_sha256: str
    audio_digest: str


class StoredReply(Record):
    """A reply and its hash."""

    reply: ChatReply
    reply_sha256: str


class Store:
    """Implements ClipStore and ReplyStore on a directory. Safe for several threads and processes: of several who
    make a clip for one address the first one's stays, and every file appears whole."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find_clip(self, digest: str) -> ClipRef | None:
        """The stored clip's reference; None if it is absent or damaged."""
        audio, sidecar = self._clip_paths(digest)
        try:
            stored = StoredClip.from_line(sidecar.read_bytes())
            whole = audio_file_digest(audio) == stored.audio_digest
        except (OSError, ValidationError):
            return None
        sound = whole and stored.ref.fingerprint() == stored.ref_sha256 and stored.ref.digest == digest
        return stored.ref if sound else None

    def put_clip(self, digest: str, clip: Clip) -> ClipRef:
        """Store a clip as PCM16, rounded to nearest; what lies there already stays, and its reference is returned.

        Engines do not say a thing twice in the same way, and others may have taken the first clip into their records.
        """
        audio, _ = self._clip_paths(digest)
        audio.parent.mkdir(parents=True, exist_ok=True)
        with (audio.parent / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self.find_clip(digest) or self._write_clip(digest, clip)

    def _write_clip(self, digest: str, clip: Clip) -> ClipRef:
        pcm = to_pcm16(clip.samples * np.float32(FULL_SCALE))
        ref = ClipRef(
            digest=digest,
            num_samples=len(pcm),
            sampling_rate=clip.sampling_rate,
            words=clip.words,
            engine=clip.engine,
            making=clip.making,
        )
        audio, sidecar = self._clip_paths(digest)
        _, audio_digest = write_audio(audio, pcm, clip.sampling_rate, "wav")
        stored = StoredClip(ref=ref, ref_sha256=ref.fingerprint(), audio_digest=audio_digest)
        write_bytes(sidecar, stored.to_line().encode(), durable=False)
        return ref

    def load_clip(self, digest: str) -> npt.NDArray[np.int16]:
        """Samples `[num_samples]` int16. Raises BackendError if the clip is gone or cut short.

        Its hash is not looked at again: `find_clip` did when the clip was taken into a script, and reading
        clips is half the cost of retiming.
        """
        audio, _ = self._clip_paths(digest)
        try:
            content = audio.read_bytes()
        except OSError as error:
            raise BackendError(
                f"store: clip {digest} is not there ({error.strerror}: {audio}); remedy: run the speech stage again"
            ) from error
        declared = int.from_bytes(content[_WAV_SIZE], "little")
        if len(content) <= _WAV_HEADER_BYTES or declared != len(content) - _WAV_HEADER_BYTES:
            raise BackendError(
                f"store: clip {digest} is cut short: {audio}; remedy: run the speech stage again"
            )
        return np.frombuffer(content, dtype="<i2", offset=_WAV_HEADER_BYTES)

    def find_reply(self, address: str) -> ChatReply | None:
        """The stored reply; None if it is absent or damaged."""
        try:
            stored = StoredReply.from_line(self._reply_path(address).read_bytes())
        except (OSError, ValidationError):
            return None
        return stored.reply if stored.reply.fingerprint() == stored.reply_sha256 else None

    def put_reply(self, address: str, reply: ChatReply) -> None:
        """Store a reply, whole or not at all."""
        stored = StoredReply(reply=reply, reply_sha256=reply.fingerprint())
        write_bytes(self._reply_path(address), stored.to_line().encode(), durable=False)

    def _clip_paths(self, digest: str) -> tuple[Path, Path]:
        stem = self._directory / "clips" / digest[:2] / digest
        return stem.with_suffix(".wav"), stem.with_suffix(".json")

    def _reply_path(self, address: str) -> Path:
        digest = _sha256(address.encode())
        return self._directory / "replies" / digest[:2] / f"{digest}.json"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""Voices that are recorded prompts: uploaded once, kept for good, never replaced under the same name.

    voices/
      index.json          every reference, rewritten whole and renamed into place
      3f9a...c1.wav       recordings by the SHA-256 of their content

A voice has one reference per use: a neutral one, and beside it a short one for short lines (the model works
through prompt and text, so that a 6 s prompt makes a 1 s backchannel expensive and unstable) and one per emotion.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .messages import LABEL, NEUTRAL, Language, Reference
from .refusals import RefusalError
from .text import is_chinese
from .wav import Wav, WavError, read_wav

SHORTEST_S = 1.0
LONGEST_S = 30.0
LOWEST_RATE_HZ = 16_000
QUIETEST_DBFS = -45.0
ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class VoiceReference(BaseModel):
    """One recording of a voice, with what is said in it and by what right it is used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=ID)
    emotion: str = Field(default=NEUTRAL, pattern=LABEL)
    short: bool = False
    """For backchannels: 2 to 3 s, six words at most."""
    language: Language
    prompt_text: str = Field(min_length=1, max_length=300)
    licence: str = Field(min_length=1, max_length=200)
    consent: str = Field(min_length=1, max_length=500)
    """Who agreed to the use of this voice, where that is written down."""
    sha256: str
    duration_s: float
    sample_rate: int

    @property
    def key(self) -> str:
        """What an engine knows it by."""
        return f"{self.id}#{self.emotion}#{'short' if self.short else 'long'}#{self.sha256[:16]}"

    @property
    def use(self) -> tuple[str, str, bool]:
        """What there is one of."""
        return self.id, self.emotion, self.short


class _Index(BaseModel):
    voices: list[VoiceReference] = []


class Registry:
    """The directory of voices; one process writes it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._index = directory / "index.json"
        self._references: tuple[VoiceReference, ...] = ()
        if self._index.exists():
            self._references = tuple(_Index.model_validate_json(self._index.read_bytes()).voices)

    @property
    def references(self) -> tuple[VoiceReference, ...]:
        """All of them, in the order of their upload."""
        return self._references

    def of(self, voice: str) -> tuple[VoiceReference, ...]:
        """References of one voice; empty where there is no such voice."""
        return tuple(reference for reference in self._references if reference.id == voice)

    def as_prompt(self, reference: VoiceReference) -> Reference:
        """What an engine needs of it."""
        path = str(self._recording(reference.sha256))
        return Reference(key=reference.key, path=path, prompt_text=reference.prompt_text)

    def check(self, fields: dict[str, str], content: bytes) -> tuple[VoiceReference, bool]:
        """The reference that was uploaded, and whether it is new; raises RefusalError. Nothing is kept yet."""
        wav = _check_recording(content)
        sha256 = hashlib.sha256(content).hexdigest()
        if fields.get("sha256", sha256) != sha256:
            raise RefusalError(
                "invalid_request", f"wav: its sha256 is {sha256}, not the {fields['sha256'][:80]} of the form"
            )
        try:
            reference = VoiceReference.model_validate(
                {
                    **fields,
                    "language": fields.get("language") or _language_of(fields.get("prompt_text", "")),
                    "sha256": sha256,
                    "duration_s": round(wav.duration_s, 3),
                    "sample_rate": wav.rate_hz,
                }
            )
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise RefusalError("invalid_request", f"voice: {problems}") from None
        if reference.consent.strip().lower() in ("", "no", "false", "0", "none", "unknown"):
            raise RefusalError(
                "invalid_request",
                f"voice {reference.id!r}: consent is {reference.consent!r}; wanted who agreed, and where it is "
                "written down",
            )
        return reference, self._is_new(reference)

    def store_recording(self, reference: VoiceReference, content: bytes) -> None:
        """Write the recording where engines read it; without `add`, nobody asks for it."""
        path = self._recording(reference.sha256)
        if not path.exists():
            _replace(path, content)

    def drop_recording(self, reference: VoiceReference) -> None:
        """Take back what `store_recording` wrote, unless a voice that is kept has the same."""
        if all(one.sha256 != reference.sha256 for one in self._references):
            self._recording(reference.sha256).unlink(missing_ok=True)

    def add(self, reference: VoiceReference) -> None:
        """Keep it, whole or not at all: the recording is there, the index is renamed into place."""
        references = (*self._references, reference)
        index = _Index(voices=list(references)).model_dump(mode="json")
        _replace(self._index, json.dumps(index, ensure_ascii=False, indent=1).encode())
        self._references = references

    def _recording(self, sha256: str) -> Path:
        return self._directory / f"{sha256}.wav"

    def _is_new(self, reference: VoiceReference) -> bool:
        known = next((one for one in self._references if one.use == reference.use), None)
        if known is not None and known != reference:
            raise RefusalError(
                "invalid_request",
                f"voice {reference.id!r} is kept already with other content or rights for this use (recording "
                f"{known.sha256[:16]}); a voice is never replaced, for clips made with it stay in stores: choose "
                "another id",
            )
        return known is None


def _language_of(prompt_text: str) -> Language:
    return "zh" if is_chinese(prompt_text) else "en"


def _check_recording(content: bytes) -> Wav:
    """Decode it; raises RefusalError for what cannot be a prompt."""
    try:
        wav = read_wav(content)
    except WavError as error:
        raise RefusalError("invalid_request", f"wav: {error}") from None
    if wav.rate_hz < LOWEST_RATE_HZ:
        raise RefusalError("invalid_request", f"wav: {wav.rate_hz} Hz; wanted {LOWEST_RATE_HZ} Hz or more")
    if not SHORTEST_S <= wav.duration_s <= LONGEST_S:
        raise RefusalError(
            "invalid_request", f"wav: {wav.duration_s:.2f} s; wanted {SHORTEST_S:g} to {LONGEST_S:g} s"
        )
    if not np.isfinite(wav.samples).all():
        raise RefusalError("bad_audio", "wav: samples are not finite", details={"reason": "nan"})
    level_dbfs = 10 * np.log10(np.mean(wav.samples.astype(np.float64) ** 2) + 1e-12)
    if level_dbfs < QUIETEST_DBFS:
        raise RefusalError(
            "bad_audio",
            f"wav: {level_dbfs:.0f} dBFS; wanted {QUIETEST_DBFS:.0f} or more",
            details={"reason": "silent"},
        )
    return wav


def _replace(path: Path, content: bytes) -> None:
    """Write beside it, flush to the disk, rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

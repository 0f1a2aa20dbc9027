"""Voices, what is asked of a synthesizer, and the clips that are made of its takes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from pipeline.domain.emotional import Intensity, TagPlace
from pipeline.domain.labels import Emotion, Gender, Language, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.domain.takes import Kind, Making
from pipeline.domain.words import Word, ordered_inside


class Reference(Record):
    """A recording of a speaker, for engines that clone."""

    audio: str
    """Path, relative to the catalogue that names it."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of the audio file."""
    transcript: str = Field(min_length=1)
    """Word for word: engines speak what it holds too little or too much of."""
    duration_s: float = Field(gt=0)


class EmotionalReference(Record):
    """The same speaker in a mood that engines cannot be asked for."""

    emotion: Emotion
    reference: Reference


class Voice(Record):
    """One row of the catalogue: a speaker that a backend can render in one language."""

    voice_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Unique in the catalogue."""
    speaker: str = Field(pattern=r"^\S(.*\S)?$")
    """The person. Voices of one speaker in two languages share it, and share a split."""
    language: Language
    gender: Gender
    split: Split
    backend: str
    backend_voice: str
    """The engine's own name for it."""
    median_f0_hz: float | None = Field(default=None, gt=0)
    """Measured on the reference, or on the test sentence of its language; None: not measured."""
    formant_scale: float | None = Field(default=None, gt=0)
    """Formants relative to the engine's base voice (1.0); > 1 is a shorter vocal tract. None: not known."""
    licence: Licence
    reference: Reference | None = None
    """What a cloning engine is given; None for an engine's own voices."""
    short_reference: Reference | None = None
    """Two or three seconds: engines garble a short line after a long reference, and charge for its length."""
    emotional_references: tuple[EmotionalReference, ...] = ()
    consent: str | None = None
    """On what ground this person's voice may be synthesized; needed for a reference."""

    @model_validator(mode="after")
    def _consented(self) -> "Voice":
        cloned = self.reference or self.short_reference or self.emotional_references
        if cloned and not self.consent:
            raise ValueError(
                "a voice with a reference recording needs `consent`: on what ground it may be cloned"
            )
        return self

    def reference_for(self, emotion: Emotion, kind: Kind) -> Reference | None:
        """The recording to clone for a line: in its mood if there is one, short for a backchannel."""
        for one in self.emotional_references:
            if one.emotion is emotion:
                return one.reference
        return (self.short_reference if kind is Kind.BACKCHANNEL else None) or self.reference


class SpeechRequest(Record):
    """One clip that is wanted. Its fingerprint and the engine's make the clip's address in the store."""

    text: str
    language: Language
    voice: Voice
    emotion: Emotion
    style: Style
    seed: int = Field(ge=0, lt=2**31)
    intensity: Intensity = Intensity.CLEAR
    tags: tuple[TagPlace, ...] = ()
    """Sounds beside the words; an engine that has none of them leaves them out."""
    kind: Kind = Kind.TURN
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """Relative to the voice's own; pitch stays."""


_AT_ONCE = Making()
"""The first take was good, and nothing is worth saying of it."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Audio of one utterance that passed the quality gate, with word times; trimmed of silence at its ends.

    `samples` is float32 `[num_samples]`, -1...1, mono, contiguous and finite.
    """

    samples: npt.NDArray[np.float32]
    sampling_rate: int
    words: tuple[Word, ...]
    engine: str
    """`<engine>-<version>` that made it."""
    making: Making = _AT_ONCE

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32 or not len(self.samples):
            raise ValueError(
                f"a clip is float32 [n > 0], got {self.samples.dtype} {list(self.samples.shape)}"
            )
        if not np.isfinite(self.samples).all():
            raise ValueError("a clip's samples must be finite")
        if not ordered_inside(self.words, Span(start=0, end=len(self.samples))):
            raise ValueError("a clip's words must be ordered and lie inside it")


class ClipRef(Record):
    """A stored clip: mono PCM16 at the timeline's rate, and the words it speaks."""

    digest: str
    """Address in the store."""
    num_samples: int = Field(gt=0)
    sampling_rate: int = Field(gt=0)
    words: tuple[Word, ...] = Field(min_length=1)
    engine: str
    making: Making = _AT_ONCE

    @model_validator(mode="after")
    def _words_inside(self) -> "ClipRef":
        if not ordered_inside(self.words, Span(start=0, end=self.num_samples)):
            raise ValueError("a clip's words must be ordered and lie inside it")
        return self

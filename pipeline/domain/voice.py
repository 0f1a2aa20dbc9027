"""Voices, what is asked of a synthesizer, and the clips that come back."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from pipeline.domain.emotional import Intensity, TagPlace
from pipeline.domain.labels import Emotion, Gender, Language, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.domain.words import Word, ordered_inside


class Voice(Record):
    """One row of the catalogue: a speaker that a backend can render in one language."""

    voice_id: str
    """Unique in the catalogue."""
    speaker: str
    """The person. Voices of one speaker in two languages share it, and share a split."""
    language: Language
    gender: Gender
    split: Split
    backend: str
    backend_voice: str
    """The engine's own name for it."""
    median_f0_hz: float = Field(gt=0)
    """Measured on the catalogue's test sentence."""
    formant_scale: float = Field(gt=0)
    """Formants relative to the engine's base voice (1.0); > 1 is a shorter vocal tract."""
    licence: Licence


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


@dataclass(frozen=True, slots=True)
class Clip:
    """Rendered audio of one utterance, with word times; trimmed of leading and trailing silence.

    `samples` is float32 `[num_samples]`, -1...1, mono, contiguous and finite.
    """

    samples: npt.NDArray[np.float32]
    sampling_rate: int
    words: tuple[Word, ...]
    engine: str
    """`<engine>-<version>` that made it."""

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

    @model_validator(mode="after")
    def _words_inside(self) -> "ClipRef":
        if not ordered_inside(self.words, Span(start=0, end=self.num_samples)):
            raise ValueError("a clip's words must be ordered and lie inside it")
        return self

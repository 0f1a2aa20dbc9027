"""What a speech engine can do, what it answers, and why an answer may be no good.

SpeechRequest --engine--> Take --quality gate, word times--> Clip --store--> ClipRef
                            |
                            `-- Flaw: another seed, then another engine, then the dialogue is refused
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.domain.emotional import Tag
from pipeline.domain.flaws import Flaw as Flaw
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.domain.words import Word, ordered_inside


class Kind(StrEnum):
    """What an utterance is in its dialogue; engines treat short ones differently."""

    TURN = "turn"
    INTERRUPTION = "interruption"
    BACKCHANNEL = "backchannel"


class Capabilities(Record):
    """What an engine says of itself, asked once at the start."""

    engine: str = Field(min_length=1)
    """`<engine>-<model>@<revision>`: everything that changes the audio of an equal request."""
    languages: frozenset[Language]
    voices: frozenset[str] | None
    """Names of its own voices; None where it does not list them."""
    clones: bool
    """Whether it speaks with any voice of which it is given a reference clip."""
    emotions: frozenset[Emotion]
    """That it can be asked for; `neutral` counts. An emotional reference clip of a voice brings others."""
    tags: frozenset[Tag]
    """Sounds beside words that it can make."""
    seed: Literal["none", "best_effort", "exact"]
    """Whether equal seeds give equal audio."""
    word_times: bool
    longest_text: int = Field(ge=1)
    """Characters in one request."""
    max_in_flight: int = Field(ge=1)


@dataclass(frozen=True, slots=True)
class Take:
    """What an engine answered: `samples` is float32 `[num_samples]`, -1...1, mono, at the engine's own rate.

    Nothing has been checked but the shape: it may hold no sample, or samples that are no numbers. `words` is
    empty where the engine has no word times.
    """

    samples: npt.NDArray[np.float32]
    sampling_rate: int
    words: tuple[Word, ...]
    engine: str
    resolution_ms: float | None = None
    """Of the words' times; None: exact, or no words."""
    unapplied: tuple[str, ...] = ()
    """What was asked for and not done: `emotion`, `style`, `seed`, `speed`, `tags`. Sounds that an engine has none
    of are not asked of it."""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise ValueError(f"a take is float32 [n], got {self.samples.dtype} {list(self.samples.shape)}")
        if self.words and not ordered_inside(self.words, Span(start=0, end=len(self.samples))):
            raise ValueError("a take's words must be ordered and lie inside it")


class RefusedTake(Record):
    """A take that was not good enough."""

    engine: str
    seed: int
    flaw: Flaw
    detail: str


class Making(Record):
    """How a clip came to be."""

    refused: tuple[RefusedTake, ...] = ()
    """Takes before the one that was kept, in order."""
    lead_s: float = 0.0
    """Silence that was cut off before the first word."""
    tail_s: float = 0.0
    aligner: str | None = None
    """Who said when its words are spoken; None: the engine itself."""
    resolution_ms: float | None = None
    """Of the words' times; None: exact to a sample."""
    unapplied: tuple[str, ...] = ()
    """What was asked for and not done."""
    warnings: tuple[str, ...] = ()
    error_rate: float | None = None
    """Share of its words (Mandarin: characters) that a recogniser heard otherwise; None: nobody listened."""
    similarity: float | None = None
    """To its voice's reference; None: nobody compared, or it is too short to tell."""

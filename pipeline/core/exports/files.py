"""What an export consists of: files to be written, as values.

    mapping (core)                       stage                        io
    Dialogue -> TextFile, WavFile, ...   resamples, cuts, hands on    writes, whole or not at all

A format is a module that makes such values; nothing else has to know it.
"""

from dataclasses import dataclass

from pipeline.domain.labels import Track
from pipeline.domain.span import Span


@dataclass(frozen=True, slots=True)
class TextFile:
    """A UTF-8 text file; `path` is relative to the export's root, parts joined by `/`."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class WavFile:
    """A mono file, PCM16 as a rule, made from one track of one dialogue.

    Spans are in samples of the dialogue's clock::

        track   |== a ==|      |=== b ===|     |== c ==|
        keep                   |=== b ===|                  the rest is digital silence
        cut     [--------------)                            taken out: the file is shorter by it
        file                   |=== b ===|..............
        crop                   [---------)                  or: this and nothing else
        file                   |=== b ===|
    """

    path: str
    dialogue_id: str
    track: Track
    keep: tuple[Span, ...] | None
    """What is heard; None: the track as it is."""
    cut: Span | None = None
    sampling_rate: int = 16_000
    crop: Span | None = None
    """The part that the file holds; None: the whole track. Not together with `cut`."""
    float32: bool = False
    """Written as IEEE float32, -1...1: the PCM16 samples divided by 32,768."""

    def __post_init__(self) -> None:
        if self.cut is not None and self.crop is not None:
            raise ValueError(f"{self.path}: a part is taken out or taken, not both")


@dataclass(frozen=True, slots=True)
class CopyFile:
    """A file with the bytes of another one of this export: a hard link where the file system has them."""

    path: str
    of: str
    """Path of a file that comes earlier in the export."""


ExportFile = TextFile | WavFile | CopyFile

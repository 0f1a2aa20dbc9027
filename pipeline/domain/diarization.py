"""Who speaks when on one channel, as a diarizer hears it, and what its labels are made of.

::

    one channel -> chunks of some seconds -> local tracks per chunk -> labels of the recording
                     |..0..|                  0: ####    ##             A ####    ##
                        |..1..|               1:    ##                  B    ##
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.domain.record import Record
from pipeline.domain.span import Span

RATE_HZ = 16_000
"""Diarizers hear at this rate; their spans count its samples."""


class DiarizerChoice(Record):
    """Which diarizer is to be loaded, and how it runs."""

    model: str = Field(min_length=1)
    """A local directory with `config.yaml`, or the id of a model on the Hugging Face hub."""
    revision: str | None = None
    """Commit of a model on the hub."""
    device: Literal["cpu", "cuda"] = "cpu"
    segmentation_batch: int = Field(default=32, ge=1)
    embedding_batch: int = Field(default=32, ge=1)
    """16 on a GPU with 12 GB or less."""


@dataclass(frozen=True, slots=True)
class LocalTracks:
    """Who speaks inside each chunk, before anybody has a label: track 0 of two chunks may be two people.

    `active` is `[num_chunks, num_frames, num_tracks]` bool, the frames of a chunk evenly over its length.
    """

    starts: tuple[int, ...]
    """Of each chunk, in samples."""
    num_samples: int
    """Length of a chunk."""
    active: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.active.ndim != 3 or len(self.active) != len(self.starts):
            raise ValueError(
                f"local tracks: {len(self.starts)} chunks, activity of shape {self.active.shape}"
            )


@dataclass(frozen=True, slots=True)
class DiarizedSpeaker:
    """One label: its talkspurts by start, disjoint, and its voice, `[dim]`; None where it never spoke clearly."""

    label: str
    talkspurts: tuple[Span, ...]
    embedding: npt.NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Diarization:
    """Labelled speech of `num_samples` at 16 kHz; talkspurts of different speakers overlap where both talk."""

    num_samples: int
    speakers: tuple[DiarizedSpeaker, ...]
    local: LocalTracks

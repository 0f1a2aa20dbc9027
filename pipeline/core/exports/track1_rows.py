"""Lines of the files of HumDial Track 1, and of the manifest beside them."""

from typing import Literal

from pydantic import Field

from pipeline.core.exports.track1_names import Track1Layout
from pipeline.domain.emotional import EmotionalArc
from pipeline.domain.labels import Emotion, Language, Speaker, Split
from pipeline.domain.licence import Licence
from pipeline.domain.record import Record
from pipeline.domain.timeline import Provenance, Voicing


class Track1Turn(Record):
    """A turn of a line; which fields there are depends on the layout, and a field that is None is not written."""

    turn_id: int = Field(ge=1)
    text: str | None = None
    emotion: Emotion | None = None
    split_audio_file: str | None = None
    input_audio: str | None = None
    input_text: str | None = None
    input_emotion: Emotion | None = None
    response_text: str | None = None
    response_audio: str | None = None


class Track1Line(Record):
    """A dialogue of a JSONL file."""

    dialogue_id: str
    turns: tuple[Track1Turn, ...]

    def to_json(self) -> str:
        """The line without what is not there."""
        return self.model_dump_json(exclude_none=True)


class Track1File(Record):
    """A dialogue's line of one of the export's JSONL files."""

    path: str
    line: str


class Track1Clip(Record):
    """An audio file, and the part of the dialogue that it holds."""

    path: str
    speaker: Speaker
    start_s: float
    end_s: float
    num_samples: int = Field(gt=0)
    """At the file's own rate of 16 kHz."""


class Track1Dialogue(Record):
    """A line of `manifest.jsonl`: what one exported dialogue is and where it comes from."""

    export_id: str
    dialogue_id: str
    layout: Track1Layout
    generation: Literal[1, 2]
    lines: str
    """The official file that holds its line."""
    split: Split
    language: Language
    topic: str
    arc: EmotionalArc
    """Task, persona, and per user turn: feeling, intensity, cause, and the feeling of the words where it is another."""
    texts: tuple[str, ...]
    """Of the user turns, with tags: the test layouts leave them out."""
    responses: tuple[str, ...]
    clips: tuple[Track1Clip, ...]
    voices: tuple[Voicing, ...]
    licence: Licence
    provenance: Provenance


class Track1Row(Record):
    """What closing the export has to know of one dialogue."""

    export_id: str
    described: Track1Dialogue
    lines: tuple[Track1File, ...]

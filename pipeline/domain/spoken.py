"""A script whose spoken utterances have clips: what the speech stage makes and retiming starts from."""

from typing import Self

from pydantic import model_validator

from pipeline.domain.record import Record
from pipeline.domain.script import Script
from pipeline.domain.timeline import Voicing
from pipeline.domain.voice import ClipRef


class SpokenUtterance(Record):
    """The clip of one utterance."""

    utterance_id: str
    clip: ClipRef


class SpokenScript(Record):
    """A script, its voices and the clips of everything that is said."""

    script: Script
    voicing: tuple[Voicing, ...]
    clips: tuple[SpokenUtterance, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = {u.utterance_id for u in self.script.utterances} - self.script.unspoken()
        if {c.utterance_id for c in self.clips} != wanted or len(self.clips) != len(wanted):
            raise ValueError(
                f"{self.script.dialogue_id}: clips must cover exactly what is said: {sorted(wanted)}"
            )
        if len({c.clip.sampling_rate for c in self.clips}) != 1:
            raise ValueError(f"{self.script.dialogue_id}: clips differ in sampling rate")
        return self

    def clip(self, utterance_id: str) -> ClipRef:
        """Look one up by id; raises KeyError."""
        for entry in self.clips:
            if entry.utterance_id == utterance_id:
                return entry.clip
        raise KeyError(utterance_id)

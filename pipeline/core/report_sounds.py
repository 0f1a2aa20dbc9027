"""Sounds beside words in a run: how often each was written, and whether it is in the audio."""

from collections import Counter

from pydantic import Field

from pipeline.domain.emotional import Tag
from pipeline.domain.record import Record
from pipeline.domain.timeline import Timeline


class SoundRow(Record):
    """One tag, such as `[sigh]`, over all utterances that are heard."""

    tag: Tag
    written: int = Field(gt=0)
    left_out: int = Field(ge=0)
    """Of these, not in the audio, because the synthesizer cannot make the sound: all or none."""


class SoundTally:
    """Counts tags, dialogue by dialogue."""

    def __init__(self, rendered: frozenset[Tag]) -> None:
        """`rendered` is what the run's synthesizer can make."""
        self._rendered = rendered
        self._written: Counter[Tag] = Counter()

    def add(self, timeline: Timeline) -> None:
        """One more dialogue."""
        self._written.update(place.tag for s in timeline.supervisions for place in s.tags)

    def rows(self) -> tuple[SoundRow, ...]:
        """Tags that were written, in the order in which they are declared."""
        return tuple(
            SoundRow(tag=tag, written=count, left_out=0 if tag in self._rendered else count)
            for tag in Tag
            if (count := self._written[tag])
        )

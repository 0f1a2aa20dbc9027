"""Words in time."""

from enum import StrEnum

from pipeline.domain.record import Record
from pipeline.domain.span import Span


class TimeSource(StrEnum):
    """Where a word's times come from, best first."""

    ENGINE = "engine"
    ALIGNER = "aligner"
    ESTIMATE = "estimate"


class Word(Record):
    """One word with its span: an English word, one Chinese character, or one Latin word inside Chinese.

    The span counts from the start of the clip, or of the dialogue where a supervision holds the word.
    """

    text: str
    span: Span
    source: TimeSource
    cut: bool = False
    """Broken off inside this word: `text` is the part that is heard."""

    def shift(self, samples: int) -> "Word":
        """The same word, `samples` later: from the clip's clock to the dialogue's."""
        return Word(text=self.text, span=self.span.shift(samples), source=self.source, cut=self.cut)


def ordered_inside(words: tuple[Word, ...], bounds: Span) -> bool:
    """Whether words follow each other without overlap and lie inside `bounds`."""
    position = bounds.start
    for word in words:
        if word.span.start < position or word.span.end > bounds.end:
            return False
        position = word.span.end
    return True

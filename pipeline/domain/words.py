"""Words in time."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import ConfigDict

from pipeline.domain.span import Span


class TimeSource(StrEnum):
    """Where a word's times come from, best first."""

    ENGINE = "engine"
    ALIGNER = "aligner"
    ESTIMATE = "estimate"
    DETECTOR = "detector"
    """Voice activity: where somebody speaks, not which word."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its span: an English word, one Chinese character, or one Latin word inside Chinese.

    The span counts from the start of the clip, or of the dialogue where a supervision holds the word.
    A dataclass for the same reason as Span.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    text: str
    span: Span
    source: TimeSource
    cut: bool = False
    """Broken off inside this word: `text` is the part that is heard."""


def shift_words(words: tuple[Word, ...], samples: int) -> tuple[Word, ...]:
    """The same words, `samples` later: from the clip's clock to the dialogue's."""
    return tuple(
        [
            Word(word.text, Span(word.span.start + samples, word.span.end + samples), word.source, word.cut)
            for word in words
        ]
    )


def ordered_inside(words: tuple[Word, ...], bounds: Span) -> bool:
    """Whether words follow each other without overlap and lie inside `bounds`."""
    position = bounds.start
    for word in words:
        span = word.span
        if span.start < position:
            return False
        position = span.end
    return position <= bounds.end

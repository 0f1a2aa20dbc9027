"""Where a speaker who yields can stop: ends of words and of syllables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.span import Span
from pipeline.domain.words import TimeSource, Word

# One orthographic syllable: consonants, vowels, and the consonants that no following vowel claims.
_SYLLABLE = re.compile(r"[^aeiouy]*[aeiouy]+(?:[^aeiouy]*$|[^aeiouy](?=[^aeiouy]))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoppingPoint:
    """A sample of the clip at which to fall silent, and the words that have been heard by then."""

    sample: int
    words: tuple[Word, ...]


def syllables(word: str) -> tuple[str, ...]:
    """Split a word by its vowels, keeping every letter.

    >>> syllables("restaurant")
    ('res', 'tau', 'rant')
    """
    parts = _SYLLABLE.findall(word)
    if "".join(parts) != word or (len(parts) > 1 and parts[-1].lower() in ("e", "es")):
        return (word,)
    if len(parts) > 1 and re.fullmatch(r"[^aeiouy]*e", parts[-1], re.IGNORECASE):
        return (*parts[:-2], parts[-2] + parts[-1])  # a final silent e is no syllable
    return tuple(parts)


def stopping_points(words: Sequence[Word]) -> tuple[StoppingPoint, ...]:
    """Every word end and, inside longer words, every syllable end (times shared by letters)."""
    points = []
    for index, word in enumerate(words):
        before = tuple(words[:index])
        parts = syllables(word.text)
        for count in range(1, len(parts)):
            letters = sum(len(part) for part in parts[:count])
            sample = word.span.start + round(len(word.span) * letters / len(word.text))
            if word.span.start < sample < word.span.end:
                cut = Word(
                    text=word.text[:letters],
                    span=Span(start=word.span.start, end=sample),
                    source=TimeSource.ESTIMATE,
                    cut=True,
                )
                points.append(StoppingPoint(sample=sample, words=(*before, cut)))
        points.append(StoppingPoint(sample=word.span.end, words=(*before, word)))
    return tuple(points)


def choose_stop(words: Sequence[Word], after: int, wanted: int) -> StoppingPoint | None:
    """The stopping point nearest to `wanted` that lies behind sample `after`; None to finish instead.

    Finishing is what happens when the end of the last word is the nearest.
    """
    points = [point for point in stopping_points(words) if point.sample > after]
    if not points:
        return None
    nearest = min(points, key=lambda point: abs(point.sample - wanted))
    return None if len(nearest.words) == len(words) and not nearest.words[-1].cut else nearest


def heard_text(planned: str, words_heard: Sequence[Word], heads: str) -> str:
    """What is left of a text that broke off: `heads` is the text up to the last whole word.

    A broken word is written with a dash, as transcribers do: `a table for fo-`.
    """
    if words_heard and words_heard[-1].cut:
        return f"{heads} {words_heard[-1].text}-".strip() if heads else f"{words_heard[-1].text}-"
    return heads or planned

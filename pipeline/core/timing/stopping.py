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


@dataclass(frozen=True, slots=True)
class Yield:
    """When an interrupter starts and where its host stops, in samples of the host's clip."""

    onset: int
    stop: StoppingPoint | None
    """None: the host finishes its utterance."""


def plan_yield(words: Sequence[Word], earliest: int, latest: int, wanted: int, reaction: int) -> Yield | None:
    """Bring together an onset in `[earliest, latest]` and a stop that lies `reaction` samples behind it.

    A host stops at the end of a word or syllable only, so a stop can rarely lie exactly where an onset and a
    reaction time would put it. An onset has some freedom after its anchor: it takes up the difference, so
    that reaction times come out as drawn. Of the onsets that do, the one nearest to `wanted` is taken;
    where none does, the pair with the smallest error in reaction time::

        host       |== word ==|= syl =|= la =|= ble =|
        onset                  [earliest ... latest]
        reaction                   |---------|            ends on a boundary

    None where nothing of the host is left after `earliest`.
    """
    reaction = max(reaction, 1)  # a host that stops on the very sample of the onset was not interrupted
    best: tuple[int, int, int] | None = None
    points = stopping_points(words)
    for index, point in enumerate(points):
        onset = min(max(point.sample - reaction, earliest), latest)
        if point.sample <= onset:
            continue
        rank = (abs(point.sample - onset - reaction), abs(onset - wanted), index)
        best = rank if best is None or rank < best else best
    if best is None:
        return None
    point = points[best[2]]
    onset = min(max(point.sample - reaction, earliest), latest)
    return Yield(onset=onset, stop=None if best[2] == len(points) - 1 else point)


def heard_text(planned: str, words_heard: Sequence[Word], heads: str) -> str:
    """What is left of a text that broke off: `heads` is the text up to the last whole word.

    A broken word is written with a dash, as transcribers do: `a table for fo-`.
    """
    if words_heard and words_heard[-1].cut:
        return f"{heads} {words_heard[-1].text}-".strip() if heads else f"{words_heard[-1].text}-"
    return heads or planned

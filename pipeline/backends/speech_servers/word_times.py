"""When words are spoken, as a server says it, told by the words of our text.

    server   |Hello,|I    |'m  |well|-|known|        units of its own
    ours     |Hello |I'm       |well-known  |        words, as `pipeline.core.tokens` tells them

Letters are followed one by one: a unit's time is shared equally by its letters, so that a unit may hold several
words, and a word several units. Where the letters differ, the server said something else (or spells it
otherwise), and it has no times for us.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.tokens import words_of
from pipeline.domain.span import Span
from pipeline.domain.words import TimeSource, Word


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of text with its time, as a server gives it."""

    text: str
    start_s: float
    end_s: float


def words_from_units(
    units: Sequence[Unit], text: str, num_samples: int, sampling_rate: int, source: TimeSource
) -> tuple[Word, ...] | None:
    """The words of `text` in `[num_samples]`; None where the units do not spell it, or lie outside.

    >>> units = [Unit("Well-", 0.0, 0.2), Unit("known.", 0.2, 0.5)]
    >>> words_from_units(units, "Well-known.", 800, 1000, TimeSource.ENGINE)[0].span
    Span(start=0, end=500)
    """
    letters = [
        (letter, start_s, end_s) for unit in units for letter, start_s, end_s in _letters_in_time(unit)
    ]
    texts = words_of(text)
    spelled = [_letters(word) for word in texts]
    if "".join(letter for letter, _, _ in letters) != "".join(spelled):
        return None
    words: list[Word] = []
    at, free_from = 0, 0
    for index, (word, letters_of_word) in enumerate(zip(texts, spelled, strict=True)):
        mine = letters[at : at + len(letters_of_word)]
        at += len(letters_of_word)
        if not mine:
            return None
        to_come = len(texts) - 1 - index
        start = max(free_from, round(mine[0][1] * sampling_rate))
        end = max(start + 1, round(mine[-1][2] * sampling_rate))
        if start + 1 > num_samples - to_come:
            return None
        end = min(end, num_samples - to_come)
        words.append(Word(word, Span(start, end), source))
        free_from = end
    return tuple(words)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _letters_in_time(unit: Unit) -> list[tuple[str, float, float]]:
    letters = _letters(unit.text)
    step_s = (unit.end_s - unit.start_s) / max(len(letters), 1)
    return [
        (letter, unit.start_s + index * step_s, unit.start_s + (index + 1) * step_s)
        for index, letter in enumerate(letters)
    ]

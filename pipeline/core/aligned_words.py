"""What aligners say becomes words: every word of the text, in order, inside the clip, none empty.

Aligners speak of pieces: bytes of a character, half an English word, two characters at once::

    text      你  好  well-known
    pieces    |---|   |--| |---|      one piece for two characters, three for one word
    words     你|好   |well-known|
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.core.tokens import tokenize, words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason
from pipeline.domain.span import Span
from pipeline.domain.words import TimeSource, Word

SHORTEST_WORD_S = 0.02
_MOST_SQUEEZED = 0.5
"""An aligner that leaves more of the words no time has lost the way: its clock stood still."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters `[first, last)` of a text, said from `start_s` to `end_s`."""

    first: int
    last: int
    start_s: float
    end_s: float


def times_of_words(text: str, pieces: Sequence[Piece]) -> tuple[tuple[float, float], ...]:
    """Seconds from and to, for every word of a text that the pieces cover.

    A piece's time is shared evenly by its characters; blanks have no share.

    >>> times_of_words("你好", [Piece(0, 2, 0.0, 0.4)])
    ((0.0, 0.2), (0.2, 0.4))
    """
    said: dict[int, tuple[float, float]] = {}
    for piece in pieces:
        heard = [index for index in range(piece.first, piece.last) if not text[index].isspace()]
        step_s = (piece.end_s - piece.start_s) / max(len(heard), 1)
        for number, index in enumerate(heard):
            start_s, end_s = piece.start_s + number * step_s, piece.start_s + (number + 1) * step_s
            before = said.get(index, (start_s, end_s))
            said[index] = min(before[0], start_s), max(before[1], end_s)
    return tuple((said[first][0], said[last - 1][1]) for _, first, last in tokenize(text))


def straighten(steps: Sequence[int]) -> tuple[float, ...]:
    """Steps of a clock that should never run backwards: the longest series that does not is believed, and what
    lies between two believed steps is spread evenly over the way.

    >>> straighten([0, 3, 90, 5, 6])
    (0.0, 3.0, 4.0, 5.0, 6.0)
    """
    tails: list[int] = []  # tails[n]: the step at which the cheapest series of n + 1 ends
    before: list[int] = []
    for index, step in enumerate(steps):
        place = bisect_right([steps[tail] for tail in tails], step)
        before.append(tails[place - 1] if place else -1)
        tails[place : place + 1] = [index]
    believed: list[int] = []
    index = tails[-1] if tails else -1
    while index >= 0:
        believed.append(index)
        index = before[index]
    believed.reverse()
    known = [float(steps[index]) for index in believed]
    return tuple(np.interp(range(len(steps)), believed, known).tolist()) if believed else ()


def lay_words(
    text: str, times_s: Sequence[tuple[float, float]], num_samples: int, sampling_rate: int
) -> tuple[Word, ...]:
    """Words at their times, source ALIGNER; what overlaps, is empty or lies outside is moved as little as need be.

    >>> [word.span for word in lay_words("yes, well", [(0.1, 0.2), (0.2, 0.2)], 1000, 1000)]
    [Span(start=100, end=200), Span(start=200, end=220)]

    Raises RecordError where that would make up the times of most words.
    """
    words = words_of(text)
    if len(words) != len(times_s) or not words or num_samples < len(words):
        raise RecordError(
            Reason.BAD_AUDIO,
            f"word times: {len(times_s)} times for {len(words)} words in {num_samples} samples: {text!r}",
        )
    squeezed = sum(end_s <= start_s or start_s * sampling_rate >= num_samples for start_s, end_s in times_s)
    if squeezed > max(1.0, _MOST_SQUEEZED * len(words)):
        raise RecordError(
            Reason.BAD_AUDIO,
            f"word times: no time in the clip for {squeezed} of {len(words)} words: {text!r}",
        )
    shortest = max(1, min(round(SHORTEST_WORD_S * sampling_rate), num_samples // len(words)))
    spans: list[tuple[int, int]] = []
    position = 0
    for number, (start_s, end_s) in enumerate(times_s):
        room = num_samples - (len(words) - number) * shortest
        start = min(max(position, round(start_s * sampling_rate)), room)
        end = min(max(start + shortest, round(end_s * sampling_rate)), room + shortest)
        spans.append((start, end))
        position = end
    return tuple(
        Word(word, Span(start, end), TimeSource.ALIGNER)
        for word, (start, end) in zip(words, spans, strict=True)
    )

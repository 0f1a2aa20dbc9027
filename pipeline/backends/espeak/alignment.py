"""From the engine's events to one span per word.

The engine reports where words begin, not where they end, and not for every word: Chinese dictionary words
give one event for several characters, a brand name may give two, "a bit" gives one. So::

    events     word(我)      word(觉)              pause            word(很)
    stretch    |=================================|...............|============|
    anchors    ^0           ^1                                   ^3
    words      |    我      |    觉    |    得    |               |     很     |
                 engine        engine    estimate                    engine

A *stretch* is speech between two pauses; its edges are where the sound really starts and ends. Inside one,
words with an event are anchored at it, words without share the room after the anchor before them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pipeline.core.tokens import tokenize
from pipeline.domain.span import Span
from pipeline.domain.words import TimeSource, Word

SHORTEST_WORD_S = 0.02
"""An event that leaves a word less room than this is not believed."""

_VOWELS = re.compile(r"[aeiouyà-öø-ÿ]+", re.IGNORECASE)
Tokens = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """Something that the engine reported: what, at which code point of the text, at which sample.

    `pause` is the end of the sound before a pause; `end` closes a clause, pause included.
    """

    kind: Literal["word", "end", "pause", "phoneme"]
    position: int
    sample: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Words `[first, last)` spoken in samples `[start, end)` without a pause."""

    first: int
    last: int
    start: int
    end: int


def align(
    text: str, events: Sequence[EngineEvent], runs: Sequence[tuple[int, int]], sampling_rate: int
) -> tuple[Word, ...]:
    """Spans for every token of `text`: ordered, not empty, from the first audible sample to the last.

    `runs` are the audible stretches of the audio, on the same clock as the events. Events that contradict
    each other are ignored, and the words that they were about are estimated.
    Raises ValueError where there are more words than samples to put them in.
    """
    tokens = tokenize(text)
    shortest = round(SHORTEST_WORD_S * sampling_rate)
    anchors = _anchors(tokens, events)
    words: list[Word] = []
    for stretch in _stretches(tokens, events, runs, shortest):
        words.extend(_spread(tokens, anchors, stretch, shortest))
    return tuple(words)


def _anchors(tokens: Tokens, events: Sequence[EngineEvent]) -> dict[int, int]:
    """Token index -> sample of its first word event."""
    anchors: dict[int, int] = {}
    for event in events:
        if event.kind == "word":
            index = _token_at(tokens, event.position)
            if index < len(tokens):
                anchors.setdefault(index, event.sample)
    return anchors


def _token_at(tokens: Tokens, position: int) -> int:
    """The token that covers a code point, else the next one."""
    return sum(1 for _, _, end in tokens if end <= position)


def _pauses(tokens: Tokens, events: Sequence[EngineEvent]) -> Iterator[tuple[int, int, int]]:
    """(first token after it, start, end) of every pause that the events tell of."""
    start: int | None = None
    following: int | None = None
    for event in events:
        if event.kind == "pause" and start is None:
            start = event.sample
        elif event.kind == "end":
            following = sum(1 for _, begin, _ in tokens if begin < event.position)
        elif event.kind in ("word", "phoneme") and start is not None:
            if following is None and event.kind == "word":
                following = _token_at(tokens, event.position)
            if following is not None:
                yield following, start, event.sample
            start = following = None


def _stretches(
    tokens: Tokens, events: Sequence[EngineEvent], runs: Sequence[tuple[int, int]], shortest: int
) -> tuple[_Stretch, ...]:
    """Cut the words at the pauses; the whole is one stretch where that leaves no room for some of them."""
    whole = _Stretch(0, len(tokens), runs[0][0], runs[-1][1])
    stretches: list[_Stretch] = []
    first, start = whole.first, whole.start
    for following, pause_start, pause_end in _pauses(tokens, events):
        silence = _silence_within(runs, pause_start, pause_end)
        if silence is not None and first < following < whole.last:
            stretches.append(_Stretch(first, following, start, silence[0]))
            first, start = following, silence[1]
    stretches.append(_Stretch(first, whole.last, start, whole.end))
    if all(part.end - part.start >= shortest * (part.last - part.first) for part in stretches):
        return tuple(stretches)
    return (whole,)


def _silence_within(runs: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """The longest inaudible stretch that touches `[start, end)`: the acoustic side of a reported pause."""
    gaps = [
        (gap_start, gap_end)
        for (_, gap_start), (gap_end, _) in pairwise(runs)
        if gap_start < end and start < gap_end
    ]
    return max(gaps, key=lambda gap: gap[1] - gap[0], default=None)


def _spread(tokens: Tokens, anchors: dict[int, int], stretch: _Stretch, shortest: int) -> Iterator[Word]:
    """The words of one stretch."""
    believed = [(stretch.first, stretch.start)]
    for index in range(stretch.first + 1, stretch.last):
        sample = anchors.get(index)
        last_index, last_sample = believed[-1]
        if (
            sample is not None
            and sample - last_sample >= shortest * (index - last_index)
            and stretch.end - sample >= shortest * (stretch.last - index)
        ):
            believed.append((index, sample))
    ends = [*believed[1:], (stretch.last, stretch.end)]
    for (index, start), (next_index, end) in zip(believed, ends, strict=True):
        bounds = _share(tuple(word for word, _, _ in tokens[index:next_index]), start, end)
        for offset, (left, right) in enumerate(pairwise(bounds)):
            told = offset == 0 and index in anchors
            yield Word(
                text=tokens[index + offset][0],
                span=Span(start=left, end=right),
                source=TimeSource.ENGINE if told else TimeSource.ESTIMATE,
            )


def _share(words: tuple[str, ...], start: int, end: int) -> list[int]:
    """Borders that divide `[start, end)` between words by how much there is to say in each."""
    weights = [_weight(word) for word in words]
    total = sum(weights)
    said = 0.0
    borders = [start]
    for weight in weights:
        said += weight
        borders.append(start + round((end - start) * said / total))
    return borders


def _weight(word: str) -> float:
    """Syllables, counted as runs of vowels, and a little for each letter; a Chinese character is one."""
    return max(len(_VOWELS.findall(word.removesuffix("e"))), 1) + 0.1 * (len(word) - 1)

"""Sentence frames: written sentences with slots and alternatives, and a composer that renders them.

    "I missed the part about {about}. {Say it again|Once more, please}?"

`{name}` is a slot, `{a|b}` a choice (an empty side is allowed). A frame whose slots cannot all be filled is
not eligible: a sentence without a noun is better than one with a wrong noun.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TypeVar

import numpy as np

from pipeline.domain.labels import Emotion, Language

_BRACES = re.compile(r"\{([^{}]*)\}")
_SENTENCE_START = re.compile(r"(^|[.?!]\s+)([a-z])")
_SENTENCE = {
    Language.EN: re.compile(r"[^.?!]+[.?!]+"),
    Language.ZH: re.compile(r"[^。？！]+[。？！]+"),
}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Frame:
    """One written sentence (or two) with its address in the bank."""

    frame_id: str
    """`<language>/<file>/<section>/<number>`"""
    text: str
    emotion: Emotion = Emotion.NEUTRAL
    kind: str = ""
    """Which answers fit it, where a bank distinguishes (`vague`, `rejected` ...)."""

    def slots(self) -> frozenset[str]:
        """Names of the slots that must be filled.

        >>> sorted(Frame("x", "{Well|So}, about {topic}.").slots())
        ['topic']
        """
        return frozenset(inner for inner in _BRACES.findall(self.text) if "|" not in inner)

    def variants(self) -> tuple[str, ...]:
        """Every way to make its choices; slots stay.

        >>> Frame("x", "{Well|So}, about {topic}.").variants()
        ('Well, about {topic}.', 'So, about {topic}.')
        """
        parts = re.split(r"(\{[^{}]*\|[^{}]*\})", self.text)
        options = [
            part[1:-1].split("|") if part.startswith("{") and "|" in part else [part] for part in parts
        ]
        return tuple("".join(choice) for choice in product(*options))


@dataclass(slots=True)
class Composer:
    """Renders frames for one reply and remembers which ones it used.

    The choice is uniform among the eligible frames that this reply has not used yet: no favourites.
    """

    language: Language
    rng: np.random.Generator
    slots: Mapping[str, str]
    used: list[str] = field(default_factory=list)

    def pick(self, options: Sequence[T]) -> T:
        """One of several, uniformly. Raises ValueError on none."""
        return options[int(self.rng.integers(len(options)))]

    def chance(self, probability: float) -> bool:
        """A biased coin."""
        return bool(self.rng.random() < probability)

    def sample(self, options: Sequence[T], count: int) -> tuple[T, ...]:
        """Up to `count` different ones in random order."""
        order = self.rng.permutation(len(options))[:count]
        return tuple(options[int(index)] for index in order)

    def choose(self, frames: Iterable[Frame]) -> Frame:
        """One eligible frame."""
        eligible = [frame for frame in frames if frame.slots() <= self.slots.keys()]
        fresh = [frame for frame in eligible if frame.frame_id not in self.used]
        return self.pick(fresh or eligible)

    def render(self, frame: Frame) -> str:
        """The frame with choices made and slots filled; its id is noted down."""
        self.note(frame.frame_id)

        def fill(match: re.Match[str]) -> str:
            inner = match.group(1)
            return self.pick(inner.split("|")) if "|" in inner else self.slots[inner]

        text = _BRACES.sub(fill, frame.text)
        return capitalise(text) if self.language is Language.EN else text

    def say(self, frames: Iterable[Frame]) -> str:
        """Choose and render."""
        return self.render(self.choose(frames))

    def note(self, frame_id: str) -> None:
        """Remember that a frame was used."""
        if frame_id not in self.used:
            self.used.append(frame_id)

    def lead_in(self, lead: str, text: str) -> str:
        """Put a rendered lead before a sentence, as one would say it.

        `"Wait, "` + `"How long?"` -> `"Wait, how long?"`; a lead that ends a sentence keeps the capital.
        """
        if self.language is Language.ZH:
            return lead + text
        return capitalise(lead + (text if lead.rstrip().endswith((".", "?", "!")) else lower_first(text)))


def capitalise(text: str) -> str:
    """English sentences begin with a capital.

    >>> capitalise("wait. how long?")
    'Wait. How long?'
    """
    return _SENTENCE_START.sub(lambda match: match.group(1) + match.group(2).upper(), text)


def lower_first(text: str) -> str:
    """For continuing a sentence; the pronoun I keeps its capital.

    >>> lower_first("Keep it"), lower_first("I'd go")
    ('keep it', "I'd go")
    """
    if re.match(r"I\b", text):
        return text
    return text[:1].lower() + text[1:]


def split_sentences(text: str, language: Language) -> tuple[str, ...]:
    """Sentences with their end marks; a rest without one gets a full stop.

    >>> split_sentences("Yes. It works", Language.EN)
    ('Yes.', 'It works.')
    """
    stop = "." if language is Language.EN else "。"
    text = text.strip()
    if text and not re.search(r"[.?!。？！]$", text):
        text = re.sub(r"[,;:，；：、\-\s]+$", "", text) + stop
    parts = (match.group().strip() for match in _SENTENCE[language].finditer(text))
    return tuple(part for part in parts if re.search(r"\w", part))

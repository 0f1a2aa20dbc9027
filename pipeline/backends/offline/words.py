"""Words of a dialogue: word sets, a Chinese segmenter, and noun phrases that are safe to put into a sentence.

A wrong noun is worse than none: only nouns that a phrase bank lists are used, in English only where an
article or possessive stood before them, and always with `the`, so that number and countability cannot clash.
"""

import re
from functools import cache

from pipeline.backends.offline.lexicon import load_lexicon
from pipeline.core.tokens import words_of
from pipeline.domain.labels import Language

_HAN = re.compile(r"[\u3400-\u9fff]")
_DETERMINED = re.compile(
    r"\b(?:a|an|the|my|your|our|this|some|any)\s+(?:([a-z]{3,12})\s+)?([a-z]{3,14})"
    r"(?=\s*[,.?!]|\s+(?:for|in|on|at|to|from|with|near|that|which|and|or|is|are|was|I|we|you|today|tomorrow|now)\b|$)"
)


def is_han(text: str) -> bool:
    """Whether any Chinese character occurs."""
    return bool(_HAN.search(text))


@cache
def _segmenter() -> "_Cutter":
    # Imported on first use: building its dictionary takes longer than reading all banks.
    import rjieba

    return _Cutter(rjieba.Jieba())


class _Cutter:
    """rjieba behind a typed face."""

    def __init__(self, jieba: object) -> None:
        self._cut = jieba.cut  # type: ignore[attr-defined]

    def cut(self, text: str) -> tuple[str, ...]:
        return tuple(str(word) for word in self._cut(text))


def segment(text: str) -> tuple[str, ...]:
    """Chinese words in order; joined they are the text again.

    >>> segment("附近有地铁站吗")
    ('附近', '有', '地铁站', '吗')
    """
    return _segmenter().cut(text)


def vocabulary(text: str, language: Language) -> frozenset[str]:
    """Words of a text in the form in which banks list them: English lower case, also without a plural ending."""
    if language is Language.ZH:
        return frozenset(segment(text))
    words = {word.lower() for word in words_of(text)}
    return frozenset(words | {word[:-1] for word in words if word.endswith("s")})


def mentions(cues: frozenset[str], words: frozenset[str], text: str, language: Language) -> int:
    """How many of the cue words occur. Chinese cues of two and more characters are also found inside words."""
    if language is Language.EN:
        return len(cues & words)
    return sum(cue in words or (len(cue) > 1 and cue in text) for cue in cues)


def noun_phrase(text: str, language: Language, nouns: frozenset[str]) -> str | None:
    """The first noun of the text that a bank knows, as a phrase that fits after `about`.

    >>> noun_phrase("Could you book a cheap hotel for me?", Language.EN, frozenset({"hotel"}))
    'the cheap hotel'
    """
    if language is Language.ZH:
        return next((word for word in segment(text) if word in nouns and len(word) > 1), None)
    for match in _DETERMINED.finditer(text):
        modifier, noun = match.group(1), match.group(2)
        if noun not in nouns and not (noun.endswith("s") and noun[:-1] in nouns):
            continue
        if (
            modifier is None
            or modifier in load_lexicon(language).not_modifiers
            or modifier.endswith(("ly", "ed", "ing"))
        ):
            return f"the {noun}"
        return f"the {modifier} {noun}"
    return None


def gerund(verb: str) -> str:
    """The -ing form of a plain English verb.

    >>> gerund("quit"), gerund("make"), gerund("see")
    ('quitting', 'making', 'seeing')
    """
    if verb.endswith("e") and not verb.endswith("ee"):
        return f"{verb[:-1]}ing"
    if re.fullmatch(
        r"(?:[^aeiou]+|qu)[aeiou][bdgklmnprt]", verb.replace("qu", "q") if "qu" in verb else verb
    ):
        return f"{verb}{verb[-1]}ing"
    return f"{verb}ing"


def clean_topic(topic: str | None, language: Language) -> str | None:
    """A seed's own topic, if it can stand after `about`: a gerund, a phrase with an article, a Chinese phrase.

    >>> clean_topic("repotting a houseplant", Language.EN), clean_topic("see a doctor", Language.EN)
    ('repotting a houseplant', None)
    """
    if topic is None:
        return None
    topic = topic.strip()
    if language is Language.ZH:
        fits = 2 <= len(topic) <= 10 and all(is_han(char) for char in topic)
        return topic if fits else None
    words = topic.lower().split()
    if not 1 <= len(words) <= 7 or not re.fullmatch(r"[a-z' -]+", topic.lower()) or {"i", "you"} & set(words):
        return None
    gerund = re.fullmatch(r"[a-z]{3,}ing", words[0]) is not None and words[0] not in (
        "something",
        "nothing",
        "morning",
    )
    return " ".join(words) if len(words) > 1 and (gerund or words[0] in ("a", "an", "the")) else None

"""Words of a text: what anchors count and word times are given for."""

import re

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\u3007"
_TOKEN = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+(?:[\'\u2019\-][^\W_{_HAN}]+)*[\'\u2019]?")


def tokenize(text: str) -> tuple[tuple[str, int, int], ...]:
    """(word, start, end) of every word, positions in code points.

    A Chinese character is a word, a run of Latin letters is a word, an apostrophe or hyphen inside one
    belongs to it, punctuation belongs to none.

    >>> [word for word, _, _ in tokenize("It's a well-known 问题。")]
    ["It's", 'a', 'well-known', '问', '题']
    """
    return tuple((match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text))


def is_character(word: str) -> bool:
    """Whether a word is a Chinese character, which is spoken as one syllable."""
    return re.fullmatch(f"[{_HAN}]", word) is not None


def words_of(text: str) -> tuple[str, ...]:
    """The words alone."""
    return tuple(word for word, _, _ in tokenize(text))


def head(text: str, words: int) -> str:
    """The text up to and including its n-th word and the punctuation right after it."""
    tokens = tokenize(text)
    if words >= len(tokens):
        return text
    return text[: tokens[words][1]].rstrip()

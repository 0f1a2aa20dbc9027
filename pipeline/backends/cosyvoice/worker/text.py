"""What of a text is spoken, and how much of it there is: what bounds on its duration are counted in."""

import re
from dataclasses import dataclass

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\u3007]")
_WORD = re.compile(r"[^\W_]+(?:['\u2019\-][^\W_]+)*")

BEST_HAN = 60
BEST_WORDS = 45
"""One request is one chunk for the model, for the front end, which would split, is off. Up to here it is steady."""
LONGEST_HAN = 150
LONGEST_WORDS = 110
"""Some 30 s: beyond, a request is refused."""


@dataclass(frozen=True)
class Units:
    """Spoken characters and words.

    >>> count_units("好的, see you [laughter]")
    Units(han=2, words=2)
    """

    han: int
    words: int

    @property
    def is_empty(self) -> bool:
        """Nothing to say."""
        return not self.han and not self.words


def remove_tags(text: str, tags: tuple[str, ...]) -> str:
    """The text without sounds such as `[laughter]` and spans such as `<strong>`; what they enclose stays."""
    for tag in tags:
        text = text.replace(tag, " ")
    return text


def count_units(text: str) -> Units:
    """Han characters and words, tags such as `[breath]` and `</strong>` not counted."""
    bare = re.sub(r"\[[^\[\]]*\]|</?[A-Za-z_-]+>", " ", text)
    return Units(han=len(_HAN.findall(bare)), words=len(_WORD.findall(_HAN.sub(" ", bare))))


def is_chinese(text: str) -> bool:
    """Whether any of it is written in Han characters."""
    return bool(_HAN.search(text))

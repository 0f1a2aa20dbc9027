"""Texts with the sounds beside their words written in: `Two years. [sigh] And nothing back!`"""

import re
from collections.abc import Iterable

from pipeline.core.tokens import tokenize
from pipeline.domain.emotional import Tag, TagPlace
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason

TAG = re.compile(r"\[([^\[\]]*)\]")
"""A tag as the texts of Track 1 spell it; what is inside need not be known."""

_OPENING = "“‘（(《〈「『【"
"""Punctuation that belongs to what follows it. A straight quotation mark right after a word closes."""


def with_tags(text: str, tags: Iterable[TagPlace], language: Language) -> str:
    """The text with every tag after its n-th word and the punctuation that closes it.

    Chinese is written without spaces around tags.

    >>> with_tags("I see. Fine!", [TagPlace(tag=Tag.SIGH, words=2)], Language.EN)
    'I see. [sigh] Fine!'
    >>> with_tags("我知道。算了！", [TagPlace(tag=Tag.SIGH, words=3)], Language.ZH)
    '我知道。[sigh]算了！'

    Raises RecordError for a tag beyond the last word, and for brackets in the text itself: readers would take
    them for tags.
    """
    if "[" in text or "]" in text:
        raise RecordError(
            Reason.NOT_EXPORTABLE,
            f"{text!r} holds brackets, which readers take for tags; wanted words and punctuation",
        )
    tokens = tokenize(text)
    space = "" if language is Language.ZH else " "
    parts: list[str] = []
    done = 0
    for place in sorted(tags, key=lambda place: place.words):
        if place.words > len(tokens):
            raise RecordError(
                Reason.NOT_EXPORTABLE,
                f"[{place.tag.value}] after word {place.words} of {text!r}, which has {len(tokens)}; "
                "wanted a place among its words",
            )
        at = max(done, _end_of_word(text, tokens[place.words - 1][2]) if place.words else 0)
        parts += [text[done:at].strip(), f"[{place.tag.value}]"]
        done = at
    parts.append(text[done:].strip())
    return space.join(part for part in parts if part)


def _end_of_word(text: str, position: int) -> int:
    """Past the punctuation that closes the word which ends at `position`."""
    while position < len(text) and not text[position].isspace() and text[position] not in _OPENING:
        if text[position].isalnum():
            break
        position += 1
    return position


def tags_in(text: str) -> tuple[str, ...]:
    """What stands in brackets, as it is written.

    >>> tags_in("Fine. [sigh] [Laugh]")
    ('sigh', 'Laugh')
    """
    return tuple(match.group(1) for match in TAG.finditer(text))


def without_tags(text: str) -> str:
    """The words alone.

    >>> without_tags("I see. [sigh] Fine!")
    'I see. Fine!'
    """
    return " ".join(TAG.sub(" ", text).split())


KNOWN_TAGS = frozenset(tag.value for tag in Tag)

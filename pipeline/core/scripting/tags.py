"""Sounds beside words: `[sigh] Two years of rent!` <-> the words, and the sounds by their place among them."""

import re
from collections.abc import Sequence

from pipeline.core.tokens import tokenize, words_of
from pipeline.domain.emotional import Tag, TagPlace
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason

_BRACKETED = re.compile(r"[\[【]\s*([^\]】]*?)\s*[\]】]")
_KNOWN = {tag.value: tag for tag in Tag}


def split_tags(text: str) -> tuple[str, tuple[TagPlace, ...]]:
    """The words without the sounds, and the sounds by the number of words before them.

    >>> split_tags("Nothing back! [sigh] Nothing at all.")
    ('Nothing back! Nothing at all.', (TagPlace(tag=<Tag.SIGH: 'sigh'>, words=2),))

    Raises RecordError for a sound that is not in the closed set, and for one inside a word.
    """
    places, clean, at = [], "", 0
    for match in _BRACKETED.finditer(text):
        tag = _KNOWN.get(match.group(1).casefold().replace("_", " "))
        if tag is None:
            raise RecordError(
                Reason.INVALID_REPLY,
                f"{match.group()!r} is no known sound; wanted one of {', '.join(_KNOWN)}",
            )
        before, after = text[at : match.start()], text[match.end() :]
        if before[-1:].isascii() and before[-1:].isalnum() and after[:1].isascii() and after[:1].isalnum():
            raise RecordError(
                Reason.INVALID_REPLY,
                f"{match.group()!r} stands inside a word of {text!r}; wanted it between words",
            )
        clean = _join(clean, before)
        places.append(TagPlace(tag=tag, words=len(words_of(clean))))
        at = match.end()
    return _join(clean, text[at:]).strip(), tuple(places)


def _join(left: str, right: str) -> str:
    """Two pieces with one space between them at the most: the tag's own goes with the tag."""
    right = right.strip() if not left else right.lstrip()
    spaced = bool(left) and bool(right) and left[-1].isascii() and right[0].isascii()
    if spaced and right[0] in ",.;:!?":
        spaced = False
    return f"{left.rstrip()}{' ' if spaced else ''}{right}"


def insert_tags(text: str, tags: Sequence[TagPlace]) -> str:
    """The text with its sounds back in place, as HumDial's files have it.

    >>> insert_tags("Nothing back! Nothing at all.", [TagPlace(tag=Tag.SIGH, words=2)])
    'Nothing back! [sigh] Nothing at all.'
    """
    tokens = tokenize(text)
    pieces, done = [""], 0
    for place in sorted(tags, key=lambda one: one.words):
        at = tokens[place.words][1] if place.words < len(tokens) else len(text)
        pieces += [text[done:at].strip(), f"[{place.tag.value}]"]
        done = at
    between_sounds = " " if text.isascii() else ""
    result = ""
    for piece in (*pieces, text[done:].strip()):
        if result and piece:
            sounds = result[-1] == "]" and piece[0] == "["
            spaced = result[-1].isascii() and piece[0].isascii()  # Chinese is written without spaces
            result += between_sounds if sounds else " " * spaced
        result += piece
    return result

"""Texts with the sounds beside their words written in: `Two years. [sigh] And nothing back!`"""

from collections.abc import Sequence

from pipeline.core.scripting.tags import insert_tags
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import TagPlace
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason


def with_tags(text: str, tags: Sequence[TagPlace]) -> str:
    """`insert_tags`, for readers who have nothing but the text to tell tags from words.

    Raises RecordError for a tag beyond the last word, and for brackets in the text itself: readers would take
    them for tags.
    """
    if "[" in text or "]" in text:
        raise RecordError(
            Reason.NOT_EXPORTABLE,
            f"{text!r} holds brackets, which readers take for tags; wanted words and punctuation",
        )
    count = len(words_of(text))
    for place in tags:
        if place.words > count:
            raise RecordError(
                Reason.NOT_EXPORTABLE,
                f"[{place.tag.value}] after word {place.words} of {text!r}, which has {count}; "
                "wanted a place among its words",
            )
    return insert_tags(text, tags)

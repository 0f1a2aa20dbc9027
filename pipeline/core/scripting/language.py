"""Whether a reply is in the language that was asked for."""

from collections.abc import Sequence

from pipeline.core.tokens import is_character, words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason

MIN_OWN_SHARE = 0.5
"""Chinese names a Latin app or brand now and then; most of it is Chinese."""


def check_language(texts: Sequence[str], language: Language) -> None:
    """Refuse texts of which most words are written in another script than the language's.

    >>> check_language(["打开 wifi 就好了。"], Language.ZH)
    >>> check_language(["请把窗户打开。"], Language.EN)
    Traceback (most recent call last):
    pipeline.domain.errors.RecordError: wrong_language: 0 of 6 words are in letters of 'en'; wanted 50% or more
    """
    words = [word for text in texts for word in words_of(text)]
    own = sum(is_character(word) if language is Language.ZH else _is_latin(word) for word in words)
    if own < MIN_OWN_SHARE * len(words):
        raise RecordError(
            Reason.WRONG_LANGUAGE,
            f"{own} of {len(words)} words are in letters of {language.value!r}; wanted {MIN_OWN_SHARE:.0%} or more",
        )


def _is_latin(word: str) -> bool:
    return word[0] < "\u0250"

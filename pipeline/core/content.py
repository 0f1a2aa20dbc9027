"""Whether a clip says its text: what a recogniser heard, against what was asked for."""

from contextlib import suppress

from pydantic import Field

from pipeline.core.speakable import speakable
from pipeline.core.tokens import words_of
from pipeline.domain.errors import BadTakeError, RecordError
from pipeline.domain.labels import Language
from pipeline.domain.record import Record
from pipeline.domain.takes import Flaw, Kind


class ContentLimits(Record):
    """How much a transcript may differ. Recognisers err too: these are for garbled and missing words."""

    word_error_rate: float = Field(default=0.3, ge=0)
    """English: words."""
    character_error_rate: float = Field(default=0.3, ge=0)
    """Mandarin: characters."""
    from_words: int = Field(default=3, ge=1)
    """Shorter texts are not judged: recognisers hear interjections as anything."""


def error_rate(text: str, heard: str, language: Language) -> float:
    """Words (Mandarin: characters) that were replaced, left out or added, by those of the text (jiwer).

    >>> error_rate("It leaves at nine.", "it leaves at 9", Language.EN)
    0.0
    """
    import jiwer  # an extra: only who has a recogniser needs it

    wanted, found = (" ".join(_plain_words(said, language)) for said in (text, heard))
    return float(jiwer.wer(wanted, found)) if wanted else float(bool(found))


def is_judged(text: str, kind: Kind, limits: ContentLimits) -> bool:
    """Whether a transcript of this text would tell anything."""
    return kind is not Kind.BACKCHANNEL and len(words_of(text)) >= limits.from_words


def check_content(text: str, heard: str, language: Language, limits: ContentLimits) -> float:
    """The share that was heard otherwise. Raises BadTakeError where it is too much."""
    rate = error_rate(text, heard, language)
    allowed = limits.character_error_rate if language is Language.ZH else limits.word_error_rate
    if rate > allowed:
        raise BadTakeError(
            Flaw.WRONG_WORDS,
            f"heard {heard[:80]!r} for {text[:80]!r}: {rate:.0%} wrong; wanted {allowed:.0%} or less",
        )
    return rate


def _plain_words(text: str, language: Language) -> tuple[str, ...]:
    """Recognisers write numbers as digits; the script has them in words."""
    with suppress(RecordError):  # what cannot be read aloud was not said: it counts as it stands
        text = speakable(text, language)
    return tuple(word.casefold() for word in words_of(text))

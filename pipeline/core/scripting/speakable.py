"""Whether a text can be spoken as it stands."""

from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason


def check_speakable(text: str) -> None:
    """Refuse text without words, or with digits or markup left in it."""
    if not words_of(text):
        raise RecordError(Reason.NO_WORDS, f"nothing to say in {text!r}")
    unwanted = sorted({char for char in text if char.isdigit() or char in "[]{}<>|#*_/\\@&%$^~`=+"})
    if unwanted:
        raise RecordError(
            Reason.UNSPEAKABLE_TEXT, f"{text!r} holds {' '.join(unwanted)}; wanted words and punctuation only"
        )

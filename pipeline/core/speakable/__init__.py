"""Seed text to words that can be spoken.

    "I'll pay $12.50 at 3:30 (sighs) — Dr. Li"  ->  "I'll pay twelve dollars and fifty cents at three thirty,
                                                     Doctor Li"

An ordered table of rules per language; a new case is a new row and a new line in the test's table.
Interjections stay: they are what dialogue is made of.

    addresses -> markup and tags -> numbers -> words and symbols -> punctuation

What an engine then needs beyond words is in `clauses` (length, a stop at the end) and `languages` (whose
voice says it).
"""

import re

from pipeline.core.speakable import english, english_numbers, mandarin, mandarin_numbers
from pipeline.core.speakable.rules import HAN, SHARED, Rule, plain_characters
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason

_RULES: dict[Language, tuple[Rule, ...]] = {
    Language.EN: (english.ADDRESSES + SHARED + english_numbers.NUMBERS + english.WORDS + english.PUNCTUATION),
    Language.ZH: (
        mandarin.ADDRESSES + SHARED + mandarin_numbers.NUMBERS + mandarin.WORDS + mandarin.PUNCTUATION
    ),
}
_ROUNDS = 6
"""What one round leaves may be work for the next: `Dr.. Li` is `Dr. Li` first. Two or three are the most seen."""
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_ODD: dict[Language, re.Pattern[str]] = {
    Language.EN: re.compile(rf"[^{_LATIN}'\-,.?!;: ]"),
    Language.ZH: re.compile(rf"[^{_LATIN}{HAN}'\-，。？！；：、 ]"),
}


def speakable(text: str, language: Language) -> str:
    """Rewrite a text so that it holds nothing but words and the punctuation of its language.

    Idempotent. What comes out has no digit and no symbol: letters, Chinese characters (in Mandarin),
    apostrophes and hyphens inside words, and `, . ? ! ; :` or `，。？！；：、`.

    Raises RecordError(UNSPEAKABLE_TEXT) for what must not be guessed: web addresses with a query, foreign
    scripts, and text of which no word is left.
    """
    spoken = plain_characters(text)
    for _ in range(_ROUNDS):
        before = spoken
        for step in _RULES[language]:
            spoken = step.apply(spoken)
        spoken = spoken.strip()
        if spoken == before:
            break
    odd = sorted(set(_ODD[language].findall(spoken)))
    if odd:
        raise RecordError(
            Reason.UNSPEAKABLE_TEXT,
            f"speakable: wanted {language.value} words, got {''.join(odd)!r} in {text!r}",
        )
    if not words_of(spoken):
        raise RecordError(Reason.UNSPEAKABLE_TEXT, f"speakable: no word is left of {text!r}")
    return spoken

"""Whose voice says an utterance: one of its own language, unless the whole of it is in the other.

    我在看 Attack on Titan。     the Mandarin voice
    It is so much fun!           an English one, of the same speaker

Mixed sentences are every engine's weak spot, so a whole one in the other language goes to a voice of that
language. Inside a sentence nobody changes: a voice that changes in mid-sentence is another person.
"""

import re

from pipeline.core.speakable.rules import HAN
from pipeline.core.tokens import words_of
from pipeline.domain.labels import Language

_HAN = re.compile(f"[{HAN}]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_SHORTEST_FOREIGN = 3
"""Words: `OK.`, `iPhone` and `Thank you!` are said by the Mandarin voice."""
_WORDS_PER_CHARACTER = 0.6
"""English words that take as long as a Chinese character: about three a second against five."""


def voice_language(sentence: str, declared: Language) -> Language:
    """The language of the voice that says a sentence of a dialogue in the declared language.

    The rule rests on what engines can do: a Mandarin voice reads Latin words, an English one reads no Chinese
    characters. Hence in Mandarin only a sentence without any Chinese character leaves, and only from three words
    on; in English one leaves if its characters take longer to say than its English words.

    >>> voice_language("这个idea不错。", Language.ZH), voice_language("Have a nice day!", Language.ZH)
    (<Language.ZH: 'zh'>, <Language.EN: 'en'>)
    """
    scripts = [_script(word) for word in words_of(sentence)]
    han, latin = scripts.count(Language.ZH), scripts.count(Language.EN)
    if declared is Language.ZH:
        return Language.EN if not han and latin >= _SHORTEST_FOREIGN else Language.ZH
    return Language.ZH if han * _WORDS_PER_CHARACTER > latin else Language.EN


def _script(word: str) -> Language | None:
    if _HAN.match(word):
        return Language.ZH
    return Language.EN if _LATIN.match(word) else None

"""The seed's own words, where they can open an emotional dialogue.

Seeds come without their labels here, so a sentence must give its feeling away by a word, and its topic by
another; it has to be speakable, told by somebody about themselves, and must leave nobody unexplained.
"""

import re
from collections.abc import Iterator, Sequence

from pipeline.backends.offline.emotional_bank import EmotionalBank
from pipeline.backends.offline.frames import split_sentences
from pipeline.backends.offline.words import mentions, vocabulary
from pipeline.core.scripting.emotional_checks import check_names
from pipeline.core.scripting.steps import Line
from pipeline.core.scripting.validators import check_sentences
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import Feeling, Intensity, Topic
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Language, Speaker

LENGTH = {Language.EN: (6, 26), Language.ZH: (8, 40)}
"""Words of a usable sentence: less says nothing, more is a letter."""

_OF_ONESELF = {Language.EN: re.compile(r"\bI\b"), Language.ZH: re.compile("我(?!们)")}
_HANGING = {
    Language.EN: re.compile(
        r"\b(?:he|she|they|him|her|his|them|their|it|its|that|this|these|those|there|you|your|one|did|does|do"
        r"|then|so|who|what|which|else|too|also|neither|either|both|because|think|guess|suppose)\b|\b(?:it|that|he|she|there)['’]s|[?\"“”]",
        re.IGNORECASE,
    ),
    Language.ZH: re.compile(
        "[他她它你您这那哪谁咱？吗呢“”]|因为|所以|认为|活着|解脱|^(?:但|可是|是的|确实|而且)|我们|人家|对方|刚才说|也是|还是"
    ),
}
"""Whoever reads only this sentence would ask: who, what, where?"""
_NAME = re.compile(r"(?<=[a-z,;] )(?!I\b)[A-Z]")
"""A capital inside an English sentence."""


def own_words(lines: Sequence[Line], emotion: Emotion, topic: Topic, bank: EmotionalBank) -> str | None:
    """The first sentence of the seed's user that shows this feeling and is about this topic, without its full stop.

    None where there is none: the bank has words for every feeling.
    """
    cues = frozenset(cue for situation in bank.situations[topic] for cue in situation.cues)
    for sentence in _sentences(lines, bank.language):
        fits = _shows(sentence, emotion, bank) and _is_about(sentence, cues, bank.language)
        if fits and _is_usable(sentence, emotion, bank.language):
            return sentence.rstrip(' .!。！,，;；…~"”')
    return None


def _sentences(lines: Sequence[Line], language: Language) -> Iterator[str]:
    for line in lines:
        if line.speaker is Speaker.USER:
            yield from split_sentences(line.text, language)


def _shows(sentence: str, emotion: Emotion, bank: EmotionalBank) -> bool:
    """Words of this feeling, and of no other."""
    words = vocabulary(sentence, bank.language)
    shown = {e for e, cues in bank.cues.items() if mentions(cues, words, sentence, bank.language)}
    return shown == {emotion}


def _is_about(sentence: str, cues: frozenset[str], language: Language) -> bool:
    return mentions(cues, vocabulary(sentence, language), sentence, language) > 0


def _is_usable(sentence: str, emotion: Emotion, language: Language) -> bool:
    least, most = LENGTH[language]
    if not least <= len(words_of(sentence)) <= most or _HANGING[language].search(sentence):
        return False
    if not _OF_ONESELF[language].search(sentence) or _NAME.search(sentence):
        return False
    felt = Feeling(emotion=emotion, intensity=Intensity.CLEAR, cause=None)
    try:
        check_sentences([sentence], language)
        check_names([sentence], [felt], language, allowed=0)
    except RecordError:
        return False
    return True

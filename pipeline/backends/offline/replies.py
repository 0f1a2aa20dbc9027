"""What of the seed's own next turn an assistant could say.

A seed is often a chat between friends. Sentences that tell of the speaker's own life, ask back, or speak of
`us` are not an assistant's; reading stops at the first of them.
"""

import re

from pipeline.backends.offline.frames import split_sentences
from pipeline.backends.offline.lexicon import load_lexicon
from pipeline.core.tokens import words_of
from pipeline.domain.labels import Language

_MAX_WORDS = {Language.EN: 60, Language.ZH: 98}
_MIN_WORDS = {Language.EN: 3, Language.ZH: 5}
_MAX_SENTENCE_WORDS = {Language.EN: 28, Language.ZH: 45}
_MAX_SENTENCES = 4
_MIN_ADVICE_WORDS = {Language.EN: 8, Language.ZH: 14}

_PERSON = {
    Language.EN: re.compile(r"\b(?:he|she|him|her|his|hers|he's|she's)\b", re.IGNORECASE),
    Language.ZH: re.compile(r"(?<![其吉])他|她|^它"),
}
_VOCATIVE = re.compile(r",\s+[A-Z][a-z]+\s*[.!]|^[A-Z][a-z]+,\s+(?:you|we|the|it)\b")


def usable_reply(text: str, query: str, language: Language) -> tuple[str, ...]:
    """The leading sentences that an assistant could have said in answer to the query; possibly none.

    `he` and `she` are understood where the query names somebody.

    >>> usable_reply("Try rinsing it first. My wife does that. It works.", "How?", Language.EN)
    ('Try rinsing it first.',)
    """
    lexicon = load_lexicon(language)
    knows_somebody = lexicon.somebody.search(query) is not None
    taken: list[str] = []
    budget = _MAX_WORDS[language]
    for sentence in split_sentences(lexicon.greeting.sub("", text), language)[:6]:
        sentence = _polite(sentence, language)
        count = len(words_of(sentence))
        if not taken and lexicon.assent.search(sentence):
            continue
        if _is_personal(sentence, language) or count > min(budget, _MAX_SENTENCE_WORDS[language]):
            break
        if not knows_somebody and _PERSON[language].search(sentence):
            break
        if count < _MIN_WORDS[language] or len(taken) == _MAX_SENTENCES:
            break
        taken.append(sentence)
        budget -= count
    return tuple(taken)


def further_advice(turns: tuple[str, ...], language: Language) -> tuple[str, ...]:
    """Sentences of later turns that hold without the question they answered: instructions and conditions.

    >>> further_advice(("Yes, a bit. Keep the lid on for the first ten minutes.",), Language.EN)
    ('Keep the lid on for the first ten minutes.',)
    """
    lexicon = load_lexicon(language)
    return tuple(
        sentence
        for text in turns
        for sentence in (_polite(found, language) for found in split_sentences(text, language))
        if lexicon.advice.search(sentence)
        and not _is_personal(sentence, language)
        and not (lexicon.pronoun.search(sentence) or lexicon.between_people.search(sentence))
        and _MIN_ADVICE_WORDS[language] <= len(words_of(sentence)) <= _MAX_SENTENCE_WORDS[language]
    )


def _polite(sentence: str, language: Language) -> str:
    # Banks say 你; one answer should not change its form of address.
    return sentence.replace("您", "你") if language is Language.ZH else sentence


def _is_personal(sentence: str, language: Language) -> bool:
    lexicon = load_lexicon(language)
    rest = lexicon.allowed_self.sub("", sentence)
    return bool(lexicon.personal.search(rest) or _VOCATIVE.search(sentence))

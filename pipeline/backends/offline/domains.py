"""Which field of everyday life a dialogue belongs to, and which tips fit it."""

from pipeline.backends.offline.banks import Bank, Domain, Tip
from pipeline.backends.offline.words import mentions, noun_phrase, vocabulary

_QUERY_WEIGHT = 3
_TOPIC_WEIGHT = 4
_NOUN_WEIGHT = 2
_ENOUGH = 4


def detect_domain(bank: Bank, query: str, topic: str, context: str) -> Domain:
    """The field with the most cue words, those of topic and query counting most; `general` where the evidence is thin.

    One noun in the query is enough (3 x 2), one mention somewhere else in the dialogue is not.
    """
    sources = tuple(
        (vocabulary(text, bank.language), text, weight)
        for text, weight in ((query, _QUERY_WEIGHT), (topic, _TOPIC_WEIGHT), (context, 1))
    )
    best, best_score = bank.general, _ENOUGH - 1
    for domain in bank.domains:
        score = 0
        for words, text, weight in sources:
            score += weight * _NOUN_WEIGHT * mentions(domain.nouns, words, text, bank.language)
            score += weight * mentions(domain.cues, words, text, bank.language)
        if score > best_score:
            best, best_score = domain, score
    return best


def fitting_tips(bank: Bank, domain: Domain, text: str, without: frozenset[str]) -> tuple[Tip, ...]:
    """Tips of the field that fit the dialogue and were not given yet, then general ones.

    `text` decides about tips that hold for a part of the field only; `without` holds frame ids.
    """
    words = vocabulary(text, bank.language)
    found = [
        tip
        for tip in domain.tips
        if tip.say.frame_id not in without
        and (not tip.only_for or mentions(tip.only_for, words, text, bank.language))
    ]
    return tuple(found)


def find_topic(bank: Bank, domain: Domain, text: str) -> str:
    """A noun of the text that the bank knows, else the field's own name."""
    nouns = frozenset().union(*(other.nouns for other in bank.domains))
    return noun_phrase(text, bank.language, domain.nouns or nouns) or domain.label

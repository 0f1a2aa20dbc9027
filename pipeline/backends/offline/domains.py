"""Which field of everyday life a dialogue belongs to, and which tips fit it."""

from pipeline.backends.offline.banks import Bank, Domain, Tip
from pipeline.backends.offline.words import mentions, noun_phrase, vocabulary
from pipeline.domain.labels import Language

_NOUN_WEIGHT = 2
_ENOUGH = 2
_TOPIC_SHARE = 0.5
_PLAIN, _PLAIN_LEAD = 4, 1.4
_CONTEXT_SHARE, _CONTEXT_CAP = 0.25, 1.0


def detect_domain(bank: Bank, query: str, topic: str, context: str) -> Domain:
    """The field with the most cue words in query and topic; `general` where there are none.

    A noun counts as two. The rest of the dialogue only tips the balance: a restaurant mentioned later does not
    turn a question about hotels into one about food.
    """
    language = bank.language
    matter = f"{query} {topic}"
    own, near, far = (vocabulary(text, language) for text in (query, matter, context))
    best, best_score = bank.general, 0.0
    for domain in bank.domains:
        asked = _evidence(domain, own, query, language)
        score = max(_evidence(domain, near, matter, language), asked)
        if score >= _ENOUGH:
            # A task corpus names every field of a dialogue in its topic; what is asked for decides.
            total = (
                asked
                + _TOPIC_SHARE * (score - asked)
                + min(_CONTEXT_SHARE * _evidence(domain, far, context, language), _CONTEXT_CAP)
            )
            if total > best_score:
                best, best_score = domain, total
    return best


def prevailing_domain(bank: Bank, text: str) -> Domain | None:
    """The field that a whole dialogue is plainly about: much evidence, and far more than for any other."""
    words = vocabulary(text, bank.language)
    scores = sorted(
        ((_evidence(domain, words, text, bank.language), domain.name) for domain in bank.domains),
        reverse=True,
    )
    (best, name), (second, _) = scores[0], scores[1]
    if best < _PLAIN or best < _PLAIN_LEAD * second:
        return None
    return next(domain for domain in bank.domains if domain.name == name)


def _evidence(domain: Domain, words: frozenset[str], text: str, language: Language) -> int:
    nouns = mentions(domain.nouns, words, text, language)
    return _NOUN_WEIGHT * nouns + mentions(domain.cues, words, text, language)


def fitting_tips(bank: Bank, domain: Domain, text: str | None, without: frozenset[str]) -> tuple[Tip, ...]:
    """Tips of the field, then of the wider one, that fit the dialogue and were not given yet.

    `text` decides about tips that hold for a part of the field only, None lets all of them pass; `without`
    holds frame ids.
    """
    words = vocabulary(text or "", bank.language)
    wider = bank.wider(domain)
    found = [
        tip
        for tip in (*domain.tips, *(wider.tips if wider else ()))
        if tip.say.frame_id not in without
        and (text is None or not tip.only_for or mentions(tip.only_for, words, text, bank.language))
    ]
    return tuple(found)


def find_topic(bank: Bank, domain: Domain, text: str) -> str:
    """A noun of the text that the bank knows, else the field's own name."""
    nouns = frozenset().union(*(other.nouns for other in bank.domains))
    return noun_phrase(text, bank.language, domain.nouns or nouns) or domain.label


def names_a_field(bank: Bank, topic: str) -> bool:
    """Whether a topic is only the name of a field: good for a record, too vague to be spoken of."""
    return any(domain.label == topic for domain in bank.domains)

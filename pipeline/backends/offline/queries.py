"""Which turn of the seed is a question or request that a user could put to a voice assistant.

A candidate is a run of sentences of one user turn. It must stand on its own: no answer to something unseen, no
remark that only makes sense between two people. What is left is scored: requests and how-to questions first,
early turns first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipeline.backends.offline.frames import split_sentences
from pipeline.backends.offline.lexicon import load_lexicon
from pipeline.backends.offline.words import is_han
from pipeline.core.scripting.steps import Line
from pipeline.core.speakable import speakable
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Speaker

_LENGTH = {Language.EN: (4, 30), Language.ZH: (6, 45)}
_TURNS_READ = 8
_SENTENCES_READ = 12
_MAX_SENTENCES = 3
_FIRST_TURN, _PER_TURN = 1.2, 0.5
_NAMED = re.compile(r"\b(?:my|our|the|a|an|some|two|three)\s+[a-z]", re.IGNORECASE)


class QueryKind(StrEnum):
    """What the user wants; decides how the answer opens."""

    HOW = "how"
    FIND = "find"
    REQUEST = "request"
    STATEMENT = "statement"
    SAD = "sad"
    FACT = "fact"
    """A question that only the seed can answer."""


@dataclass(frozen=True, slots=True)
class Query:
    """One candidate."""

    sentences: tuple[str, ...]
    line: int
    """Index of its line in the seed."""
    whole_end: bool
    """It ends where the turn ends, so that the seed's next turn answers it."""
    kind: QueryKind
    score: float

    @property
    def text(self) -> str:
        """The sentences as one string."""
        return " ".join(self.sentences)


_KIND_SCORE = {
    QueryKind.HOW: 3.0,
    QueryKind.FIND: 3.0,
    QueryKind.REQUEST: 2.5,
    QueryKind.SAD: 2.5,
    QueryKind.FACT: 2.0,
    QueryKind.STATEMENT: 1.2,
}


def find_queries(lines: tuple[Line, ...], language: Language) -> tuple[Query, ...]:
    """Candidates, best first."""
    found = []
    user_lines = [index for index, line in enumerate(lines) if line.speaker is Speaker.USER]
    for order, index in enumerate(user_lines[:_TURNS_READ]):
        found += [_scored(query, order) for query in _candidates(lines[index].text, index, language)]
    return tuple(sorted(found, key=lambda query: (-query.score, query.line, query.text)))


def can_follow(text: str, language: Language) -> bool:
    """Whether a later user turn is a question to an assistant; it may point back to the first exchange."""
    low, high = _LENGTH[language]
    return (
        low <= len(words_of(text)) <= high
        and text.rstrip().endswith(("?", "？"))
        and is_han(text) is (language is Language.ZH)
        and not load_lexicon(language).between_people.search(text)
    )


def speakable_or_none(text: str, language: Language) -> str | None:
    """The text in speakable form; None for one that must not be guessed at."""
    try:
        return speakable(text, language)
    except RecordError:
        return None


def _candidates(text: str, line: int, language: Language) -> Iterator[Query]:
    spoken = speakable_or_none(text, language)
    if spoken is None or is_han(spoken) is not (language is Language.ZH):
        return
    spoken = load_lexicon(language).greeting.sub("", spoken)
    if language is Language.EN:
        spoken = re.sub(r",\s*(?:[A-Z][a-z]+|please)([.?!])", r"\1", spoken)
    sentences = split_sentences(spoken[:1].upper() + spoken[1:], language)[:_SENTENCES_READ]
    low, high = _LENGTH[language]
    for start in range(len(sentences)):
        for stop in range(start + 1, min(start + _MAX_SENTENCES, len(sentences)) + 1):
            run = sentences[start:stop]
            joined = " ".join(run)
            if low <= len(words_of(joined)) <= high and _stands_alone(run, language):
                kind = classify(joined, language)
                completeness = (stop - start) / len(sentences) - 0.3 * (start > 0)
                yield Query(run, line, stop == len(sentences), kind, completeness)


def _stands_alone(run: tuple[str, ...], language: Language) -> bool:
    lexicon = load_lexicon(language)
    if lexicon.dependent.search(run[0]) or lexicon.grave.search(" ".join(run)):
        return False
    joined = " ".join(run)
    if language is Language.ZH and re.search(r"[A-Za-z]{4,}", joined):
        return False
    return not lexicon.between_people.search(joined) and not _points_nowhere(joined, language)


def _points_nowhere(text: str, language: Language) -> bool:
    """Whether a pronoun comes before anything that it could stand for."""
    lexicon = load_lexicon(language)
    pronoun = lexicon.pronoun.search(text)
    if pronoun is None:
        return False
    named = lexicon.somebody if language is Language.ZH else _NAMED
    return not named.search(text[: pronoun.start()])


def classify(text: str, language: Language) -> QueryKind:
    """What kind of answer a query wants.

    >>> classify("Can you recommend a quiet cafe?", Language.EN).value
    'find'
    """
    lexicon = load_lexicon(language)
    for kind, pattern in (
        (QueryKind.SAD, lexicon.sad),
        (QueryKind.FIND, lexicon.find),
        (QueryKind.HOW, lexicon.how),
        (QueryKind.REQUEST, lexicon.request),
    ):
        if pattern.search(text):
            return kind
    return QueryKind.FACT if re.search(r"[?？]", text) else QueryKind.STATEMENT


def _scored(query: Query, order: int) -> Query:
    length = len(words_of(query.text))
    comfortable = 0.5 if 7 <= length <= 26 else 0.0
    score = (
        query.score
        + _KIND_SCORE[query.kind]
        + comfortable
        + (_FIRST_TURN if order == 0 else -_PER_TURN * order)
    )
    return Query(query.sentences, query.line, query.whole_end, query.kind, score)

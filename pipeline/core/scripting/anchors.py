"""From a quoted place to a word index."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.tokens import tokenize, words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason

_SENTENCE = re.compile(r"[^.?!。？！]*[.?!。？！]+[\"\'”’」』)）]*\s*|[^.?!。？！]+$")


@dataclass(frozen=True, slots=True)
class Place:
    """After the n-th word of a sentence."""

    sentence: int
    words: int
    char: int
    """Where the quote ends in the sentence, in code points."""


def locate(quote: str, sentences: Sequence[str]) -> Place:
    """Find the words that a quote ends with.

    Case, white space and outer punctuation of the quote do not matter; its words do.

    >>> locate("the green", ["Take a bus.", "Then the green line."])
    Place(sentence=1, words=3, char=14)

    Raises RecordError: QUOTE_NOT_FOUND if no sentence, or more than one place, has these words in a row.
    """
    wanted = [word.casefold() for word in words_of(quote)]
    places = []
    for index, sentence in enumerate(sentences):
        tokens = tokenize(sentence)
        words = [word.casefold() for word, _, _ in tokens]
        for start in range(len(words) - len(wanted) + 1):
            if wanted and words[start : start + len(wanted)] == wanted:
                end = start + len(wanted)
                places.append(Place(sentence=index, words=end, char=tokens[end - 1][2]))
    if len(places) != 1:
        found = "is not there" if not places else f"occurs {len(places)} times"
        raise RecordError(
            Reason.QUOTE_NOT_FOUND, f"the quote {quote!r} {found}; wanted: exactly once in the host turn"
        )
    return places[0]


def split_sentences(text: str) -> tuple[str, ...]:
    """Sentences with their final punctuation.

    >>> split_sentences("Wait. Which one?")
    ('Wait.', 'Which one?')
    """
    parts = tuple(part.strip() for part in _SENTENCE.findall(text))
    return tuple(part for part in parts if words_of(part))

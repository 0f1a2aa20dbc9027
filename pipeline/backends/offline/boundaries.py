"""Places inside a sentence where somebody may break in, and the quote that names such a place.

"Get everything chopped first, because once the pan is hot there's no time."
                             ^ comma                      rank 0
"Keep an eye on it and stir now and then."
                    ^ before a conjunction                rank 1
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.backends.offline.lexicon import Lexicon, load_lexicon
from pipeline.backends.offline.words import segment
from pipeline.core.tokens import tokenize
from pipeline.domain.labels import Language


@dataclass(frozen=True, slots=True)
class Limits:
    """How far from the ends of a sentence a place must stay, in words (Chinese: characters)."""

    before: int
    after: int
    quote: int
    """Length that a quote starts with."""


LIMITS = {Language.EN: Limits(before=3, after=2, quote=4), Language.ZH: Limits(before=4, after=3, quote=6)}


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place after the n-th word of a sentence."""

    words: int
    """Heard before it."""
    rest: int
    """Words of the sentence after it."""
    rank: int
    """0 after a comma, 1 before a conjunction, 2 before a preposition or verb phrase, 3 between any two words."""


def find_boundaries(sentence: str, language: Language) -> tuple[Boundary, ...]:
    """Allowed places in order; never inside a number or a name, never at an edge."""
    tokens = tokenize(sentence)
    limits, lexicon = LIMITS[language], load_lexicon(language)
    cuts = _word_starts(sentence) if language is Language.ZH else frozenset()
    found = []
    for words in range(limits.before, len(tokens) - limits.after + 1):
        (left, _, end), (right, next_start, _) = tokens[words - 1], tokens[words]
        between = sentence[end:next_start]
        if _joined(left, right, lexicon) and not between.strip():
            continue
        if re.search(r"[,;:，；：、]", between):
            rank: int | None = 0
        elif language is Language.EN:
            rank = _english_rank(left.lower(), right.lower(), lexicon)
        else:
            rank = _chinese_rank(sentence, next_start, cuts, lexicon)
        if rank is not None:
            found.append(Boundary(words, len(tokens) - words, rank))
    return tuple(found)


def quote_for(turn: tuple[str, ...], index: int, words: int, language: Language) -> str | None:
    """The last words before a place, as many as it takes to occur only once in the turn; None if that fails."""
    sentence = turn[index]
    tokens = tokenize(sentence)
    joined = "\n".join(turn)
    end = tokens[words - 1][2]
    for length in range(min(LIMITS[language].quote, words), words + 1):
        quote = sentence[tokens[words - length][1] : end]
        if sum(1 for _ in _occurrences(quote, joined)) == 1:
            return quote
    return None


def _occurrences(needle: str, text: str) -> Iterator[int]:
    position = text.find(needle)
    while position >= 0:
        yield position
        position = text.find(needle, position + 1)


def _joined(left: str, right: str, lexicon: Lexicon) -> bool:
    """Whether two neighbours are parts of one number or one name."""
    if left.lower() in lexicon.numbers and right.lower() in lexicon.numbers:
        return True
    return all(word[:1].isupper() and word != "I" and not word.startswith("I'") for word in (left, right))


def _english_rank(left: str, right: str, lexicon: Lexicon) -> int | None:
    if left in lexicon.clinging or left in lexicon.numbers or right in lexicon.leaning:
        return None
    if right in lexicon.linking:
        return 1
    return 2 if right in lexicon.prepositions else 3


def _word_starts(sentence: str) -> frozenset[int]:
    starts, position = set(), 0
    for word in segment(sentence):
        starts.add(position)
        position += len(word)
    return frozenset(starts)


def _chinese_rank(sentence: str, position: int, cuts: frozenset[int], lexicon: Lexicon) -> int | None:
    if position not in cuts or sentence[position - 1] in lexicon.numbers:
        return None
    if (
        sentence.startswith(tuple(lexicon.leaning), position)
        or _last_word(sentence, position, cuts) in lexicon.clinging
    ):
        return None
    if sentence.startswith(tuple(lexicon.linking), position):
        return 1
    return 2 if sentence.startswith(tuple(lexicon.prepositions), position) else 3


def _last_word(sentence: str, position: int, cuts: frozenset[int]) -> str:
    start = max((cut for cut in cuts if cut < position), default=0)
    return sentence[start:position]

"""How varied the texts of a run are: distinct-n over equally many words, self-BLEU over equally many dialogues.

Both depend on how much is looked at (the more words, the more of them were there before), so two runs are
measured on the same amount: dialogues in an order that depends on their ids alone, as many words of each run as
the smaller one has. Dialogues that both runs have come in the same order in both.

A word is what anchors count: an English word, one Chinese character. Case does not matter. No n-gram reaches from
one turn into the next.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from pipeline.core.seeding import draw_uniform
from pipeline.core.tokens import words_of
from pipeline.domain.record import Record
from pipeline.domain.script import Script

MAX_WORDS = 100_000
"""Per run and language. Enough for four digits; a fixed limit keeps figures of large runs comparable."""
MAX_DIALOGUES = 200
"""For self-BLEU."""
LONGEST = 4
"""Of self-BLEU's n-grams."""
_EPSILON = 0.1

Words = tuple[str, ...]
Gram = tuple[str, ...]
Document = tuple[Words, ...]
"""The turns of one dialogue."""


class Diversity(Record):
    """Of one run, in one language."""

    words: int = Field(ge=0)
    """That distinct-n looked at."""
    distinct: tuple[float | None, float | None, float | None]
    """Distinct-1, -2, -3: different n-grams / all n-grams. None where there is no n-gram."""
    dialogues: int = Field(ge=0)
    """That self-BLEU looked at."""
    self_bleu: float | None
    """Mean self-BLEU-4, 0 (nothing in common) to 1 (all the same); None of fewer than two dialogues."""


@dataclass(slots=True)
class Sample:
    """The first dialogues of a run by an order of ids, as many as diversity is measured on; forgets the rest."""

    _kept: list[tuple[float, str, Document]] = field(default_factory=list)
    _words: int = 0

    def add(self, dialogue_id: str, document: Document) -> None:
        """Take one more into consideration."""
        rank = draw_uniform(0, "diversity", dialogue_id, "order")
        self._kept.append((rank, dialogue_id, document))
        self._words += _length(document)
        if self._words > 2 * MAX_WORDS and len(self._kept) > 2 * MAX_DIALOGUES:
            self._trim()

    def documents(self) -> tuple[Document, ...]:
        """In order: MAX_WORDS of words at least and MAX_DIALOGUES at least, where there are so many."""
        self._trim()
        return tuple(document for _, _, document in self._kept)

    def _trim(self) -> None:
        self._kept.sort()
        words = 0
        for index, (_, _, document) in enumerate(self._kept):
            if words >= MAX_WORDS and index >= MAX_DIALOGUES:
                del self._kept[index:]
                break
            words += _length(document)
        self._words = words


def spoken_turns(script: Script) -> dict[int, Words]:
    """The words of each turn by its number, without utterances that an interruption leaves unsaid.

    Where in its sentence a host breaks off is for timing to say; here the sentence is whole.
    """
    unsaid = script.unsaid()
    turns: dict[int, list[str]] = {}
    for utterance in script.utterances:
        if utterance.utterance_id not in unsaid:
            turns.setdefault(utterance.turn, []).extend(words_of(utterance.text.casefold()))
    return {turn: tuple(words) for turn, words in turns.items()}


def compare_diversity(one: Sequence[Document], other: Sequence[Document]) -> tuple[Diversity, Diversity]:
    """Both on the same number of words and of dialogues."""
    words = min(MAX_WORDS, *(sum(map(_length, documents)) for documents in (one, other)))
    dialogues = min(MAX_DIALOGUES, len(one), len(other))
    return measure_diversity(one, words, dialogues), measure_diversity(other, words, dialogues)


def measure_diversity(documents: Sequence[Document], words: int, dialogues: int) -> Diversity:
    """On the first so many words, and the first so many dialogues."""
    turns = tuple(_first_words(documents, words))
    return Diversity(
        words=sum(map(len, turns)),
        distinct=(distinct(turns, 1), distinct(turns, 2), distinct(turns, 3)),
        dialogues=dialogues,
        self_bleu=self_bleu(documents[:dialogues]),
    )


def distinct(turns: Iterable[Words], n: int) -> float | None:
    """Different n-grams / all n-grams; None where there is none.

    Li et al. (2016), *A Diversity-Promoting Objective Function for Neural Conversation Models*. They divide by
    the number of words; dividing by that of n-grams, as most have done since, keeps short turns from looking dull.

    >>> distinct([("a", "cat", "is", "a", "cat")], 2)
    0.75
    """
    grams = Counter(gram for turn in turns for gram in _grams(turn, n))
    return len(grams) / grams.total() if grams else None


def self_bleu(documents: Sequence[Document]) -> float | None:
    """How much every dialogue repeats the others: the mean BLEU-4 of each against all others as references.

    Zhu et al. (2018), *Texygen: A Benchmarking Platform for Text Generation Models*; BLEU by Papineni et al.
    (2002), a precision without matches smoothed to 0.1 of one (method 1 of Chen & Cherry 2014), as there.

    BLEU clips a count at the largest one of any reference. References are all dialogues but one, so the largest
    count over all of them, who has it, and the second largest are enough: time grows with the number of words,
    not with its square.

    >>> self_bleu([(("so", "it", "is", "here"),), (("so", "it", "is", "here"),)])
    1.0
    """
    if len(documents) < 2:
        return None
    counts = [_counts(document) for document in documents]
    lengths = [_length(document) for document in documents]
    ceilings = _Ceilings(counts)
    total = math.fsum(
        _bleu(counts[index], index, ceilings, lengths[index], _nearest_length(lengths, index))
        for index in range(len(documents))
    )
    return total / len(documents)


class _Ceilings:
    """The two largest counts of every n-gram, and whose the largest is."""

    def __init__(self, counts: Sequence[Sequence[Counter[Gram]]]) -> None:
        self._first: dict[Gram, tuple[int, int]] = {}
        self._second: dict[Gram, int] = {}
        for index, of_document in enumerate(counts):
            for gram, count in ((g, c) for of_length in of_document for g, c in of_length.items()):
                largest, whose = self._first.get(gram, (0, -1))
                if count > largest:
                    self._first[gram] = (count, index)
                    if whose >= 0:
                        self._second[gram] = largest
                elif count > self._second.get(gram, 0):
                    self._second[gram] = count

    def without(self, gram: Gram, index: int) -> int:
        """The largest count of an n-gram in any document but one."""
        largest, whose = self._first[gram]
        return largest if whose != index else self._second.get(gram, 0)


def _bleu(
    counts: Sequence[Counter[Gram]], index: int, ceilings: _Ceilings, length: int, reference_length: int
) -> float:
    logarithms: list[float] = []
    for of_length in counts:
        matches = sum(min(count, ceilings.without(gram, index)) for gram, count in of_length.items())
        if matches == 0 and not logarithms:  # not even a word in common
            return 0.0
        logarithms.append(math.log((matches or _EPSILON) / max(of_length.total(), 1)))
    brevity = min(0.0, 1 - reference_length / length)
    return math.exp(brevity + math.fsum(logarithms) / len(logarithms))


def _nearest_length(lengths: Sequence[int], index: int) -> int:
    """Of all documents but one, the length nearest to its own; of two equally near, the shorter."""
    own = lengths[index]
    return min(
        (length for other, length in enumerate(lengths) if other != index),
        key=lambda length: (abs(length - own), length),
    )


def _counts(document: Document) -> tuple[Counter[Gram], ...]:
    return tuple(
        Counter(gram for turn in document for gram in _grams(turn, n)) for n in range(1, LONGEST + 1)
    )


def _grams(words: Words, n: int) -> Iterator[Gram]:
    return zip(*(words[start:] for start in range(n)), strict=False)


def _first_words(documents: Iterable[Document], words: int) -> Iterator[Words]:
    """Turns up to so many words, the last one cut."""
    for turn in (turn for document in documents for turn in document):
        if words <= 0:
            return
        yield turn[:words]
        words -= len(turn)


def _length(document: Document) -> int:
    return sum(map(len, document))

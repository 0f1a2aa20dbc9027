"""Near-duplicate texts among many, in one pass and in time that grows with their number, not with its square.

    words -> shingles -> MinHash, cut into bands -> candidates that share a band -> Jaccard, exactly

Broder (1997), *On the resemblance and containment of documents*: for a random order of all shingles, the chance
that two sets have the same first one is their Jaccard similarity J. A band of r such firsts agrees with
probability J^r, so of b bands at least one does with 1 - (1 - J^r)^b::

    J          0.1      0.3      0.5      0.7      0.8          r = 4, b = 16
    chance     0.2 %    12 %     64 %     98.8 %   99.98 %

Candidates are verified on their shingles: nothing is reported that is not so similar, and little is missed. The
same texts in the same order give the same answer on every machine.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

ROWS = 4
BANDS = 16

Hashes = npt.NDArray[np.uint64]

# Of SplitMix64 (Steele, Lea and Flood 2014), whose finalizer turns any 64 bits into as good as random ones.
_GAMMA = 0x9E3779B97F4A7C15
_STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


@dataclass(frozen=True, slots=True)
class Match:
    """An earlier text that is nearly the same."""

    key: str
    similarity: float
    """Jaccard similarity of the two sets of shingles: shared ÷ either's."""


class NearDuplicates:
    """Texts seen so far.

    >>> seen = NearDuplicates(threshold=0.5, shingle=2)
    >>> seen.add("a", "the last ferry leaves at nine".split())
    >>> seen.add("b", "the last ferry leaves at noon".split())
    Match(key='a', similarity=0.6666666666666666)

    A text that has a match is not kept: of a thousand copies, one is compared with. A kept text of 150 words costs
    4.4 kB, most of it for its bands.
    """

    def __init__(self, threshold: float, shingle: int = 3) -> None:
        """`threshold`: similarity from which texts count as the same. Below 0.7 bands begin to miss pairs."""
        if not 0 < threshold <= 1 or shingle < 1:
            raise ValueError(
                f"wanted a threshold in (0, 1] and shingles of 1 word or more, got {threshold} and {shingle}"
            )
        self._threshold = threshold
        self._shingle = shingle
        self._kept: list[tuple[str, Hashes]] = []
        self._bands: dict[int, list[int]] = {}

    def add(self, key: str, words: Sequence[str]) -> Match | None:
        """The most similar earlier text (of several, the first), if it is similar enough; else keep this one.

        Texts shorter than a shingle are one shingle; texts without words match nothing.
        """
        if not words:
            return None
        shingles = _shingles(words, self._shingle)
        bands = _bands(shingles)
        best: Match | None = None
        for index in sorted({i for band in bands for i in self._bands.get(band, ())}):
            name, known = self._kept[index]
            similarity = jaccard(shingles, known)
            if similarity >= self._threshold and (best is None or similarity > best.similarity):
                best = Match(name, similarity)
        if best is None:
            for band in bands:
                self._bands.setdefault(band, []).append(len(self._kept))
            self._kept.append((key, shingles))
        return best

    def band_sizes(self) -> tuple[int, ...]:
        """How many kept texts share each band: what a next text with that band is compared with."""
        return tuple(map(len, self._bands.values()))


def jaccard(one: Hashes, other: Hashes) -> float:
    """Shared ÷ either's, of two sorted arrays without repeats."""
    smaller, larger = (one, other) if len(one) <= len(other) else (other, one)
    places = np.searchsorted(larger, smaller)
    places[places == len(larger)] = 0
    shared = int((larger[places] == smaller).sum())
    return shared / (len(one) + len(other) - shared)


def _shingles(words: Sequence[str], size: int) -> Hashes:
    """Hashes of every `size` words in a row, sorted, each once."""
    ids = np.array([_word_hash(word) for word in words], dtype=np.uint64)
    count = max(1, len(ids) - size + 1)
    mixed = np.zeros(count, dtype=np.uint64)
    for offset in range(min(size, len(ids))):
        mixed = _mix(mixed ^ ids[offset : offset + count])
    return np.unique(mixed)


def _bands(shingles: Hashes) -> list[int]:
    """The text's MinHash, band by band; a band's number is part of it."""
    orders = _mix(np.arange(1, ROWS * BANDS + 1, dtype=np.uint64) * np.uint64(_GAMMA))
    firsts = _mix(shingles[None, :] ^ orders[:, None]).min(axis=1).reshape(BANDS, ROWS)
    bands = np.arange(BANDS, dtype=np.uint64)
    for row in range(ROWS):
        bands = _mix(bands ^ firsts[:, row])
    return [int(band) for band in bands]


@lru_cache(maxsize=1 << 16)
def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _mix(values: Hashes) -> Hashes:
    """SplitMix64's next output for each: `x + gamma`, then shifts and multiplications."""
    mixed = values + np.uint64(_GAMMA)
    for shift, factor in _STEPS:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))

"""How far those who tell word times are apart: a run's own records, every aligner at hand, the estimate.

    recorded     |  well  |   yes    |
    whisper      |   well   |  yes   |      + 40 ms
    estimate     |  well |    yes    |      - 20 ms, to the records
                         ^ ends of words but the last, which all of them have from the end of the sound

Agreement proves nothing, but a rung that is far off from two others that agree has lost its way.
"""

import heapq
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import combinations, pairwise

import numpy as np
from pydantic import Field

from pipeline.core.tokens import words_of
from pipeline.domain.labels import Language
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.domain.timeline import Dialogue, Supervision
from pipeline.domain.words import TimeSource, Word

RECORDED = "recorded"
_LEAST_WORDS = 3


class Disagreement(Record):
    """Two who told the times of the same words."""

    language: Language
    one: str
    other: str
    clips: int = Field(ge=1)
    words: int = Field(ge=1)
    mean_ms: float
    """Of word ends, the other less the one."""
    p50_ms: float
    """Of magnitudes, as is `p95_ms`."""
    p95_ms: float


@dataclass(frozen=True, slots=True)
class SampledClip:
    """A supervision whose audio lies alone in its track, from beginning to end as it was spoken."""

    dialogue: Dialogue
    supervision: Supervision

    @property
    def key(self) -> str:
        """By which a sample is drawn: the same of equal runs, whatever the order of their dialogues."""
        name = f"{self.dialogue.timeline.dialogue_id}/{self.supervision.supervision_id}"
        return sha256(name.encode()).hexdigest()


def clips_of(dialogue: Dialogue) -> tuple[SampledClip, ...]:
    """Of one dialogue: three known words or more, not broken off, near the microphone, alone on the track."""
    return tuple(
        SampledClip(dialogue, one)
        for one in dialogue.timeline.supervisions
        if not one.truncated
        and one.distance is None
        and len(one.words) >= _LEAST_WORDS
        and tuple(word.text for word in one.words) == words_of(one.text)
        and all(word.source is not TimeSource.DETECTOR for word in one.words)
        and not any(
            other is not one and other.track is one.track and other.span.overlap(one.span)
            for other in dialogue.timeline.supervisions
        )
    )


@dataclass(slots=True)
class ClipSample:
    """At most `size` clips of each language, of any number that are shown to it."""

    size: int
    _kept: dict[Language, list[tuple[str, SampledClip]]] = field(default_factory=dict)

    def show(self, dialogue: Dialogue) -> None:
        """One more dialogue."""
        language = dialogue.timeline.language
        keyed = [*self._kept.get(language, []), *((clip.key, clip) for clip in clips_of(dialogue))]
        self._kept[language] = heapq.nsmallest(self.size, keyed, key=lambda pair: pair[0])

    def clips(self) -> tuple[SampledClip, ...]:
        """Those that were drawn, by dialogue."""
        drawn = [clip for kept in self._kept.values() for _, clip in kept]
        return tuple(
            sorted(
                drawn, key=lambda clip: (clip.dialogue.timeline.dialogue_id, clip.supervision.supervision_id)
            )
        )


def recorded_words(clip: SampledClip) -> tuple[Word, ...] | None:
    """What the run's record says, on the clip's own clock; None where all of it is estimated."""
    start = clip.supervision.span.start
    words = tuple(
        replace(word, span=Span(word.span.start - start, word.span.end - start))
        for word in clip.supervision.words
    )
    return None if all(word.source is TimeSource.ESTIMATE for word in words) else words


@dataclass(slots=True)
class _Pair:
    clips: int = 0
    differences_s: "array[float]" = field(default_factory=lambda: array("d"))


@dataclass(slots=True)
class WordTimeTally:
    """Running sums over clips."""

    _pairs: dict[tuple[Language, str, str], _Pair] = field(default_factory=dict)

    def add(self, language: Language, told: Mapping[str, Sequence[Word]], sampling_rate: int) -> None:
        """One clip, as each rung tells it; all of them the same words."""
        for one, other in combinations(told, 2):
            ends = [
                (theirs.span.end - ours.span.end) / sampling_rate
                for ours, theirs in _known_in_both(told[one], told[other])
            ]
            if ends:
                pair = self._pairs.setdefault((language, one, other), _Pair())
                pair.clips += 1
                pair.differences_s.extend(ends)

    def disagreements(self) -> tuple[Disagreement, ...]:
        """By language, in the order in which rungs were told."""
        return tuple(
            _figures(language, one, other, pair)
            for (language, one, other), pair in sorted(self._pairs.items(), key=lambda item: item[0][0])
        )


def _known_in_both(one: Sequence[Word], other: Sequence[Word]) -> list[tuple[Word, Word]]:
    known_one, known_other = _ends_known(one), _ends_known(other)
    pairs = zip(one[:-1], other[:-1], known_one, known_other, strict=True)
    return [(ours, theirs) for ours, theirs, a, b in pairs if a and b]


def _ends_known(words: Sequence[Word]) -> list[bool]:
    """Of all words but the last: whether this rung says where they end. An engine that skips a word says neither
    its times nor where the one before it ends; the estimate says all."""
    if all(word.source is TimeSource.ESTIMATE for word in words):
        return [True] * (len(words) - 1)
    told = [word.source is not TimeSource.ESTIMATE for word in words]
    return [a and b for a, b in pairwise(told)]


def _figures(language: Language, one: str, other: str, pair: _Pair) -> Disagreement:
    values_ms = np.asarray(pair.differences_s) * 1000
    p50_ms, p95_ms = np.quantile(np.abs(values_ms), (0.5, 0.95))
    return Disagreement(
        language=language,
        one=one,
        other=other,
        clips=pair.clips,
        words=len(values_ms),
        mean_ms=round(float(values_ms.mean()), 3),
        p50_ms=round(float(p50_ms), 3),
        p95_ms=round(float(p95_ms), 3),
    )

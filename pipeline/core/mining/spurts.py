"""Talkspurts with their surroundings and words, and whether one is a listener's response."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from pipeline.core.mining.activity import Talk
from pipeline.core.mining.comparisons import Comparison, at_least, at_most, fact
from pipeline.core.mining.lexicon import Lexicon
from pipeline.core.mining.limits import EventLimits
from pipeline.domain.labels import Language
from pipeline.domain.mining import SpeakerActivity, TimedWord

_AFTER_QUESTION_S = 1.0
"""Within this after the other's question, a short word is an answer (unverified lexicons only)."""


class Spurt(NamedTuple):
    """One talkspurt. Silences are the speaker's own, infinite before the first and after the last."""

    speaker: int
    start: int
    end: int
    length_s: float
    prior_s: float
    next_s: float
    next_length_s: float
    text: str | None
    """Its words; None where no transcript covers it."""
    words: tuple[TimedWord, ...]
    answers: str | None = None
    """The last word that somebody else ended within 1 s before; None where nobody did, or nobody asks."""

    def precedes_turn(self, limits: EventLimits) -> bool:
        """Whether its speaker goes on at once, for long."""
        return self.next_s < limits.precedes_gap_s and self.next_length_s >= limits.precedes_length_s


def spurts_of(
    talk: Talk,
    speaker: int,
    activity: SpeakerActivity,
    language: Language | None,
    others: tuple[TimedWord, ...] = (),
) -> tuple[Spurt, ...]:
    """A speaker's talkspurts. A word belongs to the one that holds its middle. `others` are by end."""
    starts, ends, rate = talk.starts[speaker], talk.ends[speaker], talk.sampling_rate
    words: list[list[TimedWord]] = [[] for _ in starts]
    for word in activity.words:
        host = talk.holder(speaker, middle_of(word))
        if host is not None:
            words[host].append(word)
    said = [word.span.end for word in others]
    spurts = []
    last = len(starts) - 1
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        own = words[index]
        spurts.append(
            Spurt(
                speaker=speaker,
                start=start,
                end=end,
                length_s=(end - start) / rate,
                prior_s=(start - ends[index - 1]) / rate if index else inf,
                next_s=(starts[index + 1] - end) / rate if index < last else inf,
                next_length_s=(ends[index + 1] - starts[index + 1]) / rate if index < last else 0.0,
                text=text_of(own, language),
                words=tuple(own),
                answers=_last_word(others, said, start, rate),
            )
        )
    return tuple(spurts)


def middle_of(word: TimedWord) -> int:
    """Whoever speaks at this sample says the word."""
    return (word.span.start + word.span.end) // 2


def text_of(words: Iterable[TimedWord], language: Language | None) -> str | None:
    """Words as their language writes them, None for none: Chinese without spaces."""
    return ("" if language is Language.ZH else " ").join(word.text for word in words) or None


def _last_word(others: tuple[TimedWord, ...], ends: list[int], start: int, rate: int) -> str | None:
    before = bisect_right(ends, start) - 1
    recent = before >= 0 and start - ends[before] <= _AFTER_QUESTION_S * rate
    return others[before].text if recent else None


@dataclass(frozen=True, slots=True)
class ListenerRule:
    """Whether a talkspurt is a backchannel: by its words where there are any and a lexicon is on, else by timing.

    Timing: short, and out of the speaker's own silence. Words alone beat words and timing together.
    """

    limits: EventLimits
    lexicon: Lexicon | None

    def uses_words(self, spurt: Spurt) -> bool:
        """Whether the lexicon decides."""
        return self.lexicon is not None and spurt.text is not None

    def matches(self, spurt: Spurt) -> bool | None:
        """Whether its words are a listener's; None where no lexicon is asked."""
        if self.lexicon is None or spurt.text is None:
            return None
        return self.lexicon.matches(spurt.text, self.limits.lexicon_max_tokens, self.limits.bc_assessments)

    def tests(self, spurt: Spurt, whose: str = "") -> tuple[Comparison, ...]:
        """What all has to hold."""
        limits = self.limits
        matches = self.matches(spurt)
        tests: list[Comparison] = []
        if self.lexicon is None or matches is None:
            tests.append(at_most(f"{whose}bc_max_dur_s", spurt.length_s, limits.bc_max_dur_s))
            tests.append(at_least(f"{whose}bc_prev_silence_s", spurt.prior_s, limits.bc_prev_silence_s))
        else:
            tests.append(fact(f"{whose}bc_lexicon", matches))
            tests.append(at_most(f"{whose}bc_max_dur_lexicon_s", spurt.length_s, limits.bc_max_dur_lexicon_s))
            if not self.lexicon.verified:
                tests.append(fact(f"{whose}answers", not self._answers(spurt)))
                tests.append(at_least(f"{whose}precedes_gap_s", spurt.next_s, limits.precedes_gap_s))
        if limits.bc_next_silence_s > 0:
            tests.append(at_least(f"{whose}bc_next_silence_s", spurt.next_s, limits.bc_next_silence_s))
        if limits.bc_resume_exclude:
            tests.append(fact(f"{whose}precedes_turn", not spurt.precedes_turn(limits)))
        return tuple(tests)

    def _answers(self, spurt: Spurt) -> bool:
        endings = self.lexicon.question_endings if self.lexicon else ()
        return spurt.answers is not None and spurt.answers.rstrip("?？。 ").endswith(endings)

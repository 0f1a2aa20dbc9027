"""When the words of a clip are spoken: an estimate from text and sound, and what makes word times credible.

Nothing is recognised. The likeliest way is searched for to match a clip's inner silences with the text's
punctuation (or, where a silence is long, with a border between two other words); between two matched silences
words share the time by how much there is to say in each::

    samples   |== well ==|.......|== I == see ==|.....|== but why ==|
    text        Well,              I      see           but why?
    silences             `-comma-'              `-----' no mark, but long: a hesitation

The first word's start, the last one's end and what lies beside a matched silence are as good as voice activity;
borders inside a stretch are off by some tens of milliseconds.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.core.tokens import is_character, tokenize, words_of
from pipeline.core.vad import CLIP_SETTINGS, detect_speech
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from pipeline.domain.span import Span
from pipeline.domain.words import TimeSource, Word

ESTIMATOR = "estimate-1"
"""Raise its number when equal clips get other times."""
RESOLUTION_MS = 150.0
"""Of 20 estimated word ends, about 19 are nearer than that to where the word ends."""
LONGEST_WORD_S = 2.5
"""Nobody takes longer for one word: whoever says so has lost the way through the text."""

_SHORTEST_WORD_S = 0.02
_SHORTEST_SILENCE_S = 0.04
"""Shorter ones are closures of stops."""
_PAUSE_S = 0.08
"""From here on a silence is none of the time in which words are said."""
_MOST_SILENCES = 40
"""Of a clip; the longest ones."""

# Costs are negative log-likelihoods.
_VARIANCE_S = 0.03
"""Of a stretch's length, per second: syllables of 0.2 s that deviate by 40 % each."""
_INSIDE_WORD_S = {Language.EN: 0.06, Language.ZH: 0.03}
"""A silence inside a word: the less likely the longer it is, by a factor of e for every so many seconds. Mandarin
closes the mouth at the beginning of a syllable only, so there a silence nearly always is a border."""
_HESITATION = {Language.EN: 2.0, Language.ZH: 1.0}
"""A silence between two words without a mark."""
_MARKS = {**dict.fromkeys(",:、，：—–", 0.7), **dict.fromkeys(".?!;。？！；…", 2.0)}
"""A mark without a silence."""

# How long words last, relative to each other: fitted to espeak-ng's word times (300 English sentences, R2 0.82) and
# rounded towards what the lengths of 246 utterances of the AMI corpus ask for.
_VOWELS = re.compile(r"[aeiouyà-öø-ÿ]+")
_CONSONANTS = re.compile(r"[b-df-hj-np-tv-xzñç]")
_WORD, _SYLLABLE, _CONSONANT, _REDUCED, _FINAL = 0.45, 0.23, 0.12, -0.3, 0.4
_FUNCTION_WORDS = frozenset(
    words_of(
        "a an the of to in on at for and or but is are was were be been am it it's its i i'm you he she we they me him "
        "her us them my your his our their that this as if so do does did have has had can could will would shall "
        "should may might must with from by not"
    )
)
_LIGHT_CHARACTERS = frozenset("的地得了着过们吗呢吧啊呀嘛么子儿")
"""Mostly in the neutral tone."""
_LIGHT = 0.65

Wave = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]


def check_words(words: Sequence[Word], text: str, num_samples: int, sampling_rate: int) -> str | None:
    """Why word times are not to be believed; None where they are.

    >>> check_words((), "Well, yes.", 24_000, 24_000)
    "0 words, wanted 2; the first that differs is 'Well'"
    """
    wanted = words_of(text)
    told = tuple(word.text for word in words)
    if told != wanted:
        odd = next((a for a, b in zip(wanted, told, strict=False) if a != b), None)
        odd = odd or (*wanted[len(told) :], *told[len(wanted) :])[0]
        return f"{len(told)} words, wanted {len(wanted)}; the first that differs is {odd!r}"
    for before, word in pairwise(words):
        if word.span.start < before.span.end:
            return f"{word.text!r} starts before {before.text!r} has ended"
    if words and words[-1].span.end > num_samples:
        return f"{words[-1].text!r} ends after the audio"
    longest = max(words, key=lambda word: len(word.span), default=None)
    if longest is not None and len(longest.span) > LONGEST_WORD_S * sampling_rate:
        return f"{longest.text!r} lasts {len(longest.span) / sampling_rate:.1f} s, wanted {LONGEST_WORD_S} s or less"
    return None


def estimate_words(samples: Wave, sampling_rate: int, text: str, language: Language) -> tuple[Word, ...]:
    """Every word of `text` in `[num_samples]`, in order, from the first sound to the last; source ESTIMATE.

    >>> talk = np.zeros(24_000, np.float32)
    >>> talk[2_400:12_000] = 0.1
    >>> [(word.text, word.span.start) for word in estimate_words(talk, 24_000, "一二三四", Language.ZH)]
    [('一', 2400), ('二', 4800), ('三', 7200), ('四', 9600)]

    Raises RecordError for a text without words, and for a clip with fewer samples than words.
    """
    said = _read(text)
    if not said.words:
        raise RecordError(Reason.NO_WORDS, f"word times: no word in {text!r}; wanted at least one")
    if len(samples) < len(said.words):
        raise RecordError(
            Reason.BAD_AUDIO, f"word times: {len(samples)} samples for {len(said.words)} words: {text!r}"
        )
    runs = detect_speech(samples, sampling_rate, _SHORTEST_SILENCE_S, CLIP_SETTINGS)
    if not runs or runs[-1].end - runs[0].start < len(said.words):
        runs = (Span(0, len(samples)),)  # nothing is heard, or a click: the words are somewhere in it
    words: list[Word] = []
    for stretch in _match(said, runs, sampling_rate, language):
        words.extend(_share(said, stretch))
    return tuple(words)


@dataclass(frozen=True, slots=True)
class _Said:
    """A text, word by word."""

    words: tuple[str, ...]
    weights: Floats
    """`[num_words]`: how long each lasts, relative to others."""
    marks: Floats
    """`[num_words + 1]`: what it costs that no silence is at the border before each word; 0 without a mark."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Words `[first, last)` spoken in samples `[start, end)`."""

    first: int
    last: int
    start: int
    end: int


def _read(text: str) -> _Said:
    tokens = tokenize(text)
    marks = np.zeros(len(tokens) + 1)
    for border, ((_, _, end), (_, start, _)) in enumerate(pairwise(tokens), start=1):
        marks[border] = max((_MARKS.get(mark, 0.0) for mark in text[end:start]), default=0.0)
    weights = [
        _weight(word, final=marks[number] > 0 or number == len(tokens))
        for number, (word, _, _) in enumerate(tokens, start=1)
    ]
    return _Said(tuple(word for word, _, _ in tokens), np.array(weights), marks)


def _weight(word: str, final: bool) -> float:
    """One Chinese character is about one."""
    lower = word.lower()
    if is_character(word):
        return _LIGHT if word in _LIGHT_CHARACTERS else 1.0
    if word.isdigit() or (word.isupper() and not _VOWELS.search(lower)):
        return float(len(word))  # read out one by one
    sounded = lower[:-1] if lower.endswith("e") and _VOWELS.search(lower[:-1]) else lower
    weight = (
        _WORD
        + _SYLLABLE * max(len(_VOWELS.findall(sounded)), 1)
        + _CONSONANT * len(_CONSONANTS.findall(lower))
    )
    return weight + _REDUCED * (lower in _FUNCTION_WORDS) + _FINAL * final


def _match(said: _Said, runs: Sequence[Span], sampling_rate: int, language: Language) -> tuple[_Stretch, ...]:
    """The stretches of the likeliest way to lay some of the silences at some of the borders, in order.

    `best[silence, border]` is the least cost of everything up to there; both edges of the clip count as silences,
    so its last entry is that of the whole. Where words have no room whatever one does, the clip is one stretch.
    """
    starts, ends = _silences(runs)
    costs = _Costs.of(said, starts / sampling_rate, ends / sampling_rate, language)
    shape = (len(starts), len(said.marks))
    best, origin = np.full(shape, np.inf), np.zeros((*shape, 2), dtype=np.int64)
    best[0, 0] = 0.0
    for silence in range(1, len(starts)):
        for before in range(silence):
            total = best[before][:, None] + costs.between(before, silence)
            cheapest = np.argmin(total, axis=0)
            least = total[cheapest, np.arange(shape[1])]
            better = least < best[silence]
            best[silence][better] = least[better]
            origin[silence][better, 0], origin[silence][better, 1] = before, cheapest[better]
    if not np.isfinite(best[-1, -1]):
        return (_Stretch(0, len(said.words), int(starts[0]), int(starts[-1])),)
    return _trace(origin, starts, ends)


def _silences(runs: Sequence[Span]) -> tuple[Positions, Positions]:
    """Starts and ends of the longest inner silences, between the clip's first and last sound."""
    gaps = [(before.end, after.start) for before, after in pairwise(runs)]
    longest = sorted(sorted(gaps, key=lambda gap: gap[0] - gap[1])[:_MOST_SILENCES])
    first, last = runs[0].start, runs[-1].end
    both = np.array([(first, first), *longest, (last, last)], dtype=np.int64)
    return both[:, 0], both[:, 1]


@dataclass(frozen=True, slots=True)
class _Costs:
    """What it costs to say the words between two borders between two silences."""

    starts_s: Floats
    ends_s: Floats
    wanted_s: Floats
    """`[num_borders, num_borders]`: how long the words from one border to another should last."""
    room_s: Floats
    """Their least; infinite where one border does not follow the other."""
    bare: Floats
    """Marks between two borders, without a silence."""
    at_border: Floats
    """`[num_borders]`: a silence there."""
    inside_word_s: float

    @classmethod
    def of(cls, said: _Said, starts_s: Floats, ends_s: Floats, language: Language) -> "_Costs":
        """Costs of one clip; how fast it is spoken is its speech over its words."""
        pauses_s = ends_s - starts_s
        speech_s = starts_s[-1] - starts_s[0] - pauses_s[pauses_s >= _PAUSE_S].sum()
        said_by_s = np.concatenate(([0.0], np.cumsum(said.weights))) * speech_s / said.weights.sum()
        marks_before = np.cumsum(said.marks)
        steps = _differences(np.arange(len(said.marks), dtype=np.float64))
        return cls(
            starts_s=starts_s,
            ends_s=ends_s,
            wanted_s=np.maximum(_differences(said_by_s), 1e-3),
            room_s=np.where(steps > 0, steps * _SHORTEST_WORD_S, np.inf),
            bare=marks_before[None, :] - said.marks[None, :] - marks_before[:, None],
            at_border=np.where(said.marks > 0, 0.0, _HESITATION[language]),
            inside_word_s=_INSIDE_WORD_S[language],
        )

    def between(self, before: int, silence: int) -> Floats:
        """`[num_borders, num_borders]`: the words from one border, at one silence, to another, at the other."""
        lasts_s = self.starts_s[silence] - self.ends_s[before]
        skipped_s = float((self.ends_s - self.starts_s)[before + 1 : silence].sum())
        costs: Floats = (lasts_s - self.wanted_s) ** 2 / (2 * _VARIANCE_S * self.wanted_s)
        costs += self.bare + self.at_border + skipped_s / self.inside_word_s
        costs[self.room_s > lasts_s] = np.inf
        return costs


def _differences(values: Floats) -> Floats:
    """`[from, to]`"""
    return values[None, :] - values[:, None]


def _trace(origin: Positions, starts: Positions, ends: Positions) -> tuple[_Stretch, ...]:
    """From the end of the cheapest way to its beginning."""
    stretches: list[_Stretch] = []
    silence, border = origin.shape[0] - 1, origin.shape[1] - 1
    while silence:
        before, first = (int(value) for value in origin[silence, border])
        stretches.append(_Stretch(first, border, int(ends[before]), int(starts[silence])))
        silence, border = before, first
    return tuple(reversed(stretches))


def _share(said: _Said, stretch: _Stretch) -> Iterator[Word]:
    """The words of one stretch, side by side."""
    weights = said.weights[stretch.first : stretch.last]
    shares = np.cumsum(weights) / weights.sum() * (stretch.end - stretch.start)
    start = stretch.start
    for number, share in enumerate(shares, start=1):
        left = len(weights) - number
        end = max(start + 1, min(stretch.start + round(float(share)), stretch.end - left))
        yield Word(said.words[stretch.first + number - 1], Span(start, end), TimeSource.ESTIMATE)
        start = end

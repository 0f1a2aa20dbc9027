"""The quality gate: is a take speech of its text, and where does the speech begin and end?

    engine   ......|== I see, ==|...|== thank you ==|.........
    kept       |25 ms                            25 ms|
               `lead_s cut                            `tail_s cut

Checks in order; the first that fails is the take's flaw. Thresholds are starting points from what served engines
were reported to do wrong (empty replies, NaN, seconds of silence, half a minute for a sentence).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.core.tokens import is_character, words_of
from pipeline.core.vad import CLIP_SETTINGS, detect_speech
from pipeline.domain.errors import BadTakeError
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.domain.takes import Flaw, Kind, Take
from pipeline.domain.words import Word

MARGIN_S = 0.025
"""Kept on both sides of what the detector calls speech, which reaches 35 dB down. Less than the 40 ms by which the
edges of speech may be off in a finished dataset."""
WORTH_CUTTING_S = 0.01
"""Less silence than that beyond the margin stays: engines that tidy up themselves are left alone."""
BETWEEN_CLAUSES_S = 0.12
"""Where a long text was spoken in parts: below the 200 ms that would make two IPUs of it."""
_CEILING = 0.98
_LONG_INNER_SILENCE_S = 1.0


class GateLimits(Record):
    """What a take of any engine has to be like."""

    quietest_dbfs: float = Field(default=-50.0, le=0)
    """Level of the stretches that hold speech."""
    clipped_share: float = Field(default=0.001, ge=0, le=1)
    """Of samples at the clip's own ceiling, where that is near full scale."""
    han_s: tuple[float, float] = (0.04, 0.45)
    """Shortest and longest time of one Chinese character, on the average of a text."""
    word_s: tuple[float, float] = (0.12, 0.9)
    """The same of one English word."""
    allowance_s: float = Field(default=0.6, ge=0)
    """Added to the longest time: one long word, or a pause at a comma."""
    backchannel_s: tuple[float, float] = (0.08, 1.5)
    silence_s: float = Field(default=2.0, gt=0)
    """Silence before or after the words that makes a take suspicious, not only too long."""


USUAL_LIMITS = GateLimits()


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A good take without silence at its ends."""

    take: Take
    lead_s: float
    tail_s: float
    warnings: tuple[str, ...]


def examine(take: Take, text: str, kind: Kind, limits: GateLimits) -> Trimmed:
    """Trim a take. Raises BadTakeError, saying what is wrong with it.

    >>> silence = Take(np.zeros(8000, np.float32), 8000, (), "engine-1")
    >>> examine(silence, "I see.", Kind.BACKCHANNEL, GateLimits())
    Traceback (most recent call last):
    pipeline.domain.errors.BadTakeError: silent: speech at -inf dBFS; wanted -50 or more
    """
    samples, rate = take.samples, take.sampling_rate
    _check_samples(samples)
    runs = detect_speech(samples, rate, min_silence_s=0.0, settings=CLIP_SETTINGS)
    level_dbfs = _level_dbfs(samples, runs)
    if level_dbfs < limits.quietest_dbfs:
        raise BadTakeError(
            Flaw.SILENT, f"speech at {level_dbfs:.0f} dBFS; wanted {limits.quietest_dbfs:.0f} or more"
        )
    clipped = _clipped_share(samples)
    if clipped > limits.clipped_share:
        raise BadTakeError(
            Flaw.CLIPPED,
            f"{clipped:.2%} of samples at the ceiling; wanted {limits.clipped_share:.2%} or less",
        )
    lead_s, tail_s = runs[0].start / rate, (len(samples) - runs[-1].end) / rate
    if max(lead_s, tail_s) > limits.silence_s:
        raise BadTakeError(
            Flaw.LONG_SILENCE,
            f"{lead_s:.1f} s of silence before and {tail_s:.1f} s after; wanted {limits.silence_s:.1f} or less",
        )
    _check_length((runs[-1].end - runs[0].start) / rate, text, kind, limits)
    return _trim(take, runs)


def _check_samples(samples: npt.NDArray[np.float32]) -> None:
    if not len(samples):
        raise BadTakeError(Flaw.EMPTY, "not one sample")
    bad = int(np.count_nonzero(~np.isfinite(samples)))
    if bad:
        raise BadTakeError(Flaw.NOT_FINITE, f"{bad} of {len(samples)} samples are no numbers")


def join_takes(parts: Sequence[tuple[str, Take]], kind: Kind, limits: GateLimits) -> Take:
    """Takes of the clauses of one text, as one, with a short pause between them.

        clause 1  ...|== I would ==|......
        clause 2                           ..|== if I could ==|....
        joined    ...|== I would ==|..120 ms..|== if I could ==|....

    Each is judged by its own text first: in the whole, a clause that was swallowed could pass for another that was
    drawn out. Raises BadTakeError.
    """
    trimmed = [examine(take, text, kind, limits).take for text, take in parts]
    first = trimmed[0]
    pause = np.zeros(round(BETWEEN_CLAUSES_S * first.sampling_rate), np.float32)
    sounds: list[npt.NDArray[np.float32]] = []
    words: list[Word] = []
    for take in trimmed:
        at = sum(map(len, sounds))
        words += [replace(word, span=Span(word.span.start + at, word.span.end + at)) for word in take.words]
        sounds += [take.samples, pause]
    return replace(
        first,
        samples=np.concatenate(sounds[:-1]),
        words=tuple(words) if all(take.words for take in trimmed) else (),
        unapplied=tuple(dict.fromkeys(name for take in trimmed for name in take.unapplied)),
        warnings=tuple(dict.fromkeys(text for take in trimmed for text in take.warnings)),
    )


def longest_s(text: str, kind: Kind, limits: GateLimits) -> float:
    """How long a text may last when it is spoken: the cap that an engine is given."""
    return _bounds_s(text, kind, limits)[1]


def _bounds_s(text: str, kind: Kind, limits: GateLimits) -> tuple[float, float]:
    words = words_of(text)
    characters = sum(is_character(word) for word in words)
    others = len(words) - characters
    shortest = characters * limits.han_s[0] + others * limits.word_s[0]
    longest = characters * limits.han_s[1] + others * limits.word_s[1] + limits.allowance_s
    if kind is Kind.BACKCHANNEL:
        low, high = limits.backchannel_s
        return min(shortest, low), max(high, longest)
    return shortest, longest


def _check_length(spoken_s: float, text: str, kind: Kind, limits: GateLimits) -> None:
    shortest, longest = _bounds_s(text, kind, limits)
    wanted = f"{spoken_s:.2f} s for {len(words_of(text))} words; wanted {shortest:.2f} to {longest:.2f}"
    if spoken_s < shortest:
        raise BadTakeError(Flaw.TOO_SHORT, wanted)
    if spoken_s > longest:
        raise BadTakeError(Flaw.TOO_LONG, wanted)


def _level_dbfs(samples: npt.NDArray[np.float32], runs: tuple[Span, ...]) -> float:
    if not runs:
        return float("-inf")
    power = np.concatenate([samples[run.start : run.end] for run in runs]).astype(np.float64) ** 2
    return 10.0 * float(np.log10(max(float(power.mean()), 1e-12)))


def _clipped_share(samples: npt.NDArray[np.float32]) -> float:
    """Engines clamp at 1.0 or a little below: samples at the peak of a loud clip, beyond the one that is it."""
    level = np.abs(samples)
    peak = float(level.max())
    return float(np.mean(level >= peak - 1e-4)) if peak >= _CEILING else 0.0


def _trim(take: Take, runs: tuple[Span, ...]) -> Trimmed:
    rate, total = take.sampling_rate, len(take.samples)
    margin, least = round(MARGIN_S * rate), round(WORTH_CUTTING_S * rate)
    start = max(0, runs[0].start - margin)
    end = min(total, runs[-1].end + margin)
    start = start if start >= least else 0
    end = end if total - end >= least else total
    longest = max((b.start - a.end for a, b in pairwise(runs)), default=0) / rate
    warnings = (f"{longest:.1f} s of silence inside",) if longest > _LONG_INNER_SILENCE_S else ()
    if (start, end) != (0, total):
        words = _inside(take.words, start, end)
        samples = np.ascontiguousarray(take.samples[start:end])
        take = replace(take, samples=samples, words=words)
    return Trimmed(take, start / rate, (total - end) / rate, warnings)


def _inside(words: tuple[Word, ...], start: int, end: int) -> tuple[Word, ...]:
    """Words on the kept part's clock. One that lies outside keeps a sample at the edge; none is lost."""
    moved: list[Word] = []
    position, total = 0, end - start
    for index, word in enumerate(words):
        left = len(words) - 1 - index
        first = max(position, min(word.span.start - start, total - left - 1))
        last = max(first + 1, min(word.span.end - start, total - left))
        moved.append(replace(word, span=Span(first, last)))
        position = last
    return tuple(moved)

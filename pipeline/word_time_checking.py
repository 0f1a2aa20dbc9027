"""Aligning some of a run's clips again, by everybody who can.

dialogues.jsonl --draw--> clips --cut out of the audio--> each aligner, the estimate --> who differs from whom
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.core.checks.word_times import (
    RECORDED,
    ClipSample,
    Disagreement,
    SampledClip,
    WordTimeTally,
    recorded_words,
)
from pipeline.core.word_times import ESTIMATOR, check_words, estimate_words
from pipeline.domain.errors import RecordError, TransientBackendError
from pipeline.domain.record import Record
from pipeline.domain.words import Word
from pipeline.io.audio import read_pcm16
from pipeline.io.mined_files import is_mined
from pipeline.io.run_directory import RunDirectory
from pipeline.ports import Aligner
from pipeline.run_records import read_description

_AT_ONCE = 4


def own_aligners(run_directory: Path) -> tuple[str, ...]:
    """Names of those that a run was made with; none of mined talk."""
    return () if is_mined(run_directory) else read_description(run_directory).config.speech.aligners


class RungFailures(Record):
    """Clips of which a rung could not tell the word times."""

    rung: str
    clips: int = Field(ge=1)
    first: str
    """What was wrong with the first of them."""


class WordTimeSummary(Record):
    """What aligning again showed."""

    clips: int = Field(ge=0)
    """That were drawn."""
    rungs: tuple[str, ...]
    """Who told the times of any; with one alone there is nothing to compare."""
    disagreements: tuple[Disagreement, ...]
    failures: tuple[RungFailures, ...]


def check_word_times(run_directory: Path, size: int, aligners: Sequence[Aligner]) -> WordTimeSummary:
    """Compare up to `size` clips of each language: their records, every aligner, the estimate.

    Raises ConfigError where there is no finished run, BackendError for audio that cannot be read, and
    TerminalBackendError for an aligner that cannot work.
    """
    run = RunDirectory(run_directory)
    sample = ClipSample(size)
    for dialogue in run.read_dialogues():
        sample.show(dialogue)
    clips = sample.clips()
    realigned = asyncio.run(_realign_all(clips, run.path, aligners))
    tally = WordTimeTally()
    for clip, told in zip(clips, realigned, strict=True):
        timeline = clip.dialogue.timeline
        tally.add(timeline.language, told.words, timeline.sampling_rate)
    return WordTimeSummary(
        clips=len(clips),
        rungs=tuple(dict.fromkeys(rung for told in realigned for rung in told.words)),
        disagreements=tally.disagreements(),
        failures=_count_failures(realigned),
    )


@dataclass(slots=True)
class _Told:
    """One clip, by rung: its words, or why there are none."""

    words: dict[str, tuple[Word, ...]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


async def _realign_all(clips: Sequence[SampledClip], root: Path, aligners: Sequence[Aligner]) -> list[_Told]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(clip: SampledClip) -> _Told:
        async with gate:
            return await _realign(clip, root, aligners)

    return await asyncio.gather(*map(one, clips))


async def _realign(clip: SampledClip, root: Path, aligners: Sequence[Aligner]) -> _Told:
    text, language = clip.supervision.text, clip.dialogue.timeline.language
    samples, sampling_rate = _cut_out(clip, root)
    told = _Told()
    recorded = recorded_words(clip)
    if recorded is not None:
        told.words[RECORDED] = recorded
    for aligner in aligners:
        try:
            words = await aligner.align(samples, sampling_rate, text, language)
            problem = check_words(words, text, len(samples), sampling_rate)
        except (RecordError, TransientBackendError) as error:
            problem = str(error)
        if problem is None:
            told.words[aligner.name] = words
        else:
            told.problems[aligner.name] = f"{clip.dialogue.timeline.dialogue_id}: {problem}"
    told.words[ESTIMATOR] = estimate_words(samples, sampling_rate, text, language)
    return told


def _cut_out(clip: SampledClip, root: Path) -> tuple[npt.NDArray[np.float32], int]:
    supervision = clip.supervision
    samples, sampling_rate = read_pcm16(root / clip.dialogue.audio.path)
    span = samples[supervision.span.start : supervision.span.end, supervision.track.channel]
    return np.ascontiguousarray(span, dtype=np.float32) / np.float32(32768), sampling_rate


def _count_failures(realigned: Sequence[_Told]) -> tuple[RungFailures, ...]:
    counts = Counter(rung for told in realigned for rung in told.problems)
    first = {rung: problem for told in reversed(realigned) for rung, problem in told.problems.items()}
    return tuple(RungFailures(rung=rung, clips=count, first=first[rung]) for rung, count in counts.items())

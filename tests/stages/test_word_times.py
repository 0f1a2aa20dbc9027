"""The ladder of word times: the best rung that can be believed, and why the others were not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.core.word_times import ESTIMATOR, RESOLUTION_MS
from pipeline.domain.errors import RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from pipeline.domain.span import Span
from pipeline.domain.takes import Take
from pipeline.domain.words import TimeSource, Word
from pipeline.stages.word_times import Aligned, align_words

TEXT = "Well, yes."
RATE = 1000


def words(*ends: int, source: TimeSource = TimeSource.ALIGNER) -> tuple[Word, ...]:
    return tuple(
        Word(text, Span(start, end), source)
        for text, start, end in zip(("Well", "yes"), (0, *ends), ends, strict=False)
    )


def take_of(*ends: int) -> Take:
    return Take(
        samples=np.full(4000, 0.1, np.float32),
        sampling_rate=RATE,
        words=words(*ends, source=TimeSource.ENGINE),
        engine="engine-1",
        resolution_ms=1.0 if ends else None,
    )


@dataclass
class Saying:
    """An aligner that says what it is told to, or fails."""

    name: str
    answer: Callable[[], tuple[Word, ...]]
    resolution_ms: float = 80.0
    asked: int = 0

    async def align(
        self, samples: npt.NDArray[np.float32], sampling_rate: int, text: str, language: Language
    ) -> tuple[Word, ...]:
        self.asked += 1
        return self.answer()


def fails(error: Exception) -> Callable[[], tuple[Word, ...]]:
    def answer() -> tuple[Word, ...]:
        raise error

    return answer


def align(take: Take, *aligners: Saying) -> Aligned:
    return asyncio.run(align_words(take, TEXT, Language.EN, aligners))


def test_who_made_the_sound_knows_best() -> None:
    aligner = Saying("other-1", lambda: words(100, 200))
    assert align(take_of(900, 2000), aligner) == Aligned(take_of(900, 2000).words, None, 1.0)
    assert aligner.asked == 0


FAULTS: dict[str, tuple[Callable[[], tuple[Word, ...]], str]] = {
    "no way through": (fails(RecordError(Reason.BAD_AUDIO, "no way")), "bad_audio: no way"),
    "not to be had": (fails(TransientBackendError("gone")), "gone"),
    "one word is missing": (lambda: words(900), "1 words, wanted 2; the first that differs is 'yes'"),
    "a word without end": (lambda: words(2900, 3000), "'Well' lasts 2.9 s, wanted 2.5 s or less"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_rung_that_fails_hands_on_and_says_why(name: str) -> None:
    answer, problem = FAULTS[name]
    second = Saying("second-1", lambda: words(800, 1900), resolution_ms=20.0)
    aligned = align(take_of(), Saying("first-1", answer), second)
    assert aligned == Aligned(words(800, 1900), "second-1", 20.0, (f"word times of first-1: {problem}",))


def test_times_of_an_engine_that_cannot_be_believed_are_not() -> None:
    aligned = align(take_of(3000, 3500), Saying("other-1", lambda: words(800, 1900)))
    assert aligned.aligner == "other-1"
    assert aligned.warnings == ("word times of engine-1: 'Well' lasts 3.0 s, wanted 2.5 s or less",)


def test_an_estimate_is_always_to_be_had() -> None:
    aligned = align(take_of(), *(Saying(f"{name}-1", answer) for name, (answer, _) in FAULTS.items()))
    assert [(word.text, word.source) for word in aligned.words] == [
        ("Well", TimeSource.ESTIMATE),
        ("yes", TimeSource.ESTIMATE),
    ]
    assert (aligned.aligner, aligned.resolution_ms) == (ESTIMATOR, RESOLUTION_MS)
    assert len(aligned.warnings) == len(FAULTS)


def test_an_aligner_that_can_never_answer_stops_the_run() -> None:
    with pytest.raises(TerminalBackendError, match="no such model"):
        align(take_of(), Saying("first-1", fails(TerminalBackendError("no such model"))))

"""Who says when the words of a take are spoken: a ladder, best rung first.

    the engine itself --> an aligner --> another aligner --> the estimate
                      |              |                   |
                      `--------------`-------------------`- its words do not fit text and sound, it finds no way
                                                            through, it does not answer: one rung down

A clip with estimated times is worth more than no clip, and every word says where its times come from: so a rung
that fails costs a warning, never the take. Only a rung that can never work (TerminalBackendError: a wrong address,
a missing model) stops the run, because all its clips would be worse than what was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.word_times import ESTIMATOR, RESOLUTION_MS, check_words, estimate_words
from pipeline.domain.errors import RecordError, TransientBackendError
from pipeline.domain.labels import Language
from pipeline.domain.takes import Take
from pipeline.domain.words import Word
from pipeline.ports import Aligner


@dataclass(frozen=True, slots=True)
class Aligned:
    """Words of a take, and where their times come from."""

    words: tuple[Word, ...]
    aligner: str | None
    """None: the engine itself."""
    resolution_ms: float | None
    """None: exact to a sample."""
    warnings: tuple[str, ...] = ()
    """Why better rungs were not used."""


async def align_words(take: Take, text: str, language: Language, aligners: Sequence[Aligner]) -> Aligned:
    """Times for every word of `text`, from the first rung whose times can be believed.

    Raises RecordError for a text without words and for a take with fewer samples than words, TerminalBackendError
    for an aligner that can never answer.
    """
    warnings: list[str] = []
    if take.words:
        problem = check_words(take.words, text, len(take.samples), take.sampling_rate)
        if problem is None:
            return Aligned(take.words, None, take.resolution_ms)
        warnings.append(f"word times of {take.engine}: {problem}")
    for aligner in aligners:
        try:
            words = await aligner.align(take.samples, take.sampling_rate, text, language)
            problem = check_words(words, text, len(take.samples), take.sampling_rate)
        except (RecordError, TransientBackendError) as error:
            problem = str(error)
        else:
            if problem is None:
                return Aligned(words, aligner.name, aligner.resolution_ms, tuple(warnings))
        warnings.append(f"word times of {aligner.name}: {problem}")
    words = estimate_words(take.samples, take.sampling_rate, text, language)
    return Aligned(words, ESTIMATOR, RESOLUTION_MS, tuple(warnings))

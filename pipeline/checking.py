"""Measuring a finished run's audio against its records."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.core.checks import Code, Finding, check_dataset, check_dialogue
from pipeline.domain.errors import BackendError
from pipeline.domain.timeline import Dialogue
from pipeline.io.audio import read_pcm16
from pipeline.io.run_directory import RunDirectory


def check_run(run_directory: Path) -> Iterator[Finding]:
    """Every finding of a run: per dialogue from its audio, then across the dataset.

    Nothing found means that the records and the audio agree in everything that is measured.
    Raises ConfigError where there is no finished run.
    """
    run = RunDirectory(run_directory)
    for dialogue in run.read_dialogues():
        yield from _check_one(run_directory, dialogue)
    yield from check_dataset(run.read_dialogues())


def _check_one(run_directory: Path, dialogue: Dialogue) -> Iterator[Finding]:
    path = run_directory / dialogue.audio.path
    try:
        samples, sampling_rate = read_pcm16(path)
    except BackendError as error:
        yield Finding(
            code=Code.MISSING_AUDIO,
            dialogue_id=dialogue.timeline.dialogue_id,
            supervision_id=None,
            start_s=None,
            end_s=None,
            detail=str(error),
        )
        return
    yield from check_dialogue(dialogue, samples, sampling_rate)

"""Measuring a finished run's audio against its records."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from pipeline.backends.vad import DEFAULT, find_detector
from pipeline.core.checks import (
    Code,
    Detect,
    DialogueCheck,
    Finding,
    Limits,
    Tally,
    check_dataset,
    measure_dialogue,
)
from pipeline.core.checks.signals import Pcm
from pipeline.domain.errors import BackendError
from pipeline.domain.span import Span
from pipeline.domain.timeline import AudioFile, Dialogue
from pipeline.io.audio import read_pcm16
from pipeline.io.run_directory import RunDirectory
from pipeline.ports import VoiceActivityDetector
from pipeline.run_records import read_description


class CheckProgress(Protocol):
    """Who watches a check."""

    def advance(self) -> None:
        """One more dialogue is measured."""
        ...


class Unwatched:
    """Nobody does."""

    def advance(self) -> None:
        """Go on."""


class RunCheck:
    """The check of one run: iterate over `findings`, then read `summary`."""

    def __init__(self, run_directory: Path, detector: VoiceActivityDetector | None = None) -> None:
        """Raises ConfigError where there is no finished run."""
        detector = detector or find_detector(DEFAULT)
        config = read_description(run_directory).config
        self._run = RunDirectory(run_directory)
        self._limits = Limits(loudness_lufs=config.speech.loudness_lufs)
        self._detect = _detect_with(detector)
        self._tally = Tally(limits=self._limits, detector=detector.name)
        self.summary = self._tally.summary
        """Figures of what was measured so far."""

    def findings(self, progress: CheckProgress | None = None) -> Iterator[Finding]:
        """Everything that is wrong: per dialogue from its audio, then across the dataset.

        Nothing found means that the records and the audio agree in everything that is measured.
        """
        progress = progress or Unwatched()
        for dialogue in self._run.read_dialogues():
            check = self._check_one(dialogue)
            self._tally.add(check, dialogue.audio.sampling_rate, dialogue.audio.num_samples)
            yield from check.findings
            progress.advance()
        across = (*check_dataset(self._run.read_dialogues()), *self._tally.dataset_findings())
        self._tally.count(across)
        yield from across

    def _check_one(self, dialogue: Dialogue) -> DialogueCheck:
        path = self._run.path / dialogue.audio.path
        unfit = _unfit(path, dialogue.audio)
        if unfit is None:
            try:
                samples, sampling_rate = read_pcm16(path)
            except BackendError as error:
                unfit = (Code.MISSING_AUDIO, str(error))
        if unfit is not None:
            code, detail = unfit
            finding = Finding(code=code, dialogue_id=dialogue.timeline.dialogue_id, detail=detail)
            return DialogueCheck((finding,))
        return measure_dialogue(dialogue, samples, sampling_rate, self._limits, self._detect)


def check_run(run_directory: Path) -> Iterator[Finding]:
    """Every finding of a run, without its figures. Raises ConfigError where there is no finished run."""
    return RunCheck(run_directory).findings()


def count_dialogues(run_directory: Path) -> int:
    """How many a check will measure."""
    return sum(1 for _ in RunDirectory(run_directory).read_dialogues())


def _detect_with(detector: VoiceActivityDetector) -> Detect:
    def detect(samples: Pcm, sampling_rate: int) -> tuple[Span, ...]:
        return detector.detect(samples, sampling_rate)

    return detect


def _unfit(path: Path, audio: AudioFile) -> tuple[Code, str] | None:
    """What the file's size tells before it is opened."""
    try:
        size = path.stat().st_size
    except OSError as error:
        return Code.MISSING_AUDIO, f"{path}: not there ({error.strerror}); render the run again"
    if size < audio.num_bytes:
        detail = f"{path}: {size} bytes, written with {audio.num_bytes}: cut off; render the run again"
        return Code.TRUNCATED_FILE, detail
    return None

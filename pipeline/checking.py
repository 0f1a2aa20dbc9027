"""Measuring the audio of a finished run, or of mined talk, against its records."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline.backends.vad import DEFAULT, find_detector
from pipeline.core.checks import (
    RECORDED,
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
from pipeline.domain.timeline import Dialogue
from pipeline.io.audio import read_pcm16
from pipeline.io.files import audio_file_digest
from pipeline.io.mined_files import is_mined, require_audio
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
        """Raises ConfigError where there is no finished run, and no mined talk with its audio."""
        detector = detector or find_detector(DEFAULT)
        self._run = RunDirectory(run_directory)
        self._limits = _limits_of(run_directory)
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
        try:
            sound = _decode(path, dialogue)
        except _UnfitError as unfit:
            return DialogueCheck((unfit.finding,))
        check = measure_dialogue(dialogue, sound.samples, sound.sampling_rate, self._limits, self._detect)
        return replace(check, findings=(*sound.findings, *check.findings))


def _limits_of(run_directory: Path) -> Limits:
    """What a run promised; of recorded talk, what can be asked of any."""
    if is_mined(run_directory):
        require_audio(run_directory, "check")
        return RECORDED
    return Limits(loudness_lufs=read_description(run_directory).config.speech.loudness_lufs)


def count_dialogues(run_directory: Path) -> int:
    """How many a check will measure."""
    return sum(1 for _ in RunDirectory(run_directory).read_dialogues())


def _detect_with(detector: VoiceActivityDetector) -> Detect:
    def detect(samples: Pcm, sampling_rate: int) -> tuple[Span, ...]:
        return detector.detect(samples, sampling_rate)

    return detect


class _UnfitError(Exception):
    """A file in which nothing can be measured."""

    def __init__(self, code: Code, dialogue: Dialogue, detail: str) -> None:
        super().__init__(detail)
        self.finding = Finding(code=code, dialogue_id=dialogue.timeline.dialogue_id, detail=detail)


@dataclass(frozen=True, slots=True)
class _Sound:
    """A file's content, and what is wrong with the file itself."""

    samples: Pcm
    sampling_rate: int
    findings: tuple[Finding, ...]


def _decode(path: Path, dialogue: Dialogue) -> _Sound:
    """Read a dialogue's file and hold its bytes against what was written.

    Size alone proves nothing: the same samples encoded again may take fewer bytes. Cut off is what has fewer
    bytes and decodes to fewer samples, or (as FLAC does) not at all.
    """
    audio = dialogue.audio
    try:
        size = path.stat().st_size
        digest = audio_file_digest(path)
    except OSError as error:
        detail = f"{path}: cannot be opened ({error.strerror}); render the run again"
        raise _UnfitError(Code.MISSING_AUDIO, dialogue, detail) from error
    said = f"{path}: {size} bytes, written with {audio.num_bytes}"
    try:
        samples, sampling_rate = read_pcm16(path)
    except BackendError as error:
        if size < audio.num_bytes:
            detail = f"{said}: cut off, and not to be decoded; render the run again"
            raise _UnfitError(Code.TRUNCATED_FILE, dialogue, detail) from error
        raise _UnfitError(Code.MISSING_AUDIO, dialogue, str(error)) from error
    if size < audio.num_bytes and len(samples) < audio.num_samples:
        detail = f"{said}: cut off after {len(samples)} of {audio.num_samples} samples; render the run again"
        raise _UnfitError(Code.TRUNCATED_FILE, dialogue, detail)
    if digest == audio.digest:
        return _Sound(samples, sampling_rate, ())
    detail = (
        f"{said}: its digest is {digest}, wanted {audio.digest}: changed or encoded again "
        "since it was written; render the run again"
    )
    name = dialogue.timeline.dialogue_id
    return _Sound(
        samples,
        sampling_rate,
        (Finding(code=Code.AUDIO_CHANGED, dialogue_id=name, detail=detail),),
    )

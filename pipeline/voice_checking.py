"""`humdial voices check`: every recording of a catalogue is measured again, and the catalogue is looked at as a whole.

A recording may have been replaced or cut since it was added, a row may have been written by hand, and limits change.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.voice_admission import VoiceProblem
from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record
from pipeline.domain.voice import Reference, Voice
from pipeline.io.voice_recordings import VoiceRecording, decode_recording
from pipeline.io.voices import Voices, load_voices
from pipeline.ports import Transcriber
from pipeline.voice_adding import PLAIN, Examined, check_apart, examine, recordings_of

_SAME_F0 = 0.05
_SAME_LENGTH_S = 0.01


class CheckedVoice(Record):
    """One voice with recordings."""

    voice_id: str
    examined: tuple[Examined, ...]
    findings: tuple[str, ...]
    """Everything that is wrong, for a person."""


class PersonCount(Record):
    """How many persons one backend can cast in one language and split."""

    backend: str
    language: str
    split: str
    persons: int

    @property
    def enough_for(self) -> str:
        """Every speaker of a dialogue is another person."""
        return (
            ("", "one speaker (emotional)", "user and assistant")[self.persons]
            if self.persons < 3
            else "a third party"
        )


def check_voices(catalogue: Path | None, transcriber: Transcriber | None = None) -> tuple[CheckedVoice, ...]:
    """Every voice with recordings, in the catalogue's order. Raises ConfigError for a catalogue that cannot be read."""
    voices = load_voices(catalogue)
    return tuple(
        _check(voice, voices, voices.all[:index], transcriber)
        for index, voice in enumerate(voices.all)
        if recordings_of(voice)
    )


def count_persons(catalogue: Path | None) -> tuple[PersonCount, ...]:
    """Persons by backend, language and split: the shipped ones and those of the catalogue."""
    persons: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for voice in load_voices(catalogue).all:
        persons[voice.backend, voice.language.value, voice.split.value].add(voice.speaker)
    return tuple(
        PersonCount(backend=backend, language=language, split=split, persons=len(who))
        for (backend, language, split), who in sorted(persons.items())
    )


def _check(
    voice: Voice, voices: Voices, before: tuple[Voice, ...], transcriber: Transcriber | None
) -> CheckedVoice:
    examined: list[Examined] = []
    findings: list[str] = []
    recordings: dict[str, VoiceRecording] = {}
    for use, reference in recordings_of(voice):
        try:
            recording = decode_recording(voices.read_reference(reference), reference.audio)
        except ConfigError as error:
            findings.append(f"{use}: {error}")
            continue
        recordings[use] = recording
        found = examine(recording, use, reference.transcript, voice.language, voice.gender, transcriber)
        examined.append(found)
        problems = (*found.problems, *_differences(voice, use, reference, found))
        findings += [f"{use}: {problem}" for problem in problems]
    findings += _mixed_up(voice, recordings, Voices(before, voices.root))
    return CheckedVoice(voice_id=voice.voice_id, examined=tuple(examined), findings=tuple(findings))


def _differences(voice: Voice, use: str, reference: Reference, found: Examined) -> Iterator[VoiceProblem]:
    """Figures of the row that are not those of the recording."""
    measures = found.measures
    if measures is None:
        return
    if abs(measures.duration_s - reference.duration_s) > _SAME_LENGTH_S:
        yield _written("duration_s", reference.duration_s, measures.duration_s)
    f0_hz, written_hz = measures.median_f0_hz, voice.median_f0_hz
    if use == PLAIN and f0_hz and written_hz and abs(f0_hz / written_hz - 1) > _SAME_F0:
        yield _written("median_f0_hz", written_hz, round(f0_hz, 1))


def _written(figure: str, written: float, measured: float) -> VoiceProblem:
    return VoiceProblem(
        figure=figure,
        got=f"{written:g} in the catalogue",
        wanted=f"{measured:g}, as measured",
        remedy="correct the row",
    )


def _mixed_up(voice: Voice, recordings: dict[str, VoiceRecording], before: Voices) -> Iterator[str]:
    try:
        check_apart(voice, recordings, before)
    except ConfigError as error:
        yield str(error)

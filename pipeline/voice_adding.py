"""A recorded voice enters a catalogue: its recordings are measured, compared with those that are there, and kept.

    clips + transcripts --measure--> problems? nothing is written
                        --compare--> another speaker's recording, another split? ConfigError
                        --keep-----> references/<sha256>-<name>.wav, then the row: whole or not at all

The same command again changes nothing; with one more mood or a short recording it adds that. What is there is never
replaced, because clips that were made with it stay in stores.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from pipeline.core.content import ContentLimits, check_content
from pipeline.core.voice_admission import (
    REFERENCE,
    SHORT_REFERENCE,
    RecordingLimits,
    VoiceProblem,
    doubts,
    file_problems,
    recording_problems,
    transcript_problems,
)
from pipeline.core.voice_measures import VoiceMeasures, measure_voice, same_recording
from pipeline.domain.errors import BadTakeError, ConfigError
from pipeline.domain.labels import Emotion, Gender, Language
from pipeline.domain.record import Record
from pipeline.domain.voice import EmotionalReference, Reference, Voice
from pipeline.io.catalogue_rows import write_voice
from pipeline.io.voice_recordings import (
    VoiceRecording,
    decode_recording,
    read_recording,
    store_recording,
    writing_alone,
)
from pipeline.io.voices import Catalogue, Voices, load_catalogue
from pipeline.ports import Transcriber
from pipeline.stages.speech_servers_config import TranscriberConfig

PLAIN, SHORT = "plain", "short"
"""Uses of a recording; the others are its moods."""
_USES = (PLAIN, SHORT, *(emotion.value for emotion in Emotion))
_NO_CONSENT = frozenset({"", "no", "false", "0", "none", "unknown"})
"""No ground, whatever is written: the CosyVoice worker refuses the same."""
_LONGEST_CONSENT = 500
_CUT_S = 1.0
"""Copies of a recording are looked for among those whose length differs by no more."""


@dataclass(frozen=True, slots=True)
class GivenRecording:
    """A file, and what is said in it."""

    use: str
    """`plain`, `short`, or an emotion."""
    clip: Path
    transcript: str


class Examined(Record):
    """One recording of a voice, and what speaks against it."""

    use: str
    recording: str
    """The file's name."""
    measures: VoiceMeasures | None
    """None for a file without a sample, or with samples that are no numbers."""
    problems: tuple[VoiceProblem, ...]
    doubts: tuple[str, ...]


class Addition(Record):
    """What came of `humdial voices add`."""

    outcome: Literal["added", "extended", "unchanged", "refused"]
    voice: Voice | None
    """As the catalogue has it now; None where it was refused."""
    examined: tuple[Examined, ...]
    restored: tuple[str, ...] = ()
    """Recordings of a known voice that were gone or damaged, and are there again."""
    comments_kept: bool = True
    """False: the catalogue was written anew, and comments in it are lost."""


def add_voice(
    row: Voice, given: Sequence[GivenRecording], catalogue: Path, transcriber: Transcriber | None = None
) -> Addition:
    """Measure recordings of a voice, a plain one among them, and add them to a catalogue.

    `row` says who speaks, without recordings; `clip` names of `given` are what messages speak of.
    Raises ConfigError for what no other recording mends (an id that is taken, a speaker of another split), and what
    the transcriber raises.
    """
    consent = (row.consent or "").strip()
    if consent.lower() in _NO_CONSENT or len(consent) > _LONGEST_CONSENT:
        raise ConfigError(
            f"voices: {row.voice_id}: consent is {consent[:60]!r}; wanted who agreed, and where that is written, in "
            f"{_LONGEST_CONSENT} characters; remedy: --consent 'release signed by ... on ..., kept in ...'"
        )
    given = sorted(given, key=lambda one: _USES.index(one.use))
    recordings = tuple(read_recording(one.clip) for one in given)
    examined = tuple(
        examine(recording, one.use, one.transcript, row.language, row.gender, transcriber)
        for one, recording in zip(given, recordings, strict=True)
    )
    if any(one.problems for one in examined):
        return Addition(outcome="refused", voice=None, examined=examined)
    wanted = _with_recordings(row, given, recordings, examined)
    with writing_alone(catalogue.parent):
        return _keep(wanted, dict(zip(_uses(wanted), recordings, strict=True)), examined, catalogue)


def open_transcriber(url: str, model: str) -> AbstractContextManager[Transcriber]:
    """Who hears what is said in recordings. Raises ConfigError, and TransientBackendError where nobody is there."""
    try:
        import jiwer  # noqa: F401 - counts what was heard wrong

        from pipeline.backends import speech_servers
        from pipeline.backends.speech_servers.servers import problem_of
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"voices: --transcriber: {error.name} is not installed; remedy: pip install 'humdial-pipeline[speech]'"
        ) from error
    problem = problem_of(url)
    if problem:
        raise ConfigError(f"voices: --transcriber: {problem}")
    usual = TranscriberConfig(model=model)
    server = speech_servers.SpeechServer(url.rstrip("/"))
    return speech_servers.ServedTranscriber(
        speech_servers.TranscriberSettings(model, (server,), usual.patience, usual.slowest)
    )


def examine(
    recording: VoiceRecording,
    use: str,
    transcript: str,
    language: Language,
    gender: Gender,
    transcriber: Transcriber | None,
) -> Examined:
    """Measure one recording, and hear it if there is somebody who can."""
    limits = limits_of(use)
    problems = file_problems(recording.encoding, len(recording.channels))
    channel = recording.channels[0]
    bad = int(np.count_nonzero(~np.isfinite(channel.samples)))
    if bad or not len(channel.samples):
        got = f"{bad} samples that are no numbers" if bad else "not one sample"
        missing = VoiceProblem(figure="samples", got=got, wanted="sound", remedy="export the recording again")
        return Examined(
            use=use, recording=recording.name, measures=None, problems=(*problems, missing), doubts=()
        )
    measures = measure_voice(channel.samples, channel.sampling_rate)
    problems += recording_problems(measures, limits)
    if measures.level_dbfs is not None:
        problems += transcript_problems(measures, transcript, language, limits)
    if transcriber is not None and not problems:
        problems += tuple(_misheard(recording, transcript, language, transcriber))
    return Examined(
        use=use,
        recording=recording.name,
        measures=measures,
        problems=problems,
        doubts=doubts(measures, gender) if use == PLAIN else (),
    )


def limits_of(use: str) -> RecordingLimits:
    """What a recording of one use has to be like."""
    return SHORT_REFERENCE if use == SHORT else REFERENCE


def recordings_of(voice: Voice) -> tuple[tuple[str, Reference], ...]:
    """A voice's recordings, each with its use."""
    plain = ((PLAIN, voice.reference),) if voice.reference else ()
    short = ((SHORT, voice.short_reference),) if voice.short_reference else ()
    moods = tuple((one.emotion.value, one.reference) for one in voice.emotional_references)
    return (*plain, *short, *moods)


def check_apart(voice: Voice, recordings: Mapping[str, VoiceRecording], catalogue: Voices) -> None:
    """No recording, by its use, serves twice in a voice, or is another speaker's. Raises ConfigError."""
    for (use, one), (other_use, other) in combinations(recordings.items(), 2):
        if _alike(one, other):
            raise _twice(voice, use, other_use)
    for other_voice in catalogue.all:
        for other_use, reference in recordings_of(other_voice):
            for use, recording in recordings.items():
                own = other_voice.voice_id == voice.voice_id
                if own and use != other_use and _is_copy(recording, reference, catalogue):
                    raise _twice(voice, use, other_use)
                if other_voice.speaker != voice.speaker and _is_copy(recording, reference, catalogue):
                    raise ConfigError(
                        f"voices: {recording.name} is the {other_use} recording of {other_voice.voice_id}, whose "
                        f"speaker is {other_voice.speaker}, not {voice.speaker}; wanted a speaker under one name, else "
                        f"splits share a voice; remedy: --speaker {other_voice.speaker}, or another recording"
                    )


def _twice(voice: Voice, use: str, other_use: str) -> ConfigError:
    return ConfigError(
        f"voices: {voice.voice_id}: the {use} and the {other_use} recording are the same; wanted different ones; "
        "remedy: leave one away"
    )


def _uses(voice: Voice) -> Iterator[str]:
    return (use for use, _ in recordings_of(voice))


def _is_copy(recording: VoiceRecording, reference: Reference, others: Voices) -> bool:
    if recording.sha256 == reference.sha256:
        return True
    channel = recording.channels[0]
    if abs(len(channel.samples) / channel.sampling_rate - reference.duration_s) > _CUT_S:
        return False
    return _alike(recording, decode_recording(others.read_reference(reference), reference.audio))


def _alike(one: VoiceRecording, other: VoiceRecording) -> bool:
    first, second = one.channels[0], other.channels[0]
    return one.content == other.content or same_recording(
        first.samples, first.sampling_rate, second.samples, second.sampling_rate
    )


def _misheard(
    recording: VoiceRecording, transcript: str, language: Language, transcriber: Transcriber
) -> Iterator[VoiceProblem]:
    channel = recording.channels[0]
    heard = asyncio.run(transcriber.transcribe(channel.samples, channel.sampling_rate, language))
    try:
        check_content(transcript, heard, language, ContentLimits())
    except BadTakeError as error:
        yield VoiceProblem(
            figure="transcript",
            got=error.detail.partition("; wanted ")[0],
            wanted=f"what {transcriber.name} hears",
            remedy="write exactly what is said",
        )


def _with_recordings(
    row: Voice,
    given: Sequence[GivenRecording],
    recordings: Sequence[VoiceRecording],
    examined: Sequence[Examined],
) -> Voice:
    """The catalogue's row of a voice."""
    references = {
        one.use: Reference(
            audio=recording.place,
            sha256=recording.sha256,
            transcript=one.transcript,
            duration_s=found.measures.duration_s,
        )
        for one, recording, found in zip(given, recordings, examined, strict=True)
        if found.measures is not None
    }
    measured = {one.use: one.measures for one in examined}
    plain = measured[PLAIN]
    f0_hz = None if plain is None else plain.median_f0_hz
    return row.model_copy(
        update={
            "median_f0_hz": None if f0_hz is None else round(f0_hz, 1),
            "reference": references[PLAIN],
            "short_reference": references.get(SHORT),
            "emotional_references": tuple(
                EmotionalReference(emotion=emotion, reference=references[emotion.value])
                for emotion in Emotion
                if emotion.value in references
            ),
        }
    )


def _keep(
    wanted: Voice, recordings: Mapping[str, VoiceRecording], examined: tuple[Examined, ...], catalogue: Path
) -> Addition:
    own = load_catalogue(catalogue) if catalogue.exists() else ()
    known = next((voice for voice in own if voice.voice_id == wanted.voice_id), None)
    voice = wanted if known is None else _extended(known, wanted)
    others = tuple(other for other in own if other is not known)
    _check_catalogue((*load_catalogue(), *others, voice), catalogue)
    check_apart(voice, recordings, Voices(own, catalogue.absolute().parent))
    places = {reference.sha256: reference.audio for _, reference in recordings_of(voice)}
    there_before = {reference.sha256 for _, reference in recordings_of(known)} if known else set()
    stored = [
        one for one in recordings.values() if store_recording(catalogue, places[one.sha256], one.content)
    ]
    kept = True if voice == known else write_voice(catalogue, voice)
    return Addition(
        outcome="added" if known is None else "unchanged" if voice == known else "extended",
        voice=voice,
        examined=examined,
        restored=tuple(places[one.sha256] for one in stored if one.sha256 in there_before),
        comments_kept=kept,
    )


def _check_catalogue(voices: tuple[Voice, ...], path: Path) -> None:
    try:
        Catalogue(voices=voices)
    except ValidationError as error:
        problems = "; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors())
        raise ConfigError(
            f"voices: {path}, together with the shipped catalogue: {problems}; remedy: another --id, or the speaker's "
            "own split and gender"
        ) from None


def _extended(known: Voice, wanted: Voice) -> Voice:
    """A known voice with recordings for uses that it has none for. Raises ConfigError where anything else differs."""
    for name in ("speaker", "language", "gender", "split", "backend", "backend_voice", "licence", "consent"):
        has: object = getattr(known, name)
        asked: object = getattr(wanted, name)
        if has != asked:
            raise _taken(known, name, str(has), str(asked))
    moods = {one.emotion: one for one in known.emotional_references}
    for one in wanted.emotional_references:
        reference = _same(known, one.emotion.value, _reference(moods.get(one.emotion)), one.reference)
        moods[one.emotion] = EmotionalReference(emotion=one.emotion, reference=reference)
    if known.reference is None or wanted.reference is None:
        raise _taken(known, "plain recording", "none", "one")
    short = wanted.short_reference
    return known.model_copy(
        update={
            "reference": _same(known, PLAIN, known.reference, wanted.reference),
            "short_reference": _same(known, SHORT, known.short_reference, short)
            if short
            else known.short_reference,
            "emotional_references": tuple(moods[emotion] for emotion in Emotion if emotion in moods),
        }
    )


def _reference(one: EmotionalReference | None) -> Reference | None:
    return None if one is None else one.reference


def _same(known: Voice, use: str, has: Reference | None, asked: Reference) -> Reference:
    """What the voice has for a use, if it is what is asked for; what is asked for if it has none."""
    if has is None:
        return asked
    if has.sha256 != asked.sha256:
        raise _taken(known, f"{use} recording", has.audio, f"sha256 {asked.sha256[:16]}")
    if has.transcript != asked.transcript:
        raise _taken(
            known, f"transcript of the {use} recording", repr(has.transcript), repr(asked.transcript)
        )
    return has


def _taken(known: Voice, what: str, has: str, asked: str) -> ConfigError:
    return ConfigError(
        f"voices: {known.voice_id} is in the catalogue with another {what}: {has}, got {asked}; a voice is never "
        "replaced, for clips that were made with it stay in stores; remedy: another --id"
    )

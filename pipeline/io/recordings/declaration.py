"""The declaration of a mining run: which recordings, what may be done with them, and every threshold. One YAML file.

Recordings are named one by one, or as corpora (`sources`), which are looked through when the file is read: what is run
and stored names every recording.

    rights: {corpus: my-calls, licence_id: CC-BY-4.0, consent_basis: recorded-consent}
    recordings:
      - {recording_id: monday, audio: [monday.flac], speakers: [agent, caller], language: en}
    sources:
      - {layout: candor, path: candor, limit: 50}
      - {layout: fisher, path: fisher, speech_from: turns, split: train}
      - {layout: switchboard, path: swb1, text: swb_ms98_transcriptions, speaker_table: callers.csv}
      - {layout: ami, path: amicorpus, text: ami_public_manual_1.6.2}
      - {layout: harper_valley, path: gridspace-stanford-harper-valley/data}
      - {layout: two_channel, path: calls, pair: ["{id}-agent.wav", "{id}-caller.wav"], language: zh}
      - {layout: rttm, path: rttm, audio: wav, audio_name: "{id}.flac"}
"""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from pipeline.core.mining.limits import EventLimits, SegmentLimits
from pipeline.core.mining.quality import QualityLimits
from pipeline.core.mining.segment_audio import SegmentAudio
from pipeline.core.mining.splits import SplitRule
from pipeline.core.mining.timbre import TimbreLimits
from pipeline.core.probing import ProbeLimits
from pipeline.core.suppression import SuppressionLimits
from pipeline.domain.diarization import DiarizerChoice
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language, Split
from pipeline.domain.mining import Recording, Rights
from pipeline.domain.record import Record
from pipeline.io.recordings.given import UnusableRecording
from pipeline.io.recordings.layouts import DeclaredSource
from pipeline.io.recordings.layouts.source import Source, id_part
from pipeline.io.yaml_text import load_yaml

UNSTATED = Rights(corpus="unstated", licence_id="unstated", consent_basis="unstated")
"""Of audio that is named on the command line: nobody said that anything is allowed."""


class Listening(Record):
    """How audio is heard. What is cached is heard again when any of it changes."""

    detector: Literal["energy", "webrtc", "silero"] = "energy"
    """Who finds speech in a channel; silero (a network, extra package) for noise, energy for clean lines."""
    suppression: SuppressionLimits = SuppressionLimits()
    probe: ProbeLimits = ProbeLimits()


class DeclaredRecording(Record):
    """One conversation, as it is written down; the declaration's rights hold where it has none of its own."""

    recording_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
    audio: tuple[str, ...] = Field(default=(), max_length=2)
    rttm: str | None = None
    words: str | None = None
    speakers: tuple[str, ...] = ()
    language: Language | None = None
    split: Split | None = None
    dyadic: bool = True
    rights: Rights | None = None
    problem: str | None = None
    """What its source lacks; it is refused with this. Written where a run is stored, so that it can be repeated."""

    @model_validator(mode="after")
    def _speakers_have_names(self) -> Self:
        problem = _unfit_names(self.speakers, self.audio)
        if problem is not None:
            raise ValueError(problem)
        return self


class Declaration(Record):
    """A mining run. Relative paths count from the declaration's directory."""

    rights: Rights | None = None
    """Of all recordings that state none. A recording without any is refused."""
    recordings: tuple[DeclaredRecording, ...] = Field(min_length=1)
    listening: Listening = Listening()
    events: EventLimits = EventLimits()
    segments: SegmentLimits = SegmentLimits()
    quality: QualityLimits = QualityLimits()
    diarizer: DiarizerChoice | None = None
    """Who tells the speakers of a one-channel recording apart; without one, such a recording is refused."""
    timbre: TimbreLimits = TimbreLimits()
    workers: int = Field(default=2, ge=1, le=256)
    """Recordings that are heard at once; never changes the result."""
    splits: SplitRule = SplitRule()
    """How recordings that declare no split get one."""
    export_audio: bool = False
    """Cut out the audio of what is kept: where every recording's rights allow redistribution, or `i_have_rights`."""
    i_have_rights: bool = False
    """Said by whoever mines, against what `rights` say; it is written on every row."""
    audio: SegmentAudio = SegmentAudio()
    """What exported audio is like."""


class _WrittenDeclaration(Declaration):
    """A declaration as it is written: recordings, and corpora that have some."""

    recordings: tuple[DeclaredRecording, ...] = ()
    sources: tuple[DeclaredSource, ...] = ()

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.recordings and not self.sources:
            raise ValueError("recordings or sources: wanted at least one of either")
        return self


def read_declaration(path: Path) -> Declaration:
    """Read a declaration. Raises ConfigError naming file, key and the nearest known key."""
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error}); wanted a YAML declaration of recordings"
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    try:
        written = _WrittenDeclaration.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error)}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}; wanted text and numbers only") from error
    found = (recording for source in written.sources for recording in _expanded(source, written, path))
    complete = written.model_copy(update={"recordings": (*written.recordings, *found)})
    declaration = Declaration.from_line(complete.model_dump_json(exclude={"sources"}))
    _check_ids(path, declaration)
    return declaration


def declare_audio(paths: tuple[Path, ...], channels: tuple[int, ...]) -> Declaration:
    """A declaration of audio files: one of two channels is a recording, two of one channel in a row are one too.

    `channels` says how many each file has (0: not to be read); a file that is neither is a recording of its own, so
    that it is refused with its reason. So is whatever stands before it without a partner: the next file of one channel
    is of another call.

    ::

        a1 (1)  b1 (unreadable)  a2 (1)  b2 (1)     -->   a1 | b1 | a2 + b2
    """
    recordings: list[DeclaredRecording] = []
    waiting: tuple[Path, ...] = ()
    for path, count in zip(paths, channels, strict=True):
        if count == 1:
            waiting = (*waiting, path)
        elif waiting:
            recordings.append(_named(waiting, recordings))
            waiting = ()
        if count != 1 or len(waiting) == 2:
            recordings.append(_named(waiting or (path,), recordings))
            waiting = ()
    if waiting:
        recordings.append(_named(waiting, recordings))
    return Declaration(rights=UNSTATED, recordings=tuple(recordings))


def recordings_of(declaration: Declaration) -> tuple[tuple[Recording, ...], tuple[str, ...]]:
    """Recordings with their rights, and the ids of those that have none."""
    known, without = [], []
    for declared in declaration.recordings:
        rights = declared.rights or declaration.rights
        if rights is None:
            without.append(declared.recording_id)
            continue
        known.append(_recording(declared, rights))
    return tuple(known), tuple(without)


def _recording(declared: DeclaredRecording, rights: Rights) -> Recording:
    recording = Recording(
        recording_id=declared.recording_id,
        audio=declared.audio,
        rttm=declared.rttm,
        words=declared.words,
        speakers=declared.speakers,
        language=declared.language,
        split=declared.split,
        dyadic=declared.dyadic,
        rights=rights,
    )
    if declared.problem is None:
        return recording
    return UnusableRecording(**recording.model_dump(), problem=declared.problem)


def _expanded(source: Source, written: Declaration, path: Path) -> Iterator[DeclaredRecording]:
    """Every conversation of a source, under the rights that its corpus has unless others are written down."""
    try:
        conversations = source.find(path.absolute().parent)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    rights = source.rights or source.terms
    stated = rights or written.rights
    corpus = id_part(stated.corpus) if stated is not None else "recordings"
    for one in conversations:
        nameless = _unfit_names(one.speakers, one.audio)
        yield DeclaredRecording(
            recording_id=f"{corpus}:{one.name}",
            audio=one.audio,
            rttm=one.rttm,
            words=one.words,
            speakers=() if nameless else one.speakers,
            language=source.language,
            split=source.split,
            dyadic=one.dyadic,
            rights=rights,
            problem=one.problem or nameless,
        )


def _unfit_names(speakers: tuple[str, ...], audio: tuple[str, ...]) -> str | None:
    """Why speakers cannot be told apart by their names, in RTTM neither, which holds no white space."""
    if len({"_".join(name.split()) for name in speakers} - {""}) < len(speakers):
        return f"speakers: got {list(speakers)}; wanted a different name for each, and none that is empty"
    if len(audio) == 2 and len(speakers) not in (0, 2):
        return f"speakers: got {len(speakers)} for two files; wanted two, by file, or none"
    return None


def _named(paths: tuple[Path, ...], others: list[DeclaredRecording]) -> DeclaredRecording:
    """Named after its file; a second one of the same name is numbered. Files stay where the caller named them."""
    stem = id_part(paths[0].stem)
    taken = {other.recording_id.casefold() for other in others}
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    return DeclaredRecording(recording_id=name, audio=tuple(map(str, paths)))


def _check_ids(path: Path, declaration: Declaration) -> None:
    """Files are named after ids, and not every file system tells `a` from `A`."""
    seen: dict[str, str] = {}
    for declared in declaration.recordings:
        name = declared.recording_id
        other = seen.get(name.casefold())
        if other is not None:
            how = "is used twice" if other == name else f"differs from {other!r} in case alone"
            raise ConfigError(f"{path}: recording_id {name!r} {how}; every one needs its own: rename one")
        seen[name.casefold()] = name


def _explain(error: ValidationError) -> str:
    """The first problem: where, what was found, what is known."""
    first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    where = ".".join(map(str, first["loc"])) or "the file"
    if first["type"] == "union_tag_invalid":
        got, known = first["ctx"]["tag"], [str(_layout_of(kind)) for kind in _models_in(DeclaredSource)]
        nearest = difflib.get_close_matches(str(got), known, n=1, cutoff=0.0)
        return f"{where}: unknown layout {got!r}; did you mean {nearest[0]!r}? known: {', '.join(known)}"
    if first["type"] != "extra_forbidden":
        return f"{where}: {first['msg'].removeprefix('Value error, ')}"
    known = _keys_at(first["loc"][:-1])
    nearest = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.0)
    return f"unknown key {where!r}; did you mean {nearest[0]!r}? known here: {', '.join(known)}"


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    """Names of the keys that a section knows."""
    model: type[BaseModel] = _WrittenDeclaration
    for name in location:
        field = model.model_fields.get(str(name))
        kinds = _models_in(field.annotation) if field else ()
        tagged = [kind for kind in _models_in(DeclaredSource) if _layout_of(kind) == name]
        model = next(iter((*tagged, *kinds)), model)
    return sorted(model.model_fields)


def _models_in(annotation: object) -> tuple[type[BaseModel], ...]:
    """Models that a field may hold, at any depth of tuples and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for part in get_args(annotation) for model in _models_in(part))


def _layout_of(model: type[BaseModel]) -> object:
    layout = model.model_fields.get("layout")
    return get_args(layout.annotation)[0] if layout else None

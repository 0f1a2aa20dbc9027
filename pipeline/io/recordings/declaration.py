"""The declaration of a mining run: which recordings, what may be done with them, and every threshold. One YAML file."""

import difflib
import json
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError

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
        declaration = Declaration.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error)}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}; wanted text and numbers only") from error
    _check_ids(path, declaration)
    return declaration


def declare_audio(paths: tuple[Path, ...], channels: tuple[int, ...]) -> Declaration:
    """A declaration of audio files: one of two channels is a recording, two of one channel in a row are one too.

    `channels` says how many each file has (0: not to be read); a file that is neither is a recording of its own, so
    that it is refused with its reason.
    """
    recordings: list[DeclaredRecording] = []
    waiting: Path | None = None
    for path, count in zip(paths, channels, strict=True):
        if count == 1 and waiting is not None:
            recordings.append(_named((waiting, path), recordings))
            waiting = None
        elif count == 1:
            waiting = path
        else:
            recordings.append(_named((path,), recordings))
    if waiting is not None:
        recordings.append(_named((waiting,), recordings))
    return Declaration(rights=UNSTATED, recordings=tuple(recordings))


def recordings_of(declaration: Declaration) -> tuple[tuple[Recording, ...], tuple[str, ...]]:
    """Recordings with their rights, and the ids of those that have none."""
    known, without = [], []
    for declared in declaration.recordings:
        rights = declared.rights or declaration.rights
        if rights is None:
            without.append(declared.recording_id)
        else:
            known.append(
                Recording(
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
            )
    return tuple(known), tuple(without)


def _named(paths: tuple[Path, ...], others: list[DeclaredRecording]) -> DeclaredRecording:
    """Named after its file; a second one of the same name is numbered."""
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in paths[0].stem).lstrip(
        "._-"
    )
    taken = {other.recording_id for other in others}
    name, number = stem or "recording", 1
    while name in taken:
        number += 1
        name = f"{stem or 'recording'}-{number}"
    return DeclaredRecording(recording_id=name, audio=tuple(str(path.absolute()) for path in paths))


def _check_ids(path: Path, declaration: Declaration) -> None:
    seen: set[str] = set()
    for declared in declaration.recordings:
        if declared.recording_id.casefold() in seen:
            raise ConfigError(
                f"{path}: recording_id {declared.recording_id!r} is used twice; every one needs its own"
            )
        seen.add(declared.recording_id.casefold())


def _explain(error: ValidationError) -> str:
    """The first problem: where, what was found, what is known."""
    first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    where = ".".join(map(str, first["loc"])) or "the file"
    if first["type"] != "extra_forbidden":
        return f"{where}: {first['msg']}"
    known = _keys_at(first["loc"][:-1])
    nearest = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.0)
    return f"unknown key {where!r}; did you mean {nearest[0]!r}? known here: {', '.join(known)}"


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    """Names of the keys that a section knows."""
    model: type[BaseModel] = Declaration
    for name in location:
        field = model.model_fields.get(str(name))
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        model = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), model)
    return sorted(model.model_fields)

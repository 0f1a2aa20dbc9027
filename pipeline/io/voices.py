"""The voice catalogue: which speakers there are, and how a backend calls them."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Self

import yaml
from pydantic import Field, ValidationError, model_validator

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Split
from pipeline.domain.record import Record
from pipeline.domain.voice import Reference, Voice
from pipeline.io.yaml_text import load_yaml


class Catalogue(Record):
    """The whole file. No speaker is in two splits, so that no split hears the voices of another."""

    voices: tuple[Voice, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        repeated = [name for name, count in Counter(v.voice_id for v in self.voices).items() if count > 1]
        if repeated:
            raise ValueError(f"voice_id must be unique, got {', '.join(repeated)} more than once")
        first: dict[str, Voice] = {}
        for voice in self.voices:
            other = first.setdefault(voice.speaker, voice)
            if other.split is not voice.split:
                raise ValueError(
                    f"speaker {voice.speaker} must be in one split, "
                    f"got {_place(other.voice_id, other.split)} and {_place(voice.voice_id, voice.split)}"
                )
            if other.gender is not voice.gender:
                raise ValueError(f"speaker {voice.speaker} must have one gender, see {voice.voice_id}")
        return self


def _place(voice_id: str, split: Split) -> str:
    return f"{voice_id} in {split.value}"


def load_catalogue(path: Path | None = None) -> tuple[Voice, ...]:
    """Voices in the order of the file; None reads the shipped catalogue.

    Raises ConfigError naming file, entry and field.
    """
    source: Traversable = files("voices") / "catalogue.yaml" if path is None else path
    name = "voices/catalogue.yaml (shipped)" if path is None else str(path)
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"voices: cannot read the catalogue {name}: {error}; remedy: give a UTF-8 YAML file, or none"
        ) from None
    try:
        content: object = load_yaml(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"voices: {name} is not YAML: {' '.join(str(error).split())}") from None
    try:
        return Catalogue.model_validate(content).voices
    except ValidationError as error:
        problems = "; ".join(_problem(content, e["loc"], e["msg"]) for e in error.errors())
        raise ConfigError(
            f"voices: {name}: {problems}; remedy: correct it as voices/catalogue.schema.json describes"
        ) from None


@dataclass(frozen=True, slots=True)
class Voices:
    """All voices that a run may use, and the recordings that some of them are cloned from."""

    all: tuple[Voice, ...]
    root: Path | None
    """Where references lie; None where there is no catalogue but the shipped one."""

    def read_reference(self, reference: Reference) -> bytes:
        """The audio file. Raises ConfigError where it is gone or is not what the catalogue says."""
        if self.root is None:
            raise ConfigError(f"voices: {reference.audio}: the shipped catalogue has no recordings")
        path = self.root / reference.audio
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"voices: {path}: cannot be read ({error.strerror}); remedy: put it back, or remove the voice"
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != reference.sha256:
            raise ConfigError(
                f"voices: {path}: is not the recording that was added (sha256 {found[:12]}, wanted "
                f"{reference.sha256[:12]}); remedy: humdial voices add it again"
            )
        return content


def load_voices(own: Path | None) -> Voices:
    """The shipped voices, and those of a catalogue of one's own. Raises ConfigError.

    Of a backend that the own catalogue has voices of, the shipped ones step aside: who records speakers for a server
    says who is cast there, and a server has the built-in voices of one model only.
    """
    shipped = load_catalogue()
    if own is None:
        return Voices(shipped, None)
    added = load_catalogue(own)
    try:
        Catalogue(voices=(*shipped, *added))
    except ValidationError as error:
        problems = "; ".join(e["msg"] for e in error.errors())
        raise ConfigError(f"voices: {own}, together with the shipped catalogue: {problems}") from None
    backends = {voice.backend for voice in added}
    stay = (voice for voice in shipped if voice.backend not in backends)
    return Voices((*stay, *added), own.absolute().parent)


def _problem(content: object, location: tuple[int | str, ...], message: str) -> str:
    """`entry 3 (en-f02): median_f0_hz: Input should be greater than 0`"""
    match location:
        case ("voices", int(index), *fields):
            field = ".".join(str(part) for part in fields)
            return (
                f"{_entry(content, index)}: {field}: {message}"
                if field
                else f"{_entry(content, index)}: {message}"
            )
        case ():
            return message
        case _:
            return f"{'.'.join(str(part) for part in location)}: {message}"


def _entry(content: object, index: int) -> str:
    """People count entries by name; the number is for those without one."""
    voices = content.get("voices") if isinstance(content, dict) else None
    entry = voices[index] if isinstance(voices, list) else None
    name = entry.get("voice_id") if isinstance(entry, dict) else None
    return f"entry {index + 1} ({name})" if isinstance(name, str) else f"entry {index + 1}"

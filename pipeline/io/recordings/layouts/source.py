"""What every source has: a folder, rights, language, split, and a way to find its conversations.

::

    sources entry -- find(base) --> Conversation, Conversation, ...     files named as the declaration would name them
                                      '- a file that should be there and is not is named all the same: hearing refuses
                                         the recording with that name; what else is wrong is its `problem`
"""

import csv
import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language, Split
from pipeline.domain.mining import Rights
from pipeline.domain.record import Record

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._-]")

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".sph", ".ogg", ".opus", ".m4a", ".mp4", ".webm")
"""Of files that are taken for audio; what they are is for their heads to say."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a corpus holds about one conversation. Files are relative to the declaration."""

    name: str
    """Its own id in the corpus."""
    audio: tuple[str, ...] = ()
    words: str | None = None
    rttm: str | None = None
    speakers: tuple[str, ...] = ()
    """Ids of persons, where the corpus gives them: a person is never in two splits."""
    dyadic: bool = True
    problem: str | None = None
    """Why it cannot be used; it is refused with this."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as it is declared: files in it are named as the declaration would name them."""

    base: Path
    name: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.base / self.name

    def named(self, relative: str) -> str:
        """A file in it, which need not exist."""
        return (Path(self.name) / relative).as_posix()

    def find(self, pattern: str) -> list[str]:
        """Files at any depth whose own name fits a glob, relative to the folder, sorted."""
        return sorted(file.relative_to(self.path).as_posix() for file in self.path.rglob(pattern))


class Source(Record, ABC):
    """One corpus in a declaration. Its layout's own rights hold unless a whole block replaces them."""

    terms: ClassVar[Rights | None] = None
    """What the terms of the corpus say; None where the layout is no one's corpus."""
    wants: ClassVar[str]
    """What is expected in the folder, for people."""

    path: str = Field(min_length=1)
    """Folder of the corpus, relative to the declaration."""
    rights: Rights | None = None
    language: Language | None = None
    split: Split | None = None
    """Of all its conversations, where a user takes them as one."""
    limit: int | None = Field(default=None, ge=1)
    """So many conversations, drawn by a hash of their ids: corpora are sorted, and a larger limit keeps the same."""
    speaker_table: str | None = None
    """CSV with columns conversation, first, second: who speaks, where the layout does not say it."""

    @abstractmethod
    def conversations(self, folder: Folder) -> Iterator[Conversation]:
        """Every conversation of the folder, complete or not."""

    def find(self, base: Path) -> tuple[Conversation, ...]:
        """Conversations by name, limited, with ids that are fit for use. Raises ConfigError where there are none."""
        folder = Folder(base, self.path)
        if not folder.path.is_dir():
            raise ConfigError(f"sources: {folder.path}: is no folder; wanted {self.wants}")
        found = [replace(one, name=id_part(one.name)) for one in self.conversations(folder)]
        if not found:
            raise ConfigError(f"sources: {folder.path}: holds no conversation; wanted {self.wants}")
        drawn = sorted(found, key=lambda one: hashlib.sha256(one.name.encode()).digest())[: self.limit]
        known = _read_speakers(base / self.speaker_table) if self.speaker_table else {}
        return tuple(
            replace(one, speakers=known.get(one.name, one.speakers))
            for one in sorted(drawn, key=lambda one: one.name)
        )


def id_part(name: str) -> str:
    """A name as part of a recording's id. Where anything had to be replaced, a hash keeps different names apart.

    >>> id_part("call_7"), id_part("调用 7/left"), id_part("甲"), id_part("乙")
    ('call_7', '7_left-e4ef9bd5', 'unnamed-33e3580c', 'unnamed-71530d4c')
    """
    fit = _NOT_IN_IDS.sub("_", name).lstrip("._-")
    if fit and fit == name:
        return name
    return f"{fit or 'unnamed'}-{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:8]}"


def audio_by_stem(files: list[str]) -> dict[str, str]:
    """Audio by name without suffix; what was converted goes before the SPHERE file that it was made of.

    >>> audio_by_stem(["d1/sw02001.sph", "readme.txt", "wav/sw02001.wav"])
    {'sw02001': 'wav/sw02001.wav'}
    """
    audio = [file for file in files if Path(file).suffix.lower() in AUDIO_SUFFIXES]
    return by_stem(sorted(audio, key=lambda file: file.endswith(".sph")))


def by_stem(files: list[str]) -> dict[str, str]:
    """Files by name without suffix; of two with one name the first."""
    found: dict[str, str] = {}
    for file in files:
        found.setdefault(Path(file).stem, file)
    return found


def _read_speakers(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            return {id_part(row["conversation"]): (row["first"], row["second"]) for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"speaker_table: {path}: cannot be read ({error})") from error
    except KeyError as error:
        raise ConfigError(
            f"speaker_table: {path}: no column {error}; wanted conversation, first, second"
        ) from error

"""What a corpus reader is.

A reader turns the native files of one corpus into seed dialogues, or into refusals with a reason.
It never raises for a bad record and never drops one in silence; it raises ConfigError for a path that
cannot be used at all (absent, unreadable, not this corpus).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.labels import Language
from pipeline.domain.licence import Licence
from pipeline.domain.quarantine import Refusal
from pipeline.domain.seed import SeedDialogue


@dataclass(frozen=True, slots=True)
class Corpus:
    """One supported corpus; every module of this package exports one as `CORPUS`."""

    name: str
    """The name that configuration and `humdial seeds` use."""
    title: str
    languages: tuple[Language, ...]
    files: str
    """What `path` may be, for people: file names or a directory."""
    source: str
    """Where users get it."""
    licence: Licence
    read: Callable[[Path, Language], Iterator[SeedDialogue | Refusal]]
    """Stream the dialogues at `path`, in native order."""

"""Helpers of these tests: where the invented fixtures are, and how to read them."""

import zipfile
from pathlib import Path

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora import find_corpus

FIXTURES = Path(__file__).parents[2] / "data" / "corpora"
"""Hand-written dialogues in each corpus's native layout; no row of any corpus."""


def read(reader: str, path: Path, language: Language = Language.EN) -> tuple[SeedDialogue | Refusal, ...]:
    return tuple(find_corpus(reader).read(path, language))


def accepted(reader: str, path: Path, language: Language = Language.EN) -> tuple[SeedDialogue, ...]:
    return tuple(r for r in read(reader, path, language) if isinstance(r, SeedDialogue))


def refused(reader: str, path: Path, language: Language = Language.EN) -> tuple[Refusal, ...]:
    return tuple(r for r in read(reader, path, language) if isinstance(r, Refusal))


def answer(reader: str, path: Path, language: Language) -> tuple[SeedDialogue | Refusal, ...] | ConfigError:
    """The records, or the one other way in which a reader may answer."""
    try:
        return read(reader, path, language)
    except ConfigError as error:
        return error


def zipped(file: Path, into: Path, member: str | None = None) -> Path:
    """`val.json` as `val.json.zip`."""
    archive = into / f"{file.name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as handle:
        handle.write(file, member or file.name)
    return archive

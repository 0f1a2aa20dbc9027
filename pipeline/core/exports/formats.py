"""What the export stage needs of a format, and what formats share.

A format is a module with a mapping from one dialogue to files and a row, and a function that closes the export
with all rows. `ExportFormat` binds both to their options; the stage's registry names them::

    export_x(dialogue, export_id, options) -> Exported(files, row)      per dialogue, in any order
    close_x(rows, options)                 -> files                     once: manifest, licences, JSONL
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pipeline.core.exports.files import ExportFile, TextFile
from pipeline.domain.record import Record
from pipeline.domain.timeline import Dialogue, Timeline

RowT = TypeVar("RowT", bound=Record)
RowT_co = TypeVar("RowT_co", bound=Record, covariant=True)


class MappedDialogue(Protocol[RowT_co]):
    """One dialogue in a format."""

    @property
    def files(self) -> tuple[ExportFile, ...]:
        """Its own files, in writing order."""
        ...

    @property
    def row(self) -> RowT_co:
        """What closing the export has to know of it: its line of the manifest, as a rule."""
        ...


@dataclass(frozen=True, slots=True)
class Exported(Generic[RowT_co]):
    """The plain MappedDialogue."""

    files: tuple[ExportFile, ...]
    row: RowT_co


class Format(Protocol):
    """A format with its options, whatever its rows are."""

    def assign_ids(self, timelines: Iterable[Timeline]) -> dict[str, str]:
        """Export id by dialogue id over the whole run; a dialogue that cannot have one is left out."""
        ...

    def export(self, dialogue: Dialogue, export_id: str) -> MappedDialogue[Record]:
        """Map one dialogue. Raises RecordError where the format cannot hold it."""
        ...

    def close(self, rows: Iterable[Record]) -> tuple[TextFile, ...]:
        """The files that hold all dialogues; `rows` are those that `export` made."""
        ...


@dataclass(frozen=True, slots=True)
class ExportFormat(Generic[RowT]):
    """A `Format` out of a module's functions."""

    row: type[RowT]
    numbering: Callable[[Iterable[Timeline]], dict[str, str]]
    mapping: Callable[[Dialogue, str], MappedDialogue[RowT]]
    closing: Callable[[tuple[RowT, ...]], tuple[TextFile, ...]]

    def assign_ids(self, timelines: Iterable[Timeline]) -> dict[str, str]:
        """Export id by dialogue id."""
        return self.numbering(timelines)

    def export(self, dialogue: Dialogue, export_id: str) -> MappedDialogue[Record]:
        """Map one dialogue."""
        return self.mapping(dialogue, export_id)

    def close(self, rows: Iterable[Record]) -> tuple[TextFile, ...]:
        """The files that hold all dialogues. Raises TypeError for rows of another format."""
        own: list[RowT] = []
        for row in rows:
            if not isinstance(row, self.row):
                raise TypeError(f"got a {type(row).__name__}, wanted the {self.row.__name__} of this format")
            own.append(row)
        return self.closing(tuple(own))


def gather_lines(lines: Iterable[tuple[str, str, str]]) -> tuple[TextFile, ...]:
    r"""JSONL files out of (path, order, line): files by path, the lines of each by `order`.

    >>> gather_lines([("b.jsonl", "2", "{}"), ("a.jsonl", "1", "[]"), ("b.jsonl", "1", "[1]")])[1].content
    '[1]\n{}\n'
    """
    files: dict[str, list[str]] = {}
    for path, _, line in sorted(lines):
        files.setdefault(path, []).append(line)
    return tuple(TextFile(path, "".join(f"{line}\n" for line in own)) for path, own in files.items())

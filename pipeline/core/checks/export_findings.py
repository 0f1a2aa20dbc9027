"""What a check of an export finds, and what it looks at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from pydantic import ValidationError

from pipeline.domain.record import Record

R = TypeVar("R", bound=Record)

MANIFEST = "manifest.jsonl"
SIDECARS = frozenset({MANIFEST, "LICENSES.md", "export.json", "quarantine.jsonl"})
"""Files beside the official ones."""


class ExportCode(StrEnum):
    """What can be wrong with an export."""

    # lines and annotations
    MALFORMED_LINE = "malformed_line"
    """Not JSON, not a TextGrid, not UTF-8, not a line of the manifest."""
    WRONG_FIELDS = "wrong_fields"
    """A field is missing, is none of the layout's, or holds another type."""
    UNKNOWN_LABEL = "unknown_label"
    UNKNOWN_TAG = "unknown_tag"
    """Brackets with something else than one of the known tags, or inside a word."""
    EMPTY_TEXT = "empty_text"
    BAD_ID = "bad_id"
    """Not in the form that readers match."""
    MISPLACED = "misplaced"
    """The id speaks of another task, language or number of turns than its file or its turns."""
    TURN_NUMBERS = "turn_numbers"
    """Not 1, 2, 3 ..., or not as many as the task has."""
    NOT_SCORABLE = "not_scorable"
    """The official judges skip it, or score another turn than is meant."""
    TIMES_OFF = "times_off"
    """Times of an annotation out of order, or outside the audio."""
    MANIFEST_DIFFERS = "manifest_differs"
    """The manifest and the official files say different things, or know different dialogues."""
    # files
    MISSING_FILE = "missing_file"
    STRAY_FILE = "stray_file"
    """Nothing names it: readers that take whatever lies in a folder take it, too."""
    UNREADABLE_AUDIO = "unreadable_audio"
    SAMPLE_FORMAT = "sample_format"
    """Not 16 kHz mono PCM16 wav."""
    SHORT_AUDIO = "short_audio"
    """A user turn that OpenS2S drops, and its dialogue with it."""
    SILENT_AUDIO = "silent_audio"
    DURATION_OFF = "duration_off"
    """Not as long as the manifest or the annotation says."""
    # across dialogues
    DUPLICATE_ID = "duplicate_id"
    DUPLICATE_TEXT = "duplicate_text"
    NEAR_DUPLICATE_TEXT = "near_duplicate_text"
    DUPLICATE_AUDIO = "duplicate_audio"
    VOICE_IN_TWO_SPLITS = "voice_in_two_splits"
    SEED_IN_TWO_SPLITS = "seed_in_two_splits"
    UNBALANCED = "unbalanced"
    """A feeling, a change of feeling or a number of turns takes far more than its share."""


class ExportFinding(Record):
    """One fault: what, in which file or dialogue, and what was found and wanted, for a person."""

    code: ExportCode
    path: str | None
    """Relative to the export; None: a fault of no one file."""
    export_id: str | None
    detail: str


class ExportLimits(Record):
    """Where a measurement becomes a finding."""

    sampling_rate: int = 16_000
    min_user_samples: int = 8_000
    """OpenS2S drops dialogues with a shorter user turn."""
    duration_s: float = 0.001
    """Audio, annotation and manifest agree so closely."""
    text_similarity: float = 0.7
    """As in the check of a run: shared ÷ either's runs of three words."""
    min_words: int = 30
    """Texts of fewer words are not compared for similarity."""
    max_repeated_share: float = 0.05
    """So many audio files may hold the words and samples of another one ..."""
    min_files: int = 100
    """... judged where there are so many."""
    max_share: float = 2.0
    """A feeling or a number of turns has so many times the mean at most ..."""
    max_transition_share: float = 1.5
    """... and a change of feeling so many times its own."""
    min_per_kind: int = 8
    """Balance is judged where there are so many per kind: fewer are uneven by chance."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What an audio file is and holds."""

    container: str
    """`WAV` ..."""
    encoding: str
    """`PCM_16` ..."""
    channels: int
    sampling_rate: int
    num_samples: int
    digest: str
    """Of the samples, not of the header."""
    silent: bool
    """Nothing but zeros."""


class ExportMaterial(Protocol):
    """An export's directory."""

    @property
    def paths(self) -> frozenset[str]:
        """Every file, relative to the root, parts joined by `/`."""
        ...

    def read_text(self, path: str) -> str | None:
        """The text of a file, None where it is not UTF-8."""
        ...

    def read_sound(self, path: str) -> Sound | None:
        """What an audio file holds, None where nobody can read it."""
        ...


def text_lines(material: ExportMaterial, path: str) -> list[str]:
    """Lines as readers split them: at line feeds, and at nothing else; none where there is no such text."""
    text = material.read_text(path) if path in material.paths else None
    return [] if not text else text.removesuffix("\n").split("\n")


def finding_of(code: ExportCode, path: str | None, export_id: str | None, detail: str) -> ExportFinding:
    """A finding, in the order in which one speaks of it."""
    return ExportFinding(code=code, path=path, export_id=export_id, detail=detail)


def manifest_rows(lines: Iterable[str], kind: type[R]) -> Iterator[R | ExportFinding]:
    """The rows of a manifest, and what is wrong with lines that are none."""
    for number, line in enumerate(lines, start=1):
        try:
            yield kind.from_line(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            detail = (
                f"line {number}: is no line of this manifest: {where}: {first['msg']}; export the run again"
            )
            yield finding_of(ExportCode.MALFORMED_LINE, MANIFEST, None, detail)


def missing_sidecars(material: ExportMaterial) -> tuple[ExportFinding, ...]:
    """An export without its manifest or its licences cannot be told where it comes from."""
    return tuple(
        ExportFinding(
            code=ExportCode.MISSING_FILE,
            path=name,
            export_id=None,
            detail="is not there; export the run again",
        )
        for name in (MANIFEST, "LICENSES.md")
        if name not in material.paths
    )

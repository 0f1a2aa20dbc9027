"""Files with word times: Switchboard's, with or without dialogue acts, and one word per line of JSON.

    sw9999A-ms98-a-0002 0.980000 1.210000 um              sw9999A-ms98-a-word.text (and ...B-...)
    sw9999A-ms98-a-0002,0.980000,1.210000,um,B,qo,u-1-2   sw9999A-word-da.csv      (and ...B-...)
    {"speaker": "A", "start": 0.98, "end": 1.21, "text": "um"}      any .jsonl

Of Switchboard, name the file of side A; side B lies beside it. Rows of marks alone (`[silence]`, `[noise]`,
`[laughter]`, `<b_aside>`) are no words; marks in words (`w[ent]`, `[laughter-yeah]`) stay as they are.
"""

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record

_SWITCHBOARD = re.compile(r"sw\d{4}(?P<side>[AB])-(ms98-a-word\.text|word-da\.csv)$")
_VARIANT = re.compile(r"_\d$")
_MARK = re.compile(r"^(\[(?!laughter-)[a-z_-]+\]|<[^>]*>)$")


class SpokenWord(NamedTuple):
    """A word and when it was said."""

    start_s: Decimal
    end_s: Decimal
    text: str


class _WordLine(Record):
    speaker: str = Field(min_length=1)
    start: Decimal = Field(ge=0)
    end: Decimal = Field(ge=0)
    text: str = Field(min_length=1)


SpeakerWords = tuple[tuple[str, tuple[SpokenWord, ...]], ...]
"""Words by start, per speaker, speakers by name."""


def read_words(path: Path) -> SpeakerWords:
    """Read a file (Switchboard: and the one of the other side). Raises ConfigError naming place and remedy."""
    named = _SWITCHBOARD.search(path.name)
    if named is None and path.suffix != ".jsonl":
        raise ConfigError(
            f"{path}: no word file that is known; wanted sw####A-ms98-a-word.text, sw####A-word-da.csv, or .jsonl with "
            "speaker, start, end, text per line"
        )
    found: dict[str, list[SpokenWord]] = {}
    for file in (path,) if named is None else _both_sides(path, named.start("side")):
        for number, line in enumerate(_lines(file), start=1):
            if not line.strip():
                continue
            speaker, word = (_from_json if named is None else _from_row)(line, f"{file}:{number}")
            words = found.setdefault(speaker, [])
            if not _MARK.match(word.text):
                words.append(word)
    return tuple((name, tuple(sorted(found[name]))) for name in sorted(found))


def _both_sides(path: Path, side: int) -> tuple[Path, Path]:
    names = (f"{path.name[:side]}{letter}{path.name[side + 1 :]}" for letter in "AB")
    first, second = (path.with_name(name) for name in names)
    return first, second


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({error})") from error


def _from_json(line: str, place: str) -> tuple[str, SpokenWord]:
    try:
        row = _WordLine.from_line(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise ConfigError(f"{place}: {where}: {first['msg']}; wanted speaker, start, end, text") from error
    return row.speaker, _checked(SpokenWord(row.start, row.end, row.text), place)


def _from_row(line: str, place: str) -> tuple[str, SpokenWord]:
    columns = line.split(",") if "," in line.split()[0] else line.split()
    if len(columns) < 4 or len(columns[0]) < 7:
        raise ConfigError(f"{place}: {line[:60]!r}: wanted utterance, start, end, word")
    try:
        start, end = Decimal(columns[1]), Decimal(columns[2])
    except InvalidOperation as error:
        raise ConfigError(
            f"{place}: {columns[1]!r} to {columns[2]!r}: wanted two times in seconds"
        ) from error
    return columns[0][6], _checked(SpokenWord(start, end, _VARIANT.sub("", columns[3])), place)


def _checked(word: SpokenWord, place: str) -> SpokenWord:
    if not (word.start_s.is_finite() and word.end_s.is_finite() and 0 <= word.start_s <= word.end_s):
        raise ConfigError(
            f"{place}: {word.text!r} from {word.start_s} to {word.end_s} s: wanted 0 <= start <= end"
        )
    return word

"""CSV files, by column name; rows of one dialogue together."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.io.corpora.items import Item, escaped, refuse

Row = Mapping[str, str]
Repair = Callable[[list[str]], list[str]]
"""Brings a row of the wrong length into shape, where a corpus is known for such rows."""


def table_items(
    file: Path,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    quoted: bool = True,
    repair: Repair | None = None,
) -> Iterator[Item | Refusal]:
    """One item per dialogue: its rows (`tuple[Row, ...]`), in the order of each dialogue's first row.

    The rows of a dialogue need not stand together, so the table is held; the largest is some ten megabytes.
    Undecodable bytes are kept as lone surrogates, for which the dialogue will be refused.
    """
    dialogues: dict[tuple[str, ...], list[list[str]]] = {}
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        reader = csv.reader(handle, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
        try:
            header = next(reader, [])
            _check_header(file, header, columns)
            places = [header.index(name) for name in key]
            for row in filter(None, reader):
                shaped = repair(row) if repair and len(row) != len(header) else row
                if len(shaped) > max(places):
                    dialogues.setdefault(tuple(shaped[place] for place in places), []).append(shaped)
                else:
                    yield _refuse_rows(f"{file.name}:{reader.line_num}", header, [row])
        except csv.Error as error:
            detail = f"line {reader.line_num}: {error}; an unbalanced quote?"
            raise RecordError(Reason.MALFORMED_RECORD, detail) from error
    for index, (values, rows) in enumerate(dialogues.items()):
        place = f"{file.name}:{'/'.join(values)}"
        if any(len(row) != len(header) for row in rows):
            yield _refuse_rows(place, header, rows)
        else:
            yield Item(file, (index,), place, tuple(dict(zip(header, row, strict=True)) for row in rows))


def rows_of(item: Item) -> tuple[Row, ...]:
    """The rows of an item that `table_items` made; whatever else stands in its place is refused."""
    if not isinstance(item.value, tuple):
        raise RecordError(Reason.MALFORMED_RECORD, f"{type(item.value).__name__}, wanted the rows of a table")
    return item.value


def number(row: Row, column: str) -> int:
    """A column that has to hold a whole number."""
    try:
        return int(row[column])
    except ValueError as error:
        detail = f"{column} is {row[column]!r}, wanted a number"
        raise RecordError(Reason.MALFORMED_RECORD, detail) from error


def _check_header(file: Path, header: list[str], columns: tuple[str, ...]) -> None:
    if not header:
        raise RecordError(Reason.MALFORMED_RECORD, "the file is empty")
    shown = ", ".join(header)
    if escaped(shown) != shown:
        raise RecordError(Reason.UNREADABLE_ENCODING, f"the header is not UTF-8: {shown}")
    missing = [name for name in columns if name not in header]
    if missing:
        raise ConfigError(f"{file}: no column {', '.join(missing)} in {shown}; is it another corpus?")


def _refuse_rows(place: str, header: list[str], rows: list[list[str]]) -> Refusal:
    found = sorted({len(row) for row in rows} - {len(header)})
    detail = f"a row of {found[0]} fields, wanted {len(header)} as in the header"
    return refuse(RecordError(Reason.MALFORMED_RECORD, detail), place, rows)

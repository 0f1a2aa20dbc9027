"""JSON lines of records."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import jsonlines
from pydantic import ValidationError

from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record
from pipeline.io.files import whole_file

R = TypeVar("R", bound=Record)


def write_records(path: Path, records: Iterable[Record]) -> int:
    """Write one record per line, whole file or nothing; returns how many."""
    count = 0
    with (
        whole_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="\n") as file,
        jsonlines.Writer(file, dumps=_dump) as writer,
    ):
        for record in records:
            writer.write(record)
            count += 1
    return count


def read_records(path: Path, kind: type[R]) -> Iterator[R]:
    """Stream the records of a file that this project wrote.

    Raises ConfigError naming file, line and field where a line is not such a record.
    """
    try:
        file = path.open(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); wanted {kind.__name__} lines"
        ) from error
    with file:
        for number, line in enumerate(file, start=1):
            try:
                yield kind.from_line(line)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"])) or "the line"
                raise ConfigError(
                    f"{path}:{number}: not a {kind.__name__}: {where}: {first['msg']}; written by another version?"
                ) from error


def _dump(value: object) -> str:
    # jsonlines asks how an empty object is written, to learn whether it gets text or bytes.
    return value.to_line() if isinstance(value, Record) else json.dumps(value)

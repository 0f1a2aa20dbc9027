"""One word per line of JSON: the project's own way to write words with times.

{"speaker": "A", "start": 0.98, "end": 1.21, "text": "um"}
"""

from decimal import Decimal
from pathlib import Path

from pydantic import Field, ValidationError

from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record
from pipeline.io.recordings.transcripts.spoken import SpeakerWords, by_speaker, numbered_lines, spoken_word


class _WordLine(Record):
    speaker: str = Field(min_length=1)
    start: Decimal = Field(ge=0)
    end: Decimal = Field(ge=0)
    text: str = Field(min_length=1)


def read_word_lines(path: Path) -> SpeakerWords:
    """Read a file. Raises ConfigError naming the line."""
    rows = [(_row(line, place), place) for place, line in numbered_lines(path)]
    return by_speaker((row.speaker, spoken_word(row.start, row.end, row.text, place)) for row, place in rows)


def _row(line: str, place: str) -> _WordLine:
    try:
        return _WordLine.from_line(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise ConfigError(f"{place}: {where}: {first['msg']}; wanted speaker, start, end, text") from error

"""JSON of a corpus as typed rows: what a reader needs is checked, what else is there is left alone."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.transcripts.spoken import read_text


class Row(BaseModel):
    """Part of a corpus' own JSON; keys that it does not name are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


_Content = TypeVar("_Content")


def read_json(path: Path, content: TypeAdapter[_Content]) -> _Content:
    """Read a file. Raises ConfigError naming file and key."""
    text = read_text(path)
    try:
        return content.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigError(f"{path}: {where}: {first['msg']}; is it the file that its name says?") from error

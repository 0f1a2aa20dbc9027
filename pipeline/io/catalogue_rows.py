"""Writing a voice into a catalogue that people write too: their comments and their order stay.

    voices:                         voices:
      # recorded in May               # recorded in May
      - voice_id: en-anna       ->    - voice_id: en-anna
        ...                             ...
      # more to come                  - voice_id: zh-anna        <- new
                                        ...
                                      # more to come

The text is edited where the parser says that a row begins and ends, and read again: where that is not the catalogue
that was wanted (rows in braces, anchors that other rows refer to), it is written anew without comments.
"""

import re
from pathlib import Path

import yaml
from pydantic import ValidationError

from pipeline.domain.voice import Voice
from pipeline.io.files import write_text
from pipeline.io.voices import Catalogue, load_catalogue
from pipeline.io.yaml_text import load_yaml

_HEAD = "# Voices that were added with `humdial voices add`; recordings lie in references/.\nvoices:\n"
_WIDTH = 1000
"""Transcripts stay on one line."""


def write_voice(path: Path, voice: Voice) -> bool:
    """Add a voice, or put it in the place of the one with its id; whole or not at all. One new row makes a file.

    Returns whether all comments of the file were kept. Raises ConfigError for a file that is no catalogue.
    """
    if not path.exists():
        write_text(path, _HEAD + "\n".join(_row(voice, 2)) + "\n")
        return True
    text, voices = path.read_text(encoding="utf-8"), load_catalogue(path)
    known = any(other.voice_id == voice.voice_id for other in voices)
    wanted = tuple(voice if other.voice_id == voice.voice_id else other for other in voices)
    wanted = wanted if known else (*wanted, voice)
    edited = edit_catalogue(text, voice)
    if edited is None or _voices_in(edited) != wanted:
        edited = "".join(("voices:\n", *("\n".join(_row(one, 2)) + "\n" for one in wanted)))
    write_text(path, edited)
    return all(comment in edited for comment in _comments(text))


def edit_catalogue(text: str, voice: Voice) -> str | None:
    """A catalogue's text with a row of a voice replaced or added; None where its rows are not one below the other."""
    text = (
        text if text.endswith("\n") else f"{text}\n"
    )  # else the last row ends in its last line, not after it
    rows = _rows_node(text)
    if rows is None:
        return None
    lines = text.splitlines()
    starts = [row.start_mark.line for row in rows.value]
    ends = [*starts[1:], rows.end_mark.line]
    ends = [_last_line(lines, start, end) for start, end in zip(starts, ends, strict=True)]
    names = [_voice_id(row) for row in rows.value]
    at = names.index(voice.voice_id) if voice.voice_id in names else None
    first, last = (ends[-1], ends[-1]) if at is None else (starts[at], ends[at])
    lines[first:last] = _row(voice, rows.start_mark.column)
    return "\n".join(lines) + "\n"


def _rows_node(text: str) -> yaml.SequenceNode | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return None
    for key, value in root.value:
        if key.value == "voices" and isinstance(value, yaml.SequenceNode) and value.value:
            return None if value.flow_style else value
    return None


def _voice_id(row: yaml.Node) -> str | None:
    pairs = row.value if isinstance(row, yaml.MappingNode) else []
    return next((value.value for key, value in pairs if key.value == "voice_id"), None)


def _last_line(lines: list[str], start: int, end: int) -> int:
    """Where a row ends: blank lines and comments before the next one belong to that."""
    end = min(end, len(lines))
    while end > start + 1 and re.match(r"\s*(#|$)", lines[end - 1]):
        end -= 1
    return end


def _row(voice: Voice, indent: int) -> list[str]:
    """Lines of one row; what is as it is by default is left out."""
    fields = voice.model_dump(mode="json", exclude_defaults=True)
    text: str = yaml.safe_dump([fields], sort_keys=False, allow_unicode=True, width=_WIDTH)
    return [" " * indent + line for line in text.splitlines()]


def _voices_in(text: str) -> tuple[Voice, ...] | None:
    try:
        return Catalogue.model_validate(load_yaml(text)).voices
    except (yaml.YAMLError, ValidationError):
        return None


def _comments(text: str) -> list[str]:
    """Comments of a text, and what looks like them in its strings: those that are kept are found either way."""
    return [match.group() for line in text.splitlines() if (match := re.search(r"(?:^|(?<=\s))#.*", line))]

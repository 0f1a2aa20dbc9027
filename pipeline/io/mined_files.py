"""What a mining call writes beside `segments.jsonl`, in the types of generated dialogues.

::

    timelines.jsonl    who speaks when, and the events, of every kept segment: without audio
    quarantine.jsonl   segments that those types have no place for, or whose audio could not be cut out
    dialogues.jsonl    only where audio was exported: the final records of a run, with audio/ beside them
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonlines

from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record
from pipeline.domain.timeline import Timeline
from pipeline.io.files import whole_file
from pipeline.io.jsonl import read_records
from pipeline.io.run_directory import RunDirectory

TIMELINES = "timelines.jsonl"
QUARANTINE = "quarantine.jsonl"

Write = Callable[[Record], None]


@contextmanager
def growing_records(path: Path) -> Iterator[Write]:
    """Give a function that adds a line; the file takes its place when the block succeeds, whole or not at all."""
    with (
        whole_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="\n") as file,
    ):
        lines = jsonlines.Writer(file, dumps=_dump)
        yield lambda record: _add(lines, record)
        lines.close()


def is_mined(directory: Path) -> bool:
    """Whether recordings were mined into it, with audio or without."""
    return (directory / TIMELINES).is_file()


def read_timelines(directory: Path) -> Iterator[Timeline]:
    """Who speaks when: of mined recordings whether their audio was cut out or not, of a run as its records say.

    Raises ConfigError where there is neither.
    """
    if is_mined(directory):
        return read_records(directory / TIMELINES, Timeline)
    return (dialogue.timeline for dialogue in RunDirectory(directory).read_dialogues())


def require_audio(directory: Path, who: str) -> None:
    """Raises ConfigError where recordings were mined here and no audio was cut out, which `who` cannot do without."""
    dialogues = RunDirectory(directory).dialogues_path
    if not is_mined(directory):
        return
    if not dialogues.is_file():
        raise ConfigError(
            f"{who}: {directory} holds mined timelines without audio; wanted their audio too: mine again with "
            "--export-audio, where the recordings' rights allow it (`humdial describe` needs none)"
        )
    if not dialogues.stat().st_size:
        raise ConfigError(
            f"{who}: {directory} holds mined timelines and the audio of none of them; "
            f"{directory / QUARANTINE} says why"
        )


def _add(lines: jsonlines.Writer, record: Record) -> None:
    lines.write(record)


def _dump(value: object) -> str:
    # jsonlines asks how an empty object is written, to learn whether it gets text or bytes.
    return value.to_line() if isinstance(value, Record) else "{}"

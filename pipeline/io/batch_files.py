"""Batch files on disk: requests that wait to be sent, results that came back.

::

    outputs/<run>/batch/
      requests.0000.jsonl   one model per file, as both targets ask
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from pipeline.core.batch import Answered, Failed, read_result, split_lines
from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record
from pipeline.io.files import whole_file

BATCH = "batch"
"""A run's directory of them."""


class BatchFile(Record):
    """A file that can be sent."""

    path: str
    model: str
    num_requests: int
    num_bytes: int


def write_requests(directory: Path, by_model: Mapping[str, Iterable[str]]) -> tuple[BatchFile, ...]:
    """Write lines, files of an earlier submission giving way: what was answered since must not be sent again."""
    for old in directory.glob("requests.*.jsonl"):
        old.unlink()
    written: list[BatchFile] = []
    for model, lines in by_model.items():
        for part in split_lines(lines):
            path = directory / f"requests.{len(written):04d}.jsonl"
            with whole_file(path) as partial:
                size = partial.write_bytes("".join(f"{line}\n" for line in part).encode())
            written.append(BatchFile(path=str(path), model=model, num_requests=len(part), num_bytes=size))
    return tuple(written)


def read_results(paths: Iterable[Path]) -> Iterator[tuple[str, Answered | Failed | None]]:
    """(`<file>:<line>`, result) of every line that is not empty; None for a line that is no result, such as the
    last one of a run that was killed. Raises ConfigError for a file that cannot be read."""
    for path in paths:
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if line.strip():
                        yield f"{path}:{number}", _read(line)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be read ({error.strerror}); wanted a file that vllm run-batch or OpenAI's "
                "Batch API wrote"
            ) from error


def _read(line: bytes) -> Answered | Failed | None:
    try:
        return read_result(line)
    except ValidationError:
        return None

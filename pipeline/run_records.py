"""What a run writes down about itself, and what is told to whoever watches it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from pipeline.config import RunConfig
from pipeline.core.ledger import Ledger
from pipeline.core.timing.calibration import Calibration, SpreadReach
from pipeline.domain.emotional import Tag
from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record
from pipeline.io.mined_files import is_mined

DESCRIPTION = "run.json"


class ShardRef(Record):
    """A finished shard of one stage: small enough to be passed between tasks."""

    stage: str
    index: int
    records_sha256: str
    num_records: int
    num_refusals: int
    cached: bool
    """Found complete, not run again."""


class Slicing(Record):
    """How many shards the seeds were cut into."""

    num_shards: int


class Progress(Protocol):
    """Who watches a run."""

    def begin(self, num_shards: int) -> None:
        """So many shards of all stages will pass."""
        ...

    def advance(self, ref: ShardRef) -> None:
        """One more is done."""
        ...

    def calibrating(self, number: int, done: int, num_dialogues: int) -> None:
        """Of pass `number` over all dialogues, in search of a dial, so many are done; 0 begins a pass."""
        ...

    def end(self) -> None:
        """All are."""
        ...


class _Silent:
    """Nobody watches."""

    def begin(self, num_shards: int) -> None: ...

    def advance(self, ref: ShardRef) -> None: ...

    def calibrating(self, number: int, done: int, num_dialogues: int) -> None: ...

    def end(self) -> None: ...


SILENT: Progress = _Silent()


class Versions(Record):
    """What made a run."""

    pipeline: str
    python: str
    stages: dict[str, int]
    deps: dict[str, str]
    """By stage: engine, voices, prompts, reference - whatever else its output depends on."""
    packages: dict[str, str]
    models: Mapping[str, str] = {}
    """Who wrote, judged and spoke, by role."""
    sounds: tuple[Tag, ...] = ()
    """Beside words: those that whoever spoke could make. Others are in the records and not in the audio."""
    prompts: Mapping[str, str] = {}
    """SHA-256 by `<stage>/<name>.v<N>` of every prompt that the author was given."""
    sources: tuple[str, ...] = ()
    """SHA-256 of what each of the configuration's seed sources held, in their order."""


class StageCounts(Record):
    """What one stage made of what it was given."""

    records: int
    refusals: int


class RunDescription(Record):
    """`run.json`: what was asked, with what, and what came of it. `humdial run run.json` repeats it."""

    config: RunConfig
    versions: Versions
    num_dialogues: int
    refusals: dict[str, int]
    """By `<stage>: <reason>`."""
    calibration: Calibration | None
    """None: no overlap ratio was asked for of the dataset as a whole."""
    spread: SpreadReach | None = None
    """How many dialogues could have their own ratio; None where none was spread."""
    store: str = "../store"
    """Where its clips are, from the run's own directory."""
    counts: Mapping[str, StageCounts] = {}
    """By stage, in the order in which they ran."""
    ledger: Ledger | None = None
    """What a paid author's work took; None for the embedded one."""


class RunSummary(Record):
    """What a finished run holds."""

    directory: str
    num_dialogues: int
    num_refusals: int
    refusals: dict[str, int]
    """By `<stage>: <reason>`."""
    shards_run: int
    shards_cached: int


def read_description(run_directory: Path) -> RunDescription:
    """What an earlier run wrote down. Raises ConfigError where there is no finished run."""
    path = run_directory / DESCRIPTION
    try:
        return RunDescription.from_line(path.read_bytes())
    except OSError as error:
        if is_mined(run_directory):
            raise ConfigError(
                f"{run_directory}: holds mined recordings; wanted the directory of a generated run: nobody wrote "
                "them, and nothing can be timed again; `humdial describe`, fit, check and export read them, their "
                "figures are in summary.json"
            ) from error
        raise ConfigError(
            f"{run_directory}: holds no run.json; wanted the directory of a finished run"
        ) from error
    except ValidationError as error:
        raise ConfigError(f"{path}: written by another version: {error.errors()[0]['msg']}") from error

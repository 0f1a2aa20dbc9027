"""Small real runs for tests of the whole: the demo dialogues, the embedded author, espeak-ng."""

import hashlib
from functools import cache
from pathlib import Path

import pytest

from pipeline.config import RunConfig, parse_config
from pipeline.run_records import RunSummary
from pipeline.runner import Runner, run_in_process

SCENES = ("follow_up_question", "pause_handling", "third_party_after")
"""A yield, a hesitation, and a third voice from further away."""


def small_config(**changes: object) -> RunConfig:
    """Six dialogues in two languages, in shards of two. `changes` replace sections or keys."""
    content: dict[str, object] = {
        "name": "small",
        "shard_size": 2,
        "seeds": {
            "sources": [
                {"reader": "jsonl", "path": "demo", "language": "en", "limit": 3},
                {"reader": "jsonl", "path": "demo", "language": "zh", "limit": 3},
            ],
            "scenes": dict.fromkeys(SCENES, 1.0),
            "splits": {"train": 1.0},
        },
    }
    return parse_config(RunConfig.model_validate({**content, **changes}).model_dump(mode="json"), "test")


def run_at(directory: Path, config: RunConfig | None = None) -> RunSummary:
    """Run into `directory`, with the store beside it."""
    with Runner(config or small_config(), directory, directory.parent / "store") as runner:
        return run_in_process(runner)


def data_of(directory: Path) -> dict[str, str]:
    """SHA-256 by name of what a run is for: its dialogues and their audio."""
    paths = [directory / "dialogues.jsonl", *sorted((directory / "audio").iterdir())]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@cache
def _finished(base: Path) -> Path:
    directory = base / "finished-run" / "small"
    run_at(directory)
    return directory


def finished_run(factory: pytest.TempPathFactory) -> Path:
    """A finished run, made once per test process. Read only: a test that changes it copies it first."""
    return _finished(factory.getbasetemp())

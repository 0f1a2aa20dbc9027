import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.domain.licence import Licence
from pipeline.io.run_directory import Artefact, RunDirectory

STAGE, KEY = "05-render", "made so"
RECORDS = tuple(
    Licence(id=name, non_commercial=False, share_alike=False, redistributable=True, attribution="")
    for name in ("one", "two")
)
FILES = {"audio/a.wav": b"sound", "audio/b.wav": b"more sound"}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """One shard of two records, and the two files that they speak of."""
    (tmp_path / "audio").mkdir()
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    run = RunDirectory(tmp_path)
    artefacts = [Artefact(path=name, num_bytes=len(content)) for name, content in FILES.items()]
    run.write_shard(STAGE, 0, KEY, RECORDS, (), artefacts)
    return run


def test_a_complete_shard_is_found_for_its_key_and_for_no_other(run: RunDirectory) -> None:
    stamp = run.find_stamp(STAGE, 0, KEY)
    assert stamp is not None
    assert [(one.path, one.num_bytes) for one in stamp.artefacts] == [("audio/a.wav", 5), ("audio/b.wav", 10)]
    assert run.find_stamp(STAGE, 0, None) == stamp
    assert run.find_stamp(STAGE, 0, "made otherwise") is None


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"!")


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize("harm", [os.remove, lambda path: os.truncate(path, 3), longer])
@pytest.mark.parametrize("name", [*FILES, f"{STAGE}/records.00000.jsonl"])
def test_a_shard_is_incomplete_without_any_of_its_files_in_full_length(
    run: RunDirectory, name: str, harm: Callable[[Path], None], key: str | None
) -> None:
    harm(run.path / name)
    assert run.find_stamp(STAGE, 0, key) is None


def test_collected_dialogues_are_the_shards_in_order_and_what_they_name_no_more_is_removed(
    run: RunDirectory,
) -> None:
    (run.path / "audio" / "c.flac").write_bytes(b"of an earlier run")
    (run.path / "audio" / "theirs.flac").write_bytes(b"somebody else's")
    run.write_shard(STAGE, 1, KEY, RECORDS[:1], (), [Artefact(path="audio/c.flac", num_bytes=17)])
    run.write_shard(STAGE, 1, "made otherwise", RECORDS[:1], ())
    run.collect_dialogues(STAGE, (1, 0))
    lines = [RECORDS[0].to_line(), RECORDS[0].to_line(), RECORDS[1].to_line()]
    assert run.dialogues_path.read_text("utf-8").splitlines() == lines
    left = {path.relative_to(run.path).as_posix() for path in (run.path / "audio").iterdir()}
    assert left == {*FILES, "audio/theirs.flac"}

"""Mining as a flow: shards of recordings, heard in processes, written once. Only the slow ones need a server."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.cache_policies import NO_CACHE

import flows.filter
from flows.filter import MOST_SHARDS, cut, hear, mine, resolve, write
from flows.watching import watched
from pipeline.domain.errors import ConfigError, PipelineError
from pipeline.io.recordings.declaration import read_declaration
from pipeline.mining import Mine
from tests.calls import call, write_call
from tests.flows.test_build import Recorded

DECLARATION = """
rights: {corpus: made-up, licence_id: CC0-1.0, consent_basis: invented}
workers: 1
recordings:
  - {recording_id: first, audio: [first.wav]}
  - {recording_id: silent, audio: [silent.wav]}
  - {recording_id: second, audio: [second.wav]}
"""
FILES = ("segments.jsonl", "audit.jsonl", "errors.jsonl", "summary.json", "filter.json")


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audio")
    write_call(folder / "first.wav", call())
    write_call(folder / "second.wav", call(b=((8.0, 8.5), (25.0, 33.0))))
    write_call(folder / "silent.wav", np.zeros((8000, 2), np.float32))
    return folder


@pytest.fixture
def declaration(audio: Path, tmp_path: Path) -> Path:
    shutil.copytree(audio, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "calls.yaml"
    path.write_text(DECLARATION, encoding="utf-8")
    return path


@pytest.fixture
def a_shard_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows.filter, "SHARD_S", 0)


def contents(out: Path) -> dict[str, bytes]:
    """Everything but the cache: what mining is done for."""
    files = [path for path in out.rglob("*") if path.is_file() and "activity" not in path.parts]
    found = {str(path.relative_to(out)): path.read_bytes() for path in files if path.name != ".lock"}
    assert set(FILES) <= set(found)
    return found


def plainly(declaration: Path, out: Path) -> dict[str, bytes]:
    """As `humdial filter` does it."""
    Mine(read_declaration(declaration), declaration.parent, out).run(lambda heard, kept: None)
    return contents(out)


@given(st.lists(st.integers(0, 100), max_size=700), st.integers(0, 300))
def test_shards_are_in_order_and_every_recording_is_in_one(sizes: list[int], least: int) -> None:
    found = cut(sizes, least)
    assert [index for first, last in found for index in range(first, last)] == list(range(len(sizes)))
    assert all(sum(sizes[first:last]) >= least for first, last in found[:-1])
    assert all(first < last for first, last in found)


@pytest.mark.parametrize("count", [MOST_SHARDS - 1, MOST_SHARDS, MOST_SHARDS + 1, 40 * MOST_SHARDS + 7])
def test_a_server_is_never_sent_thousands_of_task_runs(count: int) -> None:
    assert min(count, MOST_SHARDS) // 2 <= len(cut([7] * count, least=0)) <= MOST_SHARDS


def test_recordings_of_a_minute_share_a_shard_and_a_slow_detector_has_smaller_ones(declaration: Path) -> None:
    request = resolve(str(declaration), "out")
    assert len(list(request.shards())) == 1
    least = {}
    for detector in ("energy", "silero"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                flows.filter, "cut", lambda sizes, size, name=detector: least.update({name: size}) or ()
            )
            text = DECLARATION + f"listening: {{detector: {detector}}}\n"
            declaration.write_text(text, encoding="utf-8")
            list(resolve(str(declaration), "out").shards())
    assert least["silero"] < least["energy"] / 10


@pytest.mark.usefixtures("a_shard_each")
def test_tasks_make_what_the_command_makes(declaration: Path, tmp_path: Path) -> None:
    request = resolve(str(declaration), str(tmp_path / "out"))
    heard = [hear.fn(one, index) for index, one in enumerate(request.shards())]
    assert [(ref.index, ref.num_records, ref.num_refusals, ref.cached) for ref in heard] == [
        (0, 1, 0, False),
        (1, 0, 1, False),
        (2, 1, 0, False),
    ]
    summary = write.fn(request)
    assert summary.recordings == {"in": 3, "ok": 2, "rejected": 1, "error": 0}
    assert contents(tmp_path / "out") == plainly(declaration, tmp_path / "plain")


@pytest.mark.usefixtures("a_shard_each")
def test_what_was_heard_before_is_kept(declaration: Path, tmp_path: Path) -> None:
    request = resolve(str(declaration), str(tmp_path / "out"))
    first, *others = request.shards()
    before = hear.fn(first, 0)
    shutil.copy(tmp_path / "first.wav", tmp_path / "second.wav")
    again = [hear.fn(one, index) for index, one in enumerate((first, *others))]
    assert [ref.cached for ref in again] == [True, False, False]
    assert again[0].records_sha256 == before.records_sha256


@pytest.mark.slow
def test_a_shard_is_told_alike_in_whatever_order_processes_finish(declaration: Path, tmp_path: Path) -> None:
    (shard,) = resolve(str(declaration), str(tmp_path / "out")).shards()
    told = [hear.fn(shard, 0)]
    declaration.write_text(DECLARATION.replace("workers: 1", "workers: 2"), encoding="utf-8")
    (shard,) = resolve(str(declaration), str(tmp_path / "two")).shards()
    told.append(hear.fn(shard, 0))
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("recordings: []\n", "recordings"),
        (DECLARATION + "evnts: {}\n", "did you mean 'events'"),
    ],
)
def test_what_cannot_be_mined_is_refused_before_any_task(
    declaration: Path, tmp_path: Path, text: str | None, says: str
) -> None:
    if text is None:
        declaration.unlink()
    else:
        declaration.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        mine.fn(str(declaration), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("out", "says"),
    [("run", "holds a generated run"), (".", r"first\.wav is inside .*, which is for results")],
)
def test_a_directory_that_is_not_for_results_is_refused_before_anything_is_heard(
    declaration: Path, tmp_path: Path, out: str, says: str
) -> None:
    (tmp_path / "run" / "01-seeds").mkdir(parents=True)
    with pytest.raises(ConfigError, match=says):
        resolve(str(declaration), str(tmp_path / out))
    assert not list(tmp_path.rglob("activity"))


def test_results_do_not_go_where_a_flow_looks_for_recordings(declaration: Path, tmp_path: Path) -> None:
    declaration.write_text("sources: [{layout: two_channel, path: .}]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="where `sources` are looked for"):
        resolve(str(declaration), str(tmp_path / "mined"))


def test_tasks_leave_caching_to_what_was_heard() -> None:
    for task in (hear, write):
        assert task.cache_policy == NO_CACHE
        assert task.persist_result is False


@pytest.mark.slow
@pytest.mark.usefixtures("a_shard_each", "api")
def test_the_flow_makes_what_the_command_makes_and_hears_nothing_twice(
    declaration: Path, tmp_path: Path
) -> None:
    for cached in (False, True):
        progress = Recorded()
        with watched(progress):
            summary = mine(str(declaration), str(tmp_path / "out"))
        assert summary.recordings["ok"] == 2
        assert progress.expected == len(progress.refs) == 3
        assert {ref.cached for ref in progress.refs} == {cached}
        assert progress.ended
    assert contents(tmp_path / "out") == plainly(declaration, tmp_path / "plain")


@pytest.mark.slow
@pytest.mark.usefixtures("api")
def test_a_flow_in_which_no_recording_could_be_used_fails_and_says_why(
    declaration: Path, tmp_path: Path
) -> None:
    write_call(tmp_path / "first.wav", np.zeros((8000, 2), np.float32))
    (tmp_path / "second.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(PipelineError, match="none of 3 recordings could be used") as raised:
        mine(str(declaration), str(tmp_path / "out"))
    assert "one_speaker" in str(raised.value)
    errors = [json.loads(line) for line in (tmp_path / "out" / "errors.jsonl").read_text().splitlines()]
    assert [error["recording_id"] for error in errors] == ["first", "silent", "second"]

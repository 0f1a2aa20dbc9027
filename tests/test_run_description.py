"""`run.json`: what was asked, with what, and what came of it."""

import hashlib
import json
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.io.prompts import load_prompts
from pipeline.io.run_directory import RunDirectory
from pipeline.io.sources import fingerprint_source
from pipeline.retiming import retime_run
from pipeline.run_records import RunDescription, read_description
from pipeline.runner import BEFORE_TIMING, Runner
from pipeline.wiring import ORDER, directory_of
from tests.runs import finished_run, run_at, small_config


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory)


def test_equal_runs_describe_themselves_with_equal_bytes(finished: Path, tmp_path: Path) -> None:
    run_at(tmp_path / "runs" / "small")
    first, second = ((at / "run.json").read_bytes() for at in (finished, tmp_path / "runs" / "small"))
    assert first == second
    run_at(tmp_path / "runs" / "small")
    assert (tmp_path / "runs" / "small" / "run.json").read_bytes() == first


def test_a_run_names_its_prompts_with_the_hashes_of_their_files(finished: Path) -> None:
    prompts = read_description(finished).versions.prompts
    assert set(prompts) == {"script/adapt.v1", "script/place.v1", "script/write.v1"}
    library = load_prompts()
    for reference, sha256 in prompts.items():
        assert hashlib.sha256(library.show(reference).encode()).hexdigest() == sha256


def test_a_run_names_who_wrote_and_who_spoke(finished: Path) -> None:
    versions = read_description(finished).versions
    assert set(versions.models) == {"author", "synthesizer"}
    assert versions.models["author"].startswith("offline-")
    assert versions.models["synthesizer"].startswith("espeak-ng-")
    assert versions.deps["script"].startswith(versions.models["author"])


def test_a_run_writes_down_the_versions_of_packages_that_shape_its_text_and_audio(finished: Path) -> None:
    packages = read_description(finished).versions.packages
    for name in ("numpy", "soxr", "soundfile", "jinja2", "num2words", "rjieba", "pydantic"):
        assert packages[name] == metadata.version(name)


def test_counts_follow_the_dialogues_through_the_stages(finished: Path) -> None:
    described = read_description(finished)
    assert tuple(described.counts) == ORDER
    assert described.counts[ORDER[-1]].records == described.num_dialogues
    for stage, counts in described.counts.items():
        found = [stamp for _, stamp in RunDirectory(finished).find_shards(directory_of(stage))]
        assert counts.records == sum(stamp.num_records for stamp in found)
        assert counts.refusals == sum(stamp.num_refusals for stamp in found)
    assert sum(counts.refusals for counts in described.counts.values()) == sum(described.refusals.values())


def test_a_source_that_changed_under_its_name_is_another_source(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    turns = [{"speaker": "Nora", "text": "Has it gone?"}, {"speaker": "Otis", "text": "Not yet."}]
    config = small_config(seeds={"sources": [{"reader": "jsonl", "path": str(path), "language": "en"}]})
    hashes = []
    for topic in ("a late bus", "an early bus"):
        path.write_text(json.dumps({"id": "d1", "topic": topic, "turns": turns}), encoding="utf-8")
        with Runner(config, tmp_path / "run", tmp_path / "store") as runner:
            runner.plan()
            hashes.append(runner._versions().sources)
        assert hashes[-1] == (fingerprint_source(path),)
    assert hashes[0] != hashes[1]


def test_a_retimed_run_takes_over_what_it_did_not_make_itself(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished.parent, tmp_path / "copy")
    retime_run(tmp_path / "copy" / finished.name, tmp_path / "out", ("timing.tail_s=1.0",), 1)
    before, after = read_description(finished), read_description(tmp_path / "out")
    for name in ("models", "prompts", "sources"):
        assert getattr(after.versions, name) == getattr(before.versions, name)
    assert after.versions.sources
    for stage in (ORDER[0], *BEFORE_TIMING):
        assert after.counts[stage] == before.counts[stage]
    assert tuple(after.counts) == ORDER


def test_the_description_of_an_older_run_can_still_be_read(finished: Path, tmp_path: Path) -> None:
    content = json.loads((finished / "run.json").read_bytes())
    for name in ("models", "prompts", "sources"):
        del content["versions"][name]
    for name in ("counts", "spread"):
        del content[name]
    (tmp_path / "run.json").write_text(json.dumps(content), encoding="utf-8")
    assert isinstance(read_description(tmp_path), RunDescription)
    assert read_description(tmp_path).counts == {}

"""Retiming of a real run."""

import shutil
from pathlib import Path

import pytest

from pipeline import runner
from pipeline.backends.espeak import synthesizer
from pipeline.backends.offline import author
from pipeline.domain.errors import ConfigError
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.io.jsonl import read_records
from pipeline.retiming import retime_run
from pipeline.run_records import read_description
from pipeline.stages import timing
from pipeline.stages.timing import Config
from tests.measured import overlap_ratio
from tests.runs import data_of, finished_run, run_at, small_config


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory)


def timelines(directory: Path) -> dict[str, Timeline]:
    return {
        one.timeline.dialogue_id: one.timeline
        for one in read_records(directory / "dialogues.jsonl", Dialogue)
    }


def feasible_target(run_directory: Path) -> float:
    """The ratio that the finished run has, a little raised."""
    return round(overlap_ratio(tuple(timelines(run_directory).values())) + 0.02, 3)


def test_retiming_without_a_change_gives_the_run_again(finished: Path, tmp_path: Path) -> None:
    summary = retime_run(finished, tmp_path / "again", (), 1)
    assert data_of(tmp_path / "again") == data_of(finished)
    assert summary.shards_run == 6
    again = retime_run(finished, tmp_path / "again", (), 1)
    assert (again.shards_run, again.shards_cached) == (0, 6)


def test_retiming_meets_a_target_from_stored_clips_alone(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("retiming built an author or a synthesizer")

    monkeypatch.setattr(author, "OfflineAuthor", never)
    monkeypatch.setattr(synthesizer, "EspeakSynthesizer", never)
    target = feasible_target(finished)
    retime_run(finished, tmp_path / "out", (f"timing.overlap_ratio={target}",), 1)
    before, after = timelines(finished), timelines(tmp_path / "out")
    assert abs(overlap_ratio(tuple(after.values())) - target) <= 0.002
    assert before.keys() == after.keys()
    for name, timeline in after.items():
        assert {s.clip for s in timeline.supervisions} == {s.clip for s in before[name].supervisions}
    assert {path.stem for path in (tmp_path / "out" / "audio").iterdir()} == set(after)


SPREAD = "timing.overlap_ratio={min: 0.0, max: 0.1}"


def test_a_run_whose_ratio_is_spread_says_how_many_dialogues_have_theirs(
    finished: Path, tmp_path: Path
) -> None:
    summary = retime_run(finished, tmp_path / "out", (SPREAD,), 2)
    found = read_description(tmp_path / "out")
    assert found.calibration is None
    assert found.spread is not None
    assert (found.spread.min, found.spread.max, found.spread.n) == (0.0, 0.1, 6)
    assert found.spread.refused == summary.num_refusals
    ratios = [overlap_ratio((one,)) for one in timelines(tmp_path / "out").values()]
    assert sum(ratios) / len(ratios) == pytest.approx(found.spread.reached_mean, abs=0.005)
    again = retime_run(finished, tmp_path / "out", (SPREAD,), 1)
    assert again.shards_run == 0
    assert read_description(tmp_path / "out") == found


def test_a_spread_that_is_surveyed_once_is_not_surveyed_again(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    retime_run(finished, tmp_path / "out", (SPREAD,), 1)

    def never(*_: object) -> None:
        raise AssertionError("surveyed again")

    monkeypatch.setattr(timing, "survey_spread", never)
    retime_run(finished, tmp_path / "out", (SPREAD,), 1)
    with pytest.raises(AssertionError, match="surveyed again"):
        retime_run(finished, tmp_path / "out", ("timing.overlap_ratio={min: 0.0, max: 0.2}",), 1)


def test_a_retimed_run_describes_itself_with_all_that_made_it(finished: Path, tmp_path: Path) -> None:
    target = feasible_target(finished)
    retime_run(finished, tmp_path / "out", (f"timing.overlap_ratio={target}", "timing.tail_s=1.0"), 1)
    before, after = read_description(finished), read_description(tmp_path / "out")
    assert after.config.timing == Config(overlap_ratio=target, tail_s=1.0)
    assert after.calibration is not None
    assert after.calibration.target == target
    assert (
        before.versions.deps.items() - {("timing", before.versions.deps["timing"])}
        <= after.versions.deps.items()
    )
    kept = {"config", "versions", "calibration", "store"}
    assert after.model_dump(exclude=kept) == before.model_dump(exclude=kept)


def test_processes_change_nothing(finished: Path, tmp_path: Path) -> None:
    override = (f"timing.overlap_ratio={feasible_target(finished)}",)
    retime_run(finished, tmp_path / "one", override, 1)
    summary = retime_run(finished, tmp_path / "two", override, 2)
    assert summary.shards_run == 6
    assert data_of(tmp_path / "one") == data_of(tmp_path / "two")


def test_shard_size_changes_nothing(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished.parent / "store", tmp_path / "store")
    run_at(tmp_path / "large", small_config(shard_size=100))
    override = (f"timing.overlap_ratio={feasible_target(finished)}",)
    retime_run(finished, tmp_path / "a", override, 1)
    retime_run(tmp_path / "large", tmp_path / "b", override, 1)
    assert data_of(tmp_path / "a") == data_of(tmp_path / "b")


@pytest.mark.parametrize("override", ["seed=3", "speech.loudness_lufs=-20", "render.format=wav", "timing"])
def test_only_timing_can_be_changed(override: str, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"only timing\.\* can change"):
        retime_run(finished, tmp_path / "out", (override,), 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("timing.overlap_ration=0.1", "did you mean 'overlap_ratio'"),
        ("timing.overlap_ratio=0.99", "feasible: "),
        ("timing.reference=no-such-corpus", "no-such-corpus"),
        ("timing.profile=humdial", "humdial-dev"),
    ],
)
def test_timing_that_cannot_be_had_is_refused(
    override: str, problem: str, finished: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=problem):
        retime_run(finished, tmp_path / "out", (override,), 1)


def test_a_run_is_not_retimed_into_itself(finished: Path) -> None:
    with pytest.raises(ConfigError, match="is the run itself; choose another directory"):
        retime_run(finished, finished.parent / "x" / ".." / finished.name, (), 1)


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no run\.json; wanted the directory of a finished run"):
        retime_run(tmp_path, tmp_path / "out", (), 1)


@pytest.mark.parametrize(
    ("loss", "problem"),
    [
        ("03-speech", "03-speech.*finish that run first"),
        ("03-speech/records.00001.jsonl", "incomplete or changed; finish that run first"),
        ("03-speech/stamp.00001.json", "incomplete or changed; finish that run first"),
    ],
)
def test_a_run_with_a_part_missing_is_refused(
    loss: str, problem: str, finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished.parent, tmp_path / "copy")
    victim = tmp_path / "copy" / finished.name / loss
    if victim.is_dir():
        shutil.rmtree(victim)
    else:
        victim.unlink()
    with pytest.raises(ConfigError, match=problem):
        retime_run(tmp_path / "copy" / finished.name, tmp_path / "out", (), 1)


def test_retiming_leaves_the_run_as_it_was(finished: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.name != ".lock"}
    retime_run(finished, tmp_path / "out", ("timing.tail_s=2",), 1)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.name != ".lock"} == before


def test_retiming_again_with_other_settings_leaves_nothing_of_the_first(
    finished: Path, tmp_path: Path
) -> None:
    retime_run(finished, tmp_path / "out", ("timing.profile=humdial-dev",), 1)
    retime_run(finished, tmp_path / "out", (), 1)
    assert data_of(tmp_path / "out") == data_of(finished)


def test_the_stages_of_retiming_are_those_without_a_backend() -> None:
    assert runner.FROM_TIMING == ("timing", "render")

"""The report of a run on disk: its figures are the run's own."""

import json
from pathlib import Path

import pytest

from pipeline.core.report import RunReport
from pipeline.core.timing.calibration import Calibration, SpreadReach
from pipeline.domain.errors import ConfigError
from pipeline.io.references import load_reference
from pipeline.reporting import report_run, timing_basis
from pipeline.run_records import RunDescription, read_description
from pipeline.stages.timing import Config, OverlapSpread
from tests.made_run import write_run
from tests.timed import spoken_dialogues, time_dialogues

FOUND = Calibration(target=0.05, dial=0.5, planned=0.0499, lowest=0.001, highest=0.2, undialled=0.04)


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    directory = tmp_path / "made"
    write_run(directory, time_dialogues(spoken_dialogues(6), load_reference("switchboard")))
    return directory


def redescribe(directory: Path, timing: Config, calibration: Calibration | None = None) -> RunDescription:
    found = read_description(directory)
    changed = found.model_copy(
        update={"config": found.config.model_copy(update={"timing": timing}), "calibration": calibration}
    )
    (directory / "run.json").write_text(changed.to_line(), encoding="utf-8")
    return read_description(directory)


def test_the_numbers_on_disk_hold_timing_and_every_dialogue(run_directory: Path) -> None:
    redescribe(run_directory, Config(overlap_ratio=0.05), FOUND)
    report = report_run(run_directory)
    stats = (run_directory / "report" / "stats.json").read_text(encoding="utf-8")
    assert RunReport.model_validate_json(stats) == report
    content = json.loads(stats)
    assert content["timing"]["calibration"]["planned"] == 0.0499
    assert content["timing"]["reference"] == "switchboard"
    assert [row["n"] for row in content["timing"]["drawn"] if row["name"].startswith("fto")] == [9]
    assert [row["dialogue_id"] for row in content["dialogues"]] == [f"d{index:05d}" for index in range(6)]
    page = (run_directory / "report" / "index.html").read_text(encoding="utf-8")
    assert "<b>0.0500</b> asked, <b>0.0499</b> planned" in page


@pytest.mark.parametrize(
    ("timing", "spread", "own_latency"),
    [
        (Config(), None, False),
        (Config(overlap_ratio=0.1), None, False),
        (Config(overlap_ratio=OverlapSpread(min=0.1, max=0.2)), (0.1, 0.2), False),
        (Config(response_latency=0.4), None, True),
    ],
)
def test_the_basis_is_what_the_run_was_asked_for(
    run_directory: Path, timing: Config, spread: tuple[float, float] | None, own_latency: bool
) -> None:
    basis = timing_basis(redescribe(run_directory, timing))
    assert (basis.overlap_spread, basis.own_response_latency) == (spread, own_latency)
    assert basis.reference == load_reference("switchboard")


def test_what_became_of_a_spread_is_in_the_numbers_and_on_the_page(run_directory: Path) -> None:
    reach = SpreadReach(
        min=0.1,
        max=0.2,
        n=6,
        too_high=2,
        too_low=1,
        refused=0,
        asked_mean=0.15,
        reached_mean=0.12,
        feasible=(0.0, 0.2),
    )
    found = redescribe(run_directory, Config(overlap_ratio=OverlapSpread(min=0.1, max=0.2)))
    changed = found.model_copy(update={"spread": reach})
    (run_directory / "run.json").write_text(changed.to_line(), encoding="utf-8")
    assert report_run(run_directory).timing.spread_reach == reach
    page = (run_directory / "report" / "index.html").read_text(encoding="utf-8")
    assert "0.1000 to 0.2000 asked, spread over dialogues" in page
    assert f"Asked and reached: {reach.sentence()}." in page


def test_a_run_without_a_description_has_no_report(run_directory: Path) -> None:
    (run_directory / "run.json").unlink()
    with pytest.raises(ConfigError, match=r"holds no run\.json"):
        report_run(run_directory)
    assert not (run_directory / "report").exists()


def test_a_reference_that_is_gone_is_named(run_directory: Path) -> None:
    redescribe(run_directory, Config(reference="gone.json"))
    with pytest.raises(ConfigError, match=r"gone\.json"):
        report_run(run_directory)

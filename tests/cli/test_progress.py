"""What is shown of a run's progress, on a terminal and without one."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.cli import progress as shown
from pipeline.cli.progress import ShardProgress
from pipeline.domain.errors import ConfigError
from pipeline.retiming import retime_run
from pipeline.run_records import ShardRef
from tests.cli.calling import humdial
from tests.runs import finished_run

SHARD = ShardRef(stage="timing", index=0, records_sha256="", num_records=2, num_refusals=0, cached=False)


def calibrate(progress: ShardProgress, passes: int = 2, dialogues: int = 3) -> None:
    for number in range(1, passes + 1):
        for done in range(dialogues + 1):
            progress.calibrating(number, done, dialogues)


def test_without_a_terminal_every_pass_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ShardProgress()
    calibrate(progress, dialogues=300)
    progress.end()
    assert capsys.readouterr().err.splitlines() == [
        "calibrating: pass 1, 300 dialogues",
        "calibrating: pass 2, 300 dialogues",
    ]


@pytest.mark.parametrize("shards_first", [False, True], ids=["before a retime", "inside of a run"])
def test_on_a_terminal_a_pass_has_a_bar_that_goes_with_it(
    shards_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, color_system=None, width=100)
    monkeypatch.setattr(shown, "Console", lambda stderr: console)
    progress = ShardProgress()
    if shards_first:
        progress.begin(2)
    calibrate(progress)
    assert progress._bar is not None
    progress._bar.refresh()
    assert "calibrating: pass 2" in screen.getvalue()
    assert "3/3 dialogues" in screen.getvalue()
    if not shards_first:
        progress.begin(2)
    progress.advance(SHARD)
    assert [(task.description, task.total) for task in progress._bar.tasks] == [("timing", 2)]
    progress.end()
    assert progress._bar is None


def test_a_target_out_of_reach_leaves_no_bar_over_its_error(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, color_system=None, width=100)
    monkeypatch.setattr(shown, "Console", lambda stderr: console)
    progress, run = ShardProgress(), finished_run(tmp_path_factory)
    with pytest.raises(ConfigError, match="feasible"):
        retime_run(run, tmp_path / "out", ("timing.overlap_ratio=0.99",), 1, progress)
    assert "calibrating: pass 1" in screen.getvalue()
    assert progress._bar is None


def test_retiming_to_a_target_tells_its_passes(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    run = finished_run(tmp_path_factory)
    answer = humdial("retime", run, "--out", tmp_path / "out", "--set", "timing.overlap_ratio=0.06")
    assert answer.code == 0, answer.err
    told = answer.err.splitlines()
    passes = [line for line in told if line.startswith("calibrating: ")]
    assert told[: len(passes)] == passes
    assert passes[0] == "calibrating: pass 1, 6 dialogues"
    assert len(passes) >= 2

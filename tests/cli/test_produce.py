import json
import shutil
from pathlib import Path

import pytest

from pipeline.domain.timeline import Dialogue
from pipeline.io.jsonl import read_records
from pipeline.io.run_directory import RunDirectory
from pipeline.run_records import Progress, RunSummary
from tests.cli.calling import Answer, humdial
from tests.runs import finished_run

SMALL = """
name: small
seeds:
  sources:
    - {reader: jsonl, path: demo, language: en, limit: 4}
  scenes: {pause_handling: 1, user_backchannel: 1}
  splits: {train: 1}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_a_preview_makes_what_was_asked_and_says_where_to_listen(config: Path, tmp_path: Path) -> None:
    answer = humdial("preview", config, "-n", "2", "--out", tmp_path / "look", "--set", "timing.tail_s=1.0")
    assert answer.code == 0, answer.err
    last, listen = answer.out.splitlines()[-2:]
    assert last == "2 dialogues, 0 records refused; 5 shards run, 0 kept from before"
    page = Path(listen.removeprefix("listen: "))
    assert page == tmp_path / "look" / "report" / "index.html"
    assert "<html" in page.read_text(encoding="utf-8")
    dialogues = list(read_records(tmp_path / "look" / "dialogues.jsonl", Dialogue))
    assert len(dialogues) == 2
    for dialogue in dialogues:
        timeline = dialogue.timeline
        end = max(s.span.end for s in timeline.supervisions)
        assert timeline.num_samples - end == timeline.sampling_rate
    assert len(answer.err.splitlines()) == 4, "one line per shard where there is no terminal"
    again = humdial("preview", config, "-n", "2", "--out", tmp_path / "look", "--set", "timing.tail_s=1.0")
    assert "0 shards run, 5 kept from before" in again.out


def test_a_preview_of_two_takes_one_from_each_source(tmp_path: Path) -> None:
    assert humdial("preview", "demo", "-n", 2, "--out", tmp_path / "look").code == 0
    found = RunDirectory(tmp_path / "look").read_dialogues()
    assert sorted(dialogue.timeline.language.value for dialogue in found) == ["en", "zh"]


class Flow:
    """A way to run flows that writes down how it was called."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.called: tuple[object, ...] = ()

    def __call__(
        self, config_path: str, out: Path | None, overrides: tuple[str, ...], progress: Progress
    ) -> RunSummary:
        self.called = (config_path, out, overrides)
        return RunSummary(
            directory=str(self.directory),
            num_dialogues=6,
            num_refusals=1,
            refusals={"script: no_suitable_turn": 1},
            shards_run=0,
            shards_cached=15,
        )


def test_run_hands_its_arguments_to_the_flow_and_sums_up(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "small")
    flow = Flow(tmp_path / "small")
    arguments = ("run", "demo", "--out", tmp_path / "x", "--set", "seed=7", "--set", "workers=1")
    answer = humdial(*arguments, run_flow=flow)
    assert answer.code == 0
    assert flow.called == ("demo", tmp_path / "x", ("seed=7", "workers=1"))
    assert "6 dialogues, 1 records refused; 0 shards run, 15 kept from before" in answer.out


def test_run_without_flows_says_what_to_install() -> None:
    answer = humdial("run", "demo")
    assert answer.code == 2
    assert answer.problem.endswith("pip install 'humdial-pipeline[flow]'")


def test_a_retimed_run_meets_its_target_and_says_so(finished: Path, tmp_path: Path) -> None:
    answer = humdial(
        "retime", finished, "--out", tmp_path / "out", "--set", "timing.tail_s=2", "--processes", "1"
    )
    assert answer.code == 0, answer.err
    assert "6 shards run, 0 kept from before" in answer.out
    assert (tmp_path / "out" / "report" / "index.html").is_file()
    assert json.loads((tmp_path / "out" / "run.json").read_bytes())["config"]["timing"]["tail_s"] == 2.0


def test_a_retimed_run_whose_ratio_is_spread_says_how_many_have_theirs(
    finished: Path, tmp_path: Path
) -> None:
    spread = "timing.overlap_ratio={min: 0.0, max: 0.1}"
    answer = humdial("retime", finished, "--out", tmp_path / "out", "--set", spread, "--processes", "1")
    assert answer.code == 0, answer.err
    (line,) = (line for line in answer.out.splitlines() if line.startswith("overlap ratio "))
    assert line.startswith("overlap ratio 0.0000 to 0.1000: of 6 dialogues ")


@pytest.mark.parametrize("layout", ["train", "dev", "test"])
def test_an_export_says_how_many_dialogues_went_where(layout: str, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "export"
    answer = humdial("export", "humdial-track2", finished, "--out", out, "--layout", layout)
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[0] == f"humdial-track2: 6 dialogues in {out}"
    assert len(list(out.rglob("*.wav"))) >= 6
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    again = humdial("export", "humdial-track2", finished, "--out", out, "--layout", layout)
    assert again == answer
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_an_export_with_other_options_takes_the_place_of_the_first(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "export"
    humdial("export", "humdial-track2", finished, "--out", out, "--layout", "train")
    humdial("export", "humdial-track2", finished, "--out", out, "--layout", "dev")
    humdial("export", "humdial-track2", finished, "--out", tmp_path / "dev", "--layout", "dev")
    names = [{path.relative_to(at) for path in at.rglob("*")} for at in (out, tmp_path / "dev")]
    assert names[0] == names[1]
    assert not list(tmp_path.glob(".partial-*"))


def test_a_dialogue_whose_audio_is_damaged_is_refused_by_the_export(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "small")
    victim = sorted((tmp_path / "small" / "audio").iterdir())[0]
    victim.write_bytes(victim.read_bytes()[:100])
    answer = humdial("export", "humdial-track2", tmp_path / "small", "--out", tmp_path / "out")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        f"humdial-track2: 5 dialogues in {tmp_path / 'out'}",
        f"1 dialogues did not fit the format: {tmp_path / 'out' / 'quarantine.jsonl'}",
    ]
    assert victim.stem in (tmp_path / "out" / "quarantine.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command",
    [
        ("retime", "RUN", "--out", "OUT"),
        ("export", "humdial-track2", "RUN", "--out", "OUT"),
        ("check", "RUN"),
        ("describe", "RUN"),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("what", ["absent", "empty", "a file", "unfinished"])
def test_what_is_no_finished_run_is_refused(
    command: tuple[str, ...], what: str, finished: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    if what == "empty":
        run.mkdir()
    elif what == "a file":
        run.write_text("hello\n")
    elif what == "unfinished":
        shutil.copytree(finished, run)
        (run / "dialogues.jsonl").unlink()
        (run / "run.json").unlink()
    answer = call(command, RUN=run, OUT=tmp_path / "out")
    if (what, command[0]) == ("a file", "describe"):
        return  # a file is RTTM to `describe`; what it makes of it is tested with the command
    assert answer.code == 2
    assert str(run) in answer.problem
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("*.jsonl"))


def call(command: tuple[str, ...], **places: Path) -> Answer:
    return humdial(*(places.get(word, word) for word in command))


@pytest.mark.parametrize(
    "command",
    [
        ("preview", "demo", "--out", "OUT"),
        ("retime", "RUN", "--out", "OUT", "--processes", "1"),
        ("export", "humdial-track2", "RUN", "--out", "OUT"),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("place", ["file", "file/run", "file/deep/run"])
def test_a_place_that_cannot_be_written_is_refused(
    command: tuple[str, ...], place: str, finished: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine\n")
    answer = call(command, RUN=finished, OUT=tmp_path / place)
    assert answer.code == 2
    assert str(tmp_path / "file") in answer.problem
    assert "--out" in answer.problem
    assert (tmp_path / "file").read_text() == "mine\n"


def test_an_export_does_not_take_the_place_of_other_files(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine\n")
    answer = humdial("export", "humdial-track2", finished, "--out", tmp_path)
    assert answer.code == 2
    assert answer.problem == f"humdial: {tmp_path}: is not an export and not empty; choose another --out"
    assert (tmp_path / "mine.txt").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (("seed=1",), "only timing.* can change"),
        (("timing.overlap=0.1",), "did you mean 'overlap_ratio'"),
        (("timing.overlap_ratio=0.97",), "feasible: "),
        (("timing.overlap_ratio=2",), "wanted 0 to 1"),
    ],
)
def test_retiming_that_cannot_be_done_is_exit_code_2(
    overrides: tuple[str, ...], problem: str, finished: Path, tmp_path: Path
) -> None:
    answer = humdial("retime", finished, "--out", tmp_path / "out", *(f"--set={one}" for one in overrides))
    assert answer.code == 2
    assert problem in answer.problem

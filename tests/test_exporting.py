from pathlib import Path

import pytest
from pydantic import JsonValue

from pipeline.config import parse_config
from pipeline.core.exports.format_names import FormatName
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Split
from pipeline.exporting import export_config, export_run, parse_options
from tests.cli.calling import humdial
from tests.exported import emotional_run, export_at, write_run

TRACK1 = FormatName.HUMDIAL_TRACK1


def test_options_go_to_the_section_of_their_format() -> None:
    config = export_config(TRACK1, {"generation": 1, "splits": ["dev"]})
    assert config.track1.generation == 1
    assert config.splits == (Split.DEV,)
    assert config.track2 == export_config(FormatName.HUMDIAL_TRACK2, {}).track2


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        (TRACK1, {"generations": 1}, "no option 'generations'; known: splits, layout, generation"),
        (TRACK1, {"evaluation_folders": True}, "humdial-track1 has no option 'evaluation_folders'"),
        (TRACK1, {"generation": 3}, "generation: Input should be 1 or 2; got 3"),
        (TRACK1, {"generation": 1, "layout": "test"}, "generation 1 published no test layout"),
        (TRACK1, {"splits": ["all"]}, "splits.0: Input should be 'train', 'dev' or 'test'"),
        (FormatName.HUMDIAL_TRACK2, {"layout": "submission"}, "humdial-track2: layout: "),
    ],
)
def test_options_that_make_no_sense_are_refused(
    name: FormatName, options: dict[str, JsonValue], problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        export_config(name, options)
    assert problem in str(caught.value)


@pytest.mark.parametrize("setting", ["generation", "=1", "a: [", "a=[1"])
def test_a_setting_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        parse_options([setting])


def test_an_export_is_whole_and_left_alone_when_it_is_made_again(tmp_path: Path) -> None:
    out = export_at(tmp_path, emotional_run((Split.TRAIN,)))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    again = export_run(tmp_path / "run", export_config(TRACK1, {}), out)
    assert (again.format, again.num_dialogues, again.num_refusals) == ("humdial-track1", 10, 0)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    other = export_run(tmp_path / "run", export_config(TRACK1, {"first_speaker": 7}), out)
    assert other.key != again.key
    assert not list(out.rglob("*_0001_0001_1.wav"))


def test_the_command_takes_the_options_of_its_format(tmp_path: Path) -> None:
    write_run(tmp_path / "run", emotional_run((Split.TRAIN, Split.TEST)))
    arguments = ("export", "humdial-track1", tmp_path / "run", "--out", tmp_path / "out")
    answer = humdial(*arguments, "--layout", "dev", "--set", "generation=1", "--set", "splits=[train]")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == [
        f"humdial-track1: 8 dialogues in {tmp_path / 'out'}",
        f"2 dialogues did not fit the format: {tmp_path / 'out' / 'quarantine.jsonl'}",
    ]
    assert (tmp_path / "out" / "dev" / "en" / "task2.jsonl").is_file()
    wrong = humdial(*arguments, "--set", "colour=1")
    assert wrong.code == 2
    assert "no option 'colour'" in wrong.problem


def test_a_submission_of_text_responses_is_refused_dialogue_by_dialogue(tmp_path: Path) -> None:
    write_run(tmp_path / "run", emotional_run((Split.TEST,)))
    out = tmp_path / "out"
    stamp = export_run(tmp_path / "run", export_config(TRACK1, {"layout": "submission"}), out)
    assert (stamp.num_dialogues, stamp.num_refusals) == (0, 10)
    assert "response_audio and run again" in (out / "quarantine.jsonl").read_text("utf-8")


@pytest.mark.parametrize(
    ("recipe", "name", "fits"),
    [
        ("emotional", "humdial-track1", True),
        ("emotional", "humdial-track2", False),
        ("full_duplex", "humdial-track1", False),
        ("conversation", "humdial-track2", False),
    ],
)
def test_a_run_exports_what_its_recipe_makes(recipe: str, name: str, fits: bool) -> None:
    content: dict[str, JsonValue] = {
        "seeds": {"sources": [{"reader": "jsonl", "path": "demo", "language": "en"}]},
        "script": {"recipe": recipe},
        "export": [name],
    }
    if fits:
        assert parse_config(content, "a.yaml").export == (FormatName(name),)
        return
    with pytest.raises(ConfigError, match=f"{name} holds dialogues of recipe .*, this run makes {recipe}"):
        parse_config(content, "a.yaml")

import json
import shutil
import wave
from pathlib import Path

import pytest

from pipeline.core.exports.format_names import FormatName
from pipeline.domain.errors import ConfigError
from pipeline.export_checking import ExportCheck
from pipeline.io.export_tree import ExportStamp, write_stamp
from tests.cli.calling import humdial
from tests.core.exports.emotional import emotional_timeline
from tests.exported import emotional_run, export_at, full_export, small_export
from tests.planted import add, findings_of, first_wav


@pytest.fixture(scope="module")
def track1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_export(tmp_path_factory, FormatName.HUMDIAL_TRACK1)


@pytest.fixture(scope="module")
def track2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_export(tmp_path_factory, FormatName.HUMDIAL_TRACK2)


@pytest.fixture(scope="module")
def small1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_export(tmp_path_factory, FormatName.HUMDIAL_TRACK1)


def test_an_export_of_track_1_has_no_findings(track1: Path) -> None:
    check = ExportCheck(track1)
    assert list(check.findings()) == []
    summary = check.summary()
    assert (summary.format, summary.dialogues, summary.refused) == ("humdial-track1", 30, 0)
    emotions, turns, repeats = summary.tables
    assert emotions[0] == (
        *("split", "language", "happy", "sad", "anger", "fear", "neutral", "surprise", "disgust"),
        "user turns",
    )
    assert len(emotions) == 1 + 6
    assert turns[0] == ("split", "language", "task", "1 turns", "3 turns", "4 turns", "5 turns", "dialogues")
    assert ("train", "en", "generation", "1", "0", "0", "0", "1") in turns
    assert sum(int(row[-1]) for row in turns[1:]) == 30
    wavs = len(list(track1.rglob("*.wav")))
    assert repeats[1] == (str(wavs), "0")


@pytest.mark.parametrize("generation", [1, 2])
def test_both_generations_are_known_to_the_check(generation: int, tmp_path: Path) -> None:
    options = {"generation": generation}
    export = export_at(tmp_path, emotional_run(), FormatName.HUMDIAL_TRACK1, options)
    check = ExportCheck(export)
    assert list(check.findings()) == []
    # Generation 1 has no empathy in train, no generation task and no test set.
    assert check.summary().refused == (0 if generation == 2 else 2 + 4 + 10)


def test_a_submission_is_known_to_the_check(tmp_path: Path) -> None:
    run = [emotional_timeline(aloud=True, dialogue_id="one")]
    export = export_at(tmp_path, run, FormatName.HUMDIAL_TRACK1, {"layout": "submission"})
    assert (export / "HD-Track1/en/HD-Track1-T1/task1_3_en_0001_0001_1_response.wav").is_file()
    assert findings_of(export) == []


def test_an_export_of_track_2_has_no_findings(track2: Path) -> None:
    check = ExportCheck(track2)
    assert list(check.findings()) == []
    summary = check.summary()
    assert (summary.format, summary.dialogues) == ("humdial-track2", 30)
    ((head, *rows),) = summary.tables
    assert head == ("scene", "dev en", "test en", "train en")
    assert {row[1:] for row in rows} == {("1", "1", "1")}


def test_an_export_that_lost_dialogues_does_not_say_it_is_whole(small1: Path, tmp_path: Path) -> None:
    shutil.copytree(small1, tmp_path / "export")
    (tmp_path / "export" / "manifest.jsonl").write_text("")
    details = [f.detail for f in findings_of(tmp_path / "export") if f.path == "manifest.jsonl"]
    assert details == ["has 0 dialogues, 4 were exported; export again"]


def test_a_directory_that_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no finished export"):
        ExportCheck(tmp_path)


def test_an_export_of_a_format_that_nobody_checks_is_refused(tmp_path: Path) -> None:
    write_stamp(tmp_path, ExportStamp(format="other", key="k", num_dialogues=0, num_refusals=0))
    with pytest.raises(ConfigError, match="an export of other, which no check knows; wanted humdial-track1"):
        ExportCheck(tmp_path)


def test_the_command_checks_an_export_and_prints_its_balance(track1: Path) -> None:
    answer = humdial("check", track1)
    assert answer.code == 0, answer.out
    lines = answer.out.splitlines()
    assert lines[0].split()[:3] == ["split", "language", "happy"]
    assert lines[-1].startswith("humdial-track1: 30 dialogues, 0.0")
    assert lines[-1].endswith("h of audio, 0 dialogues refused by the export; all of it as documented")


def test_the_command_ends_with_1_and_says_where_what_is_wrong(small1: Path, tmp_path: Path) -> None:
    shutil.copytree(small1, tmp_path / "export")
    add("train_jsonl/en/task1/extra.wav")(tmp_path / "export")
    answer = humdial("check", tmp_path / "export")
    assert answer.code == 1
    assert answer.out.splitlines()[0] == (
        "train_jsonl/en/task1/extra.wav: stray_file: is named by no line and no manifest; "
        "wanted nothing beside what the export is made of"
    )
    assert "as documented" not in answer.out
    in_json = humdial("check", tmp_path / "export", "--json")
    assert in_json.code == 1
    *findings, summary = map(json.loads, in_json.out.splitlines())
    assert [finding["code"] for finding in findings] == ["stray_file"]
    assert summary["summary"]["findings"] == {"stray_file": 1}


def test_wavs_have_a_plain_header(small1: Path) -> None:
    """Readers that know nothing but the standard library read them, too."""
    with wave.open(str(first_wav(small1)), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        assert file.getnframes() > 8_000

"""`humdial filter` mines audio or a declaration and says what it found, or what is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.heard import Frames
from pipeline.core.mined_rows import SegmentRow
from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.declaration import read_declaration
from pipeline.io.run_directory import RunDirectory
from pipeline.mining import Mine
from tests.calls import call, write_call
from tests.cli.calling import humdial

DECLARATION = """
rights: {corpus: made-up, licence_id: CC0-1.0, consent_basis: invented}
recordings: [{recording_id: one, audio: [call.wav], speakers: [caller, agent]}]
workers: 1
"""


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("calls")
    samples = call()
    write_call(directory / "call.wav", samples)
    write_call(directory / "agent.wav", samples[:, 0])
    write_call(directory / "caller.wav", samples[:, 1])
    (directory / "calls.yaml").write_text(DECLARATION)
    return directory


@pytest.mark.parametrize("names", [["call.wav"], ["agent.wav", "caller.wav"], ["calls.yaml"]])
def test_a_call_becomes_a_segment_and_a_table(tmp_path: Path, audio: Path, names: list[str]) -> None:
    answer = humdial("filter", *(audio / name for name in names), "--out", tmp_path)
    assert answer.code == 0
    assert "1 of 1 recordings used, 1 segments" in answer.out
    assert "interruption" in answer.out
    segment = json.loads((tmp_path / "segments.jsonl").read_text())
    assert {speaker["id"] for speaker in segment["speakers"]} == (
        {"caller", "agent"} if names == ["calls.yaml"] else {"A", "B"}
    )


def test_of_audio_without_stated_rights_everything_is_withheld(tmp_path: Path, audio: Path) -> None:
    humdial("filter", audio / "call.wav", "--out", tmp_path)
    rights = json.loads((tmp_path / "segments.jsonl").read_text())["rights"]
    assert (rights["licence_id"], rights["redistribution_allowed"]) == ("unstated", False)


def test_audio_is_cut_out_where_somebody_has_the_rights(tmp_path: Path, audio: Path) -> None:
    answer = humdial(
        "filter",
        audio / "call.wav",
        "--out",
        tmp_path,
        "--language",
        "en",
        "--export-audio",
        "--i-have-rights",
    )
    assert answer.code == 0
    assert "1 timelines, 1 with audio" in answer.out
    assert [path.name for path in (tmp_path / "audio").iterdir()] == ["call-000000.flac"]
    assert json.loads((tmp_path / "segments.jsonl").read_text())["provenance"]["i_have_rights"] is True
    checked = humdial("check", tmp_path)
    assert (checked.code, "records and audio agree" in checked.out) == (0, True)
    described = humdial("describe", tmp_path)
    assert (described.code, "1 dialogues, " in described.out) == (0, True)


def test_of_a_language_that_nobody_named_there_are_no_timelines_and_a_table_says_so(
    tmp_path: Path, audio: Path
) -> None:
    answer = humdial("filter", audio / "call.wav", "--out", tmp_path)
    assert answer.code == 0
    assert "missing_field" in answer.out
    assert "0 timelines, 0 with audio" in answer.out


def test_the_remedy_for_an_unknown_language_is_printed_where_it_is_needed_only(
    tmp_path: Path, audio: Path
) -> None:
    said = "missing_field: nobody says the language, so these segments have no timeline; give --language"
    unknown = humdial("filter", audio / "call.wav", "--out", tmp_path)
    assert said in unknown.out
    known = humdial("filter", audio / "call.wav", "--out", tmp_path, "--language", "en")
    assert said not in known.out
    assert "1 timelines" in known.out


def test_the_summary_is_there_as_json(tmp_path: Path, audio: Path) -> None:
    answer = humdial("filter", audio / "call.wav", "--out", tmp_path, "--json")
    assert json.loads(answer.out) == json.loads((tmp_path / "summary.json").read_text())


def test_kept_segments_are_drawn(tmp_path: Path, audio: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    answer = humdial("filter", audio / "call.wav", "--out", tmp_path, "--plot")
    (figure,) = (tmp_path / "timelines").iterdir()
    assert f"figure: {figure}" in answer.err
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert figure.stat().st_size > 10_000
    (tmp_path / "timelines" / "theirs.png").write_bytes(b"somebody else's")
    humdial("filter", audio / "calls.yaml", "--out", tmp_path, "--plot")
    assert {path.name for path in (tmp_path / "timelines").iterdir()} == {"one-000000.png", "theirs.png"}
    humdial("filter", audio / "calls.yaml", "--out", tmp_path)
    assert {path.name for path in (tmp_path / "timelines").iterdir()} == {"theirs.png"}


def test_figures_are_drawn_while_nobody_else_may_write(tmp_path: Path, audio: Path) -> None:
    refused: list[str] = []

    def draw(row: SegmentRow, frames: Frames | None, path: Path) -> None:
        with pytest.raises(ConfigError, match="another run is writing here"), RunDirectory(tmp_path).locked():
            pass
        refused.append(path.name)

    Mine(read_declaration(audio / "calls.yaml"), audio, tmp_path).run(lambda heard, kept: None, draw)
    assert refused == ["one-000000.png"]


def test_a_call_that_cannot_be_used_is_a_finding_and_says_why(tmp_path: Path, audio: Path) -> None:
    silent = write_call(tmp_path / "silent.wav", np.zeros((80_000, 2), np.float32))
    answer = humdial("filter", silent, "--out", tmp_path / "out")
    assert answer.code == 1
    assert "one_speaker: 0 of 2 speakers are heard" in answer.err
    assert "one_speaker" in answer.out


def test_audio_without_rights_is_answered_in_one_line(tmp_path: Path, audio: Path) -> None:
    answer = humdial("filter", audio / "calls.yaml", "--out", tmp_path / "out", "--export-audio")
    assert answer.code == 2
    assert "recording 'one': the rights of 'made-up'" in answer.problem
    assert "--i-have-rights" in answer.problem


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["missing.wav"], "missing.wav: is no file; wanted audio files, or one YAML declaration"),
        (["calls.yaml", "call.wav"], "a declaration stands alone"),
        (["missing.yaml"], "cannot be read"),
    ],
)
def test_misuse_is_answered_in_one_line(tmp_path: Path, audio: Path, names: list[str], problem: str) -> None:
    answer = humdial("filter", *(audio / name for name in names), "--out", tmp_path / "out")
    assert answer.code == 2
    assert problem in answer.problem


@pytest.mark.parametrize(
    "listed",
    [
        "recordings: [{recording_id: one, audio: [audio/agent.wav, audio/caller.wav]}]",
        "sources: [{layout: rttm, path: rttm}]",
    ],
)
def test_recordings_that_are_inside_of_out_are_left_alone(tmp_path: Path, audio: Path, listed: str) -> None:
    for name in ("agent.wav", "caller.wav"):
        (tmp_path / "audio").mkdir(exist_ok=True)
        (tmp_path / "audio" / name).write_bytes((audio / name).read_bytes())
    (tmp_path / "rttm").mkdir()
    (tmp_path / "rttm" / "call.rttm").write_text("SPEAKER call 1 0.000 1.000 <NA> <NA> A <NA> <NA>\n")
    declaration = tmp_path / "d.yaml"
    declaration.write_text(DECLARATION.replace(DECLARATION.splitlines()[2], listed))
    before = sorted(tmp_path.rglob("*"))
    answer = humdial("filter", declaration, "--out", tmp_path, "--export-audio", "--i-have-rights")
    assert answer.code == 2
    assert f"is inside {tmp_path}, which is for results; choose another --out" in answer.problem
    assert sorted(tmp_path.rglob("*")) == before


def test_results_do_not_go_where_recordings_are_looked_for(tmp_path: Path, audio: Path) -> None:
    (tmp_path / "call.wav").write_bytes((audio / "call.wav").read_bytes())
    (tmp_path / "d.yaml").write_text("sources: [{layout: two_channel, path: .}]\n")
    answer = humdial("filter", tmp_path / "d.yaml", "--out", tmp_path / "mined")
    assert answer.code == 2
    assert "where `sources` are looked for" in answer.problem
    assert not (tmp_path / "mined").exists()

"""Mined talk where runs are read: described, fitted, checked, exported; beside generated dialogues, too."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from pipeline.checking import RunCheck
from pipeline.core.checks import Code
from pipeline.core.event_rates import EventRate
from pipeline.core.exports.format_names import FormatName
from pipeline.describing import Description, Material, describe
from pipeline.domain.errors import ConfigError
from pipeline.domain.events import EventType
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.export_checking import ExportCheck
from pipeline.exporting import export_config, export_run
from pipeline.fitting import Fit, fit_material
from pipeline.io.jsonl import read_records
from pipeline.io.references import load_reference
from pipeline.reporting import report_run
from tests.calls import call, write_call
from tests.cli.calling import humdial
from tests.made_run import write_run
from tests.mined import declared, dialogues, mined, one, write_words
from tests.timed import spoken_dialogues, time_dialogues

Pcm = npt.NDArray[np.int16]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two calls with words, one with bleed that two microphones in one room have."""
    base = tmp_path_factory.mktemp("calls")
    write_call(base / "clean.wav", call(16_000), 16_000)
    write_call(base / "room.wav", call(16_000, bleed_db=-20.0), 16_000)
    write_words(base / "words.jsonl")
    recordings = (
        one(name, f"{name}.wav", words="words.jsonl", speakers=("A", "B")) for name in ("clean", "room")
    )
    mined(declared(*recordings, export_audio=True), base, base / "out")
    return base / "out"


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call without words and without audio."""
    base = tmp_path_factory.mktemp("silent")
    write_call(base / "call.wav", call())
    mined(declared(one("call", "call.wav")), base, base / "out")
    return base / "out"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    write_run(directory, time_dialogues(spoken_dialogues(12), load_reference("switchboard")))
    return directory


def no_refusal(refusal: Refusal) -> None:
    raise AssertionError(refusal)


def described(*paths: Path, from_audio: bool = False) -> Description:
    return describe(Material(paths, from_audio=from_audio), load_reference("switchboard"), no_refusal)


def counted(description: Description) -> dict[EventType, int]:
    rows: tuple[EventRate, ...] = description.events.rows if description.events else ()
    return {row.type: row.n for row in rows}


def test_timelines_without_audio_are_described_as_recorded_talk(silent: Path) -> None:
    description = described(silent)
    assert description.conversations == ("call-000000",)
    assert description.drawn is None
    assert counted(description) == {EventType.BACKCHANNEL: 1, EventType.INTERRUPTION: 1}


def test_where_words_end_is_told_of_transcribed_talk_alone(talk: Path, silent: Path) -> None:
    name = "backchannel_since_partner_word_end"
    assert name in {row.name for row in described(talk).rows}
    assert name not in {row.name for row in described(silent).rows}


def test_recorded_and_generated_talk_are_described_together(talk: Path, run: Path) -> None:
    together, apart = described(talk, run), (described(talk), described(run))
    assert together.conversations == apart[0].conversations + apart[1].conversations
    assert together.statistics.speech_s == pytest.approx(sum(one.statistics.speech_s for one in apart))
    assert together.drawn == apart[1].drawn  # nothing in recorded talk was drawn
    assert together.events is not None
    assert together.events.dialogues == sum(one.events.dialogues for one in apart if one.events)


def test_records_and_audio_of_mined_talk_tell_the_same(talk: Path) -> None:
    by_record, by_ear = described(talk), described(talk, from_audio=True)
    assert by_ear.conversations == by_record.conversations
    assert by_ear.drawn is None


def test_a_reference_is_fitted_on_mined_talk_and_says_so(talk: Path, silent: Path, tmp_path: Path) -> None:
    how = Fit(allow_small=True)
    fitted = fit_material(Material((talk, silent)), how, tmp_path / "fit.json", no_refusal)
    assert fitted.corpus.setting == "recorded talk, as it was mined"
    assert fitted.corpus.n_conversations == 3
    assert "nobody transcribed" in fitted.missing["backchannel_since_partner_word_end"]


def test_recorded_and_generated_talk_are_fitted_apart(talk: Path, run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fit them apart"):
        fit_material(Material((talk, run)), Fit(), tmp_path / "fit.json", no_refusal)


@pytest.mark.parametrize(
    "ask",
    [
        lambda out, tmp: RunCheck(out),
        lambda out, tmp: described(out, from_audio=True),
        lambda out, tmp: export_run(out, export_config(FormatName.INTERACTSPEECH, {}), tmp / "x"),
    ],
)
def test_what_needs_audio_says_how_to_have_it(
    silent: Path, tmp_path: Path, ask: Callable[[Path, Path], object]
) -> None:
    with pytest.raises(ConfigError, match=r"mined timelines without audio.*--export-audio"):
        ask(silent, tmp_path)


@pytest.mark.parametrize(
    "command",
    [("compare", "{mined}", "{mined}"), ("retime", "{mined}", "--out", "{out}")],
)
def test_what_is_about_generated_runs_refuses_mined_talk_by_name(
    silent: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    answer = humdial(*(part.format(mined=silent, out=tmp_path / "out") for part in command))
    assert answer.code == 2
    assert f"{silent}: holds mined recordings; wanted the directory of a generated run" in answer.problem
    assert "`humdial describe`" in answer.problem


def test_mined_talk_has_no_report_of_a_run(silent: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds mined recordings; .* their figures are in summary\.json"):
        report_run(silent)


def test_where_no_audio_could_be_cut_out_that_is_said(tmp_path: Path) -> None:
    write_call(tmp_path / "mono.wav", call().sum(axis=1))
    write_words(tmp_path / "words.jsonl")
    mined(
        declared(one("call", "mono.wav", words="words.jsonl"), export_audio=True), tmp_path, tmp_path / "out"
    )
    with pytest.raises(ConfigError, match=r"the audio of none of them.*quarantine.jsonl"):
        RunCheck(tmp_path / "out")


def test_mined_talk_agrees_with_its_audio_in_a_room_too(talk: Path) -> None:
    checked = RunCheck(talk)
    assert [finding for finding in checked.findings() if finding.code is not Code.DUPLICATE_TEXT] == []
    summary = checked.summary()
    assert summary.dialogues == 2
    assert summary.onsets.n == summary.ends.n == 8
    assert summary.heard_overlap_ratio == pytest.approx(summary.recorded_overlap_ratio, abs=0.02)


def silenced(samples: Pcm) -> Pcm:
    """Most of the interruption is gone."""
    changed = samples.copy()
    changed[18 * 16_000 : 25 * 16_000, 1] = 0
    return changed


def talked_over(samples: Pcm) -> Pcm:
    """Somebody talks where nobody is recorded."""
    changed = samples.copy()
    changed[20 * 16_000 : 23 * 16_000, 0] = changed[11 * 16_000 : 14 * 16_000, 0]
    return changed


FAULTS: dict[str, tuple[Callable[[Pcm], Pcm], Code]] = {
    "swapped": (lambda samples: samples[:, ::-1], Code.TRACKS_SWAPPED),
    "silent": (silenced, Code.WORDS_IN_SILENCE),
    "unrecorded": (talked_over, Code.UNRECORDED_SPEECH),
    "cut": (lambda samples: samples[:-8000], Code.TRUNCATED_FILE),
    "longer": (lambda samples: np.pad(samples, ((0, 8000), (0, 0))), Code.LENGTH_MISMATCH),
    "backwards": (lambda samples: samples[::-1], Code.AUDIO_CHANGED),
    "loud": (
        lambda samples: np.clip(samples.astype(int) * 60, -32_768, 32_767).astype(np.int16),
        Code.CLIPPING,
    ),
    "late": (lambda samples: np.roll(samples, 8000, axis=0), Code.EDGES_IMPRECISE),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["clean", "room"])
def test_a_fault_in_mined_talk_is_found(talk: Path, tmp_path: Path, fault: str, name: str) -> None:
    out = tmp_path / "out"
    shutil.copytree(talk, out)
    change, code = FAULTS[fault]
    for dialogue in dialogues(out):
        if dialogue.timeline.dialogue_id.startswith(name) or code is Code.EDGES_IMPRECISE:
            samples, rate = soundfile.read(out / dialogue.audio.path, dtype="int16")
            soundfile.write(out / dialogue.audio.path, change(samples), rate)
    assert code in {finding.code for finding in RunCheck(out).findings()}


def test_a_speaker_in_two_splits_is_found(talk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(talk, out)
    lines = (out / "dialogues.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    other = {**json.loads(lines[1])}
    other["timeline"]["voicing"] = first["timeline"]["voicing"]
    other["timeline"]["split"] = "test" if first["timeline"]["split"] != "test" else "dev"
    (out / "dialogues.jsonl").write_text(f"{lines[0]}\n{json.dumps(other)}\n")
    assert Code.VOICE_IN_TWO_SPLITS in {finding.code for finding in RunCheck(out).findings()}


def exported(talk: Path, name: FormatName, out: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """What the check of the export found, and its manifest."""
    stamp = export_run(talk, export_config(name, {}), out)
    assert (stamp.num_dialogues, stamp.num_refusals) == (1, 0)
    found = [finding.to_line() for finding in ExportCheck(out).findings()]
    return found, [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call as one segment, with the listener on channel 0: it nods, takes the floor, and speaks once more."""
    base = tmp_path_factory.mktemp("long")
    write_call(base / "call.wav", call(16_000)[:, ::-1], 16_000)
    write_words(base / "words.jsonl", ("B", "A"))
    recording = one("call", "call.wav", words="words.jsonl", speakers=("A", "B"))
    mined(declared(recording, export_audio=True, segments={"target_len_s": 45}), base, base / "out")
    return base / "out"


def test_labels_of_recorded_turns_say_what_became_of_them(long: Path, tmp_path: Path) -> None:
    found, (row,) = exported(long, FormatName.EASY_TURN, tmp_path / "x")
    assert found == []
    assert [(clip["state"], clip["text"].split()[0]) for clip in row["clips"]] == [
        ("<BACKCHANNEL>", "uh-huh"),
        ("<COMPLETE>", "word0"),
        ("<COMPLETE>", "word0"),
    ]
    lines = [json.loads(line) for line in (tmp_path / "x" / row["lines"]).read_text().splitlines()]
    assert {(line["gender"], line["key"].partition("_")[0]) for line in lines} == {("<NONE>", "mined")}


def test_recorded_talk_is_a_dialogue_of_interactspeech(long: Path, tmp_path: Path) -> None:
    found, (row,) = exported(long, FormatName.INTERACTSPEECH, tmp_path / "x")
    assert found == []
    assert (row["interruptions"], len(row["backchannel_lines"]), row["marked_lines"]) == (1, 1, [])


@pytest.mark.parametrize("name", list(FormatName))
def test_talk_that_nobody_transcribed_is_refused_by_name(tmp_path: Path, name: FormatName) -> None:
    write_call(tmp_path / "call.wav", call())
    mined(declared(one("call", "call.wav"), export_audio=True), tmp_path, tmp_path / "out")
    stamp = export_run(tmp_path / "out", export_config(name, {}), tmp_path / "x")
    assert (stamp.num_dialogues, stamp.num_refusals) == (0, 1)
    (refusal,) = read_records(tmp_path / "x" / "quarantine.jsonl", Refusal)
    assert refusal.reason is Reason.NOT_EXPORTABLE
    assert any(word in refusal.detail for word in ("mined", "known in words", "none was given a number"))

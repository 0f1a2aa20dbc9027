"""A run's files against its records, through `humdial check`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from click.testing import CliRunner

from pipeline.backends.vad import DETECTORS
from pipeline.checking import RunCheck
from pipeline.cli.main import humdial
from pipeline.cli.measure import check, describe, fit
from pipeline.core.checks import Code, Finding
from pipeline.domain.errors import ConfigError
from pipeline.domain.timeline import Dialogue
from pipeline.io.audio import read_pcm16
from pipeline.io.references import load_reference
from tests.core.timing.dialogues import made_up
from tests.made_run import LOUDNESS_LUFS, write_run
from tests.timed import spoken_dialogues, time_dialogues

Pcm = npt.NDArray[np.int16]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    timelines = time_dialogues([made_up(number) for number in (0, 2, 3, 4)], load_reference("switchboard"))
    write_run(tmp_path, timelines)
    return tmp_path


def dialogue(run: Path, index: int = 0) -> Dialogue:
    return Dialogue.from_line((run / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()[index])


def audio_path(run: Path, index: int = 0) -> Path:
    return run / dialogue(run, index).audio.path


def test_a_clean_run_has_no_findings(run: Path) -> None:
    checked = RunCheck(run)
    assert list(checked.findings()) == []
    summary = checked.summary()
    assert (summary.dialogues, summary.detector, summary.findings) == (4, "energy-1", {})
    assert summary.onsets.n == summary.ends.n > 15
    for errors in (summary.onsets, summary.ends):
        assert errors.p95_ms is not None
        assert errors.p95_ms <= 6.0
    assert summary.recorded_overlap_ratio is not None
    assert summary.heard_overlap_ratio == pytest.approx(summary.recorded_overlap_ratio, abs=0.003)


def write(run: Path, samples: Pcm, rate: int, index: int = 0) -> None:
    """Another file in place of a dialogue's."""
    soundfile.write(audio_path(run, index), samples, rate, format="FLAC", subtype="PCM_16")


def rewrite(run: Path, change: Callable[[Pcm], Pcm], index: int = 0) -> None:
    """Change a dialogue's samples, and leave the record as it is."""
    samples, rate = read_pcm16(audio_path(run, index))
    write(run, change(samples), rate, index)


def gone(run: Path) -> None:
    audio_path(run).unlink()


def cut_off(run: Path) -> None:
    path = audio_path(run)
    path.write_bytes(path.read_bytes()[:-2000])


def not_audio(run: Path) -> None:
    path = audio_path(run)
    path.write_bytes(b"x" * path.stat().st_size)


def swapped(run: Path) -> None:
    rewrite(run, lambda samples: samples[:, ::-1])


def mono(run: Path) -> None:
    rewrite(run, lambda samples: samples[:, :1])


def half(run: Path) -> None:
    rewrite(run, lambda samples: samples[: len(samples) // 2])


def longer(run: Path) -> None:
    rewrite(run, lambda samples: np.concatenate((samples, np.zeros_like(samples[:1]))))


def encoded_again(run: Path) -> None:
    """The same samples in fewer bytes."""
    path = audio_path(run)
    samples, rate = read_pcm16(path)
    soundfile.write(path, samples, rate, format="FLAC", subtype="PCM_16", compression_level=1.0)
    assert path.stat().st_size < dialogue(run).audio.num_bytes


def backwards(run: Path) -> None:
    """The first utterance, with its fades and its place."""
    span = dialogue(run).timeline.supervisions[0].span

    def turn(samples: Pcm) -> Pcm:
        turned = samples.copy()
        turned[span.start : span.end, 0] = samples[span.start : span.end, 0][::-1]
        return turned

    rewrite(run, turn)


def other_rate(run: Path) -> None:
    samples, _ = read_pcm16(audio_path(run))
    write(run, samples, 16_000)


def all_late(run: Path) -> None:
    rewrite(run, lambda samples: np.roll(samples, 24 * 150, axis=0))


FAULTS: dict[Callable[[Path], None], Code] = {
    gone: Code.MISSING_AUDIO,
    cut_off: Code.TRUNCATED_FILE,
    not_audio: Code.MISSING_AUDIO,
    swapped: Code.TRACKS_SWAPPED,
    mono: Code.CHANNEL_COUNT,
    half: Code.TRUNCATED_FILE,
    longer: Code.LENGTH_MISMATCH,
    encoded_again: Code.AUDIO_CHANGED,
    backwards: Code.AUDIO_CHANGED,
    other_rate: Code.RATE_MISMATCH,
    all_late: Code.ONSET_OFF,
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_of_a_file_is_found_and_named(run: Path, fault: Callable[[Path], None]) -> None:
    fault(run)
    found = list(RunCheck(run).findings())
    named = [finding for finding in found if finding.code is FAULTS[fault]]
    assert named, [finding.code.value for finding in found]
    assert {finding.dialogue_id for finding in named} == {"en-0000"}


@pytest.mark.parametrize("fault", [encoded_again, backwards], ids=lambda fault: fault.__name__)
def test_a_file_that_sounds_right_and_is_another_is_one_finding(
    run: Path, fault: Callable[[Path], None]
) -> None:
    fault(run)
    (finding,) = RunCheck(run).findings()
    assert finding.code is Code.AUDIO_CHANGED
    assert dialogue(run).audio.digest in finding.detail


@pytest.mark.parametrize("file_format", ["flac", "wav"])
def test_a_file_that_lacks_its_end_is_cut_off_and_nothing_else(
    tmp_path: Path, file_format: Literal["flac", "wav"]
) -> None:
    timelines = time_dialogues(spoken_dialogues(1), load_reference("switchboard"))
    write_run(tmp_path, timelines, file_format=file_format)
    cut_off(tmp_path)
    (finding,) = RunCheck(tmp_path).findings()
    assert finding.code is Code.TRUNCATED_FILE
    assert f"written with {dialogue(tmp_path).audio.num_bytes}: cut off" in finding.detail


def test_a_user_who_is_heard_all_the_time_changes_the_overlap_ratio(run: Path) -> None:
    def babble(samples: Pcm) -> Pcm:
        noise = np.random.default_rng(3).integers(-9_000, 9_000, len(samples)).astype(np.int16)
        return np.column_stack((noise, samples[:, 1]))

    for index in range(4):
        rewrite(run, babble, index)
    found = {finding.code: finding for finding in RunCheck(run).findings()}
    assert {Code.UNRECORDED_SPEECH, Code.OVERLAP_RATIO_OFF} <= set(found)
    assert found[Code.OVERLAP_RATIO_OFF].dialogue_id is None
    assert "the records say 0." in found[Code.OVERLAP_RATIO_OFF].detail


def test_audio_that_is_a_little_late_throughout_is_a_finding_of_the_dataset(run: Path) -> None:
    for index in range(4):
        rewrite(run, lambda samples: np.roll(samples, 24 * 60, axis=0), index)
    found = {finding.code for finding in RunCheck(run).findings()}
    assert Code.EDGES_IMPRECISE in found
    assert Code.ONSET_OFF not in found


def test_the_loudness_that_is_wanted_is_the_runs_own(tmp_path: Path) -> None:
    timelines = time_dialogues(spoken_dialogues(1), load_reference("switchboard"))
    write_run(tmp_path, timelines, loudness_lufs=LOUDNESS_LUFS - 3)
    found = list(RunCheck(tmp_path).findings())
    assert {finding.code for finding in found} == {Code.LOUDNESS_OUT_OF_RANGE}
    assert "wanted -14.9 +/- 2.0" in found[0].detail


def test_a_directory_that_holds_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no run\.json"):
        RunCheck(tmp_path)


def test_the_command_prints_one_finding_per_line_and_the_summary_last(run: Path) -> None:
    gone(run)
    result = CliRunner().invoke(humdial, ["check", str(run), "--json"])
    assert result.exit_code == 1
    *lines, last = result.stdout.splitlines()
    assert [Finding.from_line(line).code for line in lines] == [Code.MISSING_AUDIO]
    summary = json.loads(last)["summary"]
    assert summary["dialogues"] == 4
    assert summary["findings"] == {"missing_audio": 1}


def test_the_command_says_that_a_clean_run_is_clean(run: Path) -> None:
    result = CliRunner().invoke(humdial, ["check", str(run)])
    assert result.exit_code == 0
    assert "records and audio agree" in result.stdout
    assert "onsets" in result.stdout


@pytest.mark.parametrize("command", [check, describe, fit], ids=["check", "describe", "fit"])
def test_every_detector_can_be_asked_for(command: click.Command) -> None:
    (option,) = (one for one in command.params if one.name == "detector")
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == DETECTORS

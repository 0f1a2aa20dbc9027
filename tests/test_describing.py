"""Describe and fit on runs, RTTM and audio, made up and (where there) real."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from scipy.stats import wasserstein_distance

from pipeline.cli.main import humdial
from pipeline.core.drawn import Drawn
from pipeline.core.turntaking import Quantity
from pipeline.describing import Description, Material, describe, observe
from pipeline.domain.errors import ConfigError
from pipeline.domain.quarantine import Refusal
from pipeline.io.references import load_reference
from tests.made_run import write_run
from tests.timed import spoken_dialogues, time_dialogues

RATE = 8000
SHARED = Path(os.environ.get("HUMDIAL_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def no_refusal(refusal: Refusal) -> None:
    raise AssertionError(refusal)


def described(material: Material) -> Description:
    return describe(material, load_reference("switchboard"), no_refusal)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    write_run(directory, time_dialogues(spoken_dialogues(40), load_reference("switchboard")))
    return directory


def write_call(directory: Path) -> tuple[Path, Path]:
    """Two sides of a call: A 0-2 and 4-6 s, B 1.5-3.5 s, on digital silence and on a noise floor."""
    rng = np.random.default_rng(5)
    sides = []
    for name, spans, floor in (("a", ((0.0, 2.0), (4.0, 6.0)), 0.0), ("b", ((1.5, 3.5),), 0.0005)):
        samples = rng.normal(0, 1, 7 * RATE) * floor
        for start, end in spans:
            samples[round(start * RATE) : round(end * RATE)] += rng.normal(
                0, 0.1, round((end - start) * RATE)
            )
        path = directory / f"{name}.wav"
        soundfile.write(path, samples.astype(np.float32), RATE, subtype="FLOAT")
        sides.append(path)
    return sides[0], sides[1]


def test_records_and_audio_of_a_run_tell_the_same(run: Path) -> None:
    recorded, heard = (described(Material((run,), from_audio=audio)) for audio in (False, True))
    assert heard.statistics.overlap_over_speech_time == pytest.approx(
        recorded.statistics.overlap_over_speech_time, abs=0.005
    )
    for quantity in (Quantity.FTO, Quantity.BACKCHANNEL_DURATION):
        pairs = zip(recorded.statistics.sample(quantity), heard.statistics.sample(quantity), strict=True)
        assert max(abs(a - b) for a, b in pairs) <= 0.011
    # A silence a few ms from 200 ms may end an IPU by record and not by ear, so pauses do not pair up one by one.
    pauses = [one.statistics.sample(Quantity.PAUSE) for one in (recorded, heard)]
    assert abs(len(pauses[0]) - len(pauses[1])) <= 2
    assert wasserstein_distance(*pauses) <= 0.03
    assert recorded.drawn is not None
    assert heard.drawn is not None
    for drawn in Drawn:
        pairs = zip(recorded.drawn.samples[drawn], heard.drawn.samples[drawn], strict=True)
        assert all(abs(a - b) <= 0.025 for a, b in pairs)


def test_two_mono_files_are_a_conversation_with_their_overlap_and_gap(tmp_path: Path) -> None:
    found = described(Material(write_call(tmp_path), is_audio=True))
    assert found.conversations == ("a+b",)
    assert found.statistics.sample(Quantity.FTO) == pytest.approx((-0.5, 0.5), abs=0.01)
    assert found.statistics.overlap_over_speech_time == pytest.approx(0.5 / 5.5, abs=0.002)
    assert found.drawn is None
    assert Quantity.FTO_TURN_TO_TURN not in found.statistics.samples


def test_two_channels_of_one_file_are_the_same_conversation(tmp_path: Path) -> None:
    sides = write_call(tmp_path)
    both = np.column_stack([soundfile.read(path, dtype="float32")[0] for path in sides])
    soundfile.write(tmp_path / "both.wav", both, RATE, subtype="FLOAT")
    stereo, mono = (described(Material(paths, is_audio=True)) for paths in ((tmp_path / "both.wav",), sides))
    assert stereo.statistics == mono.statistics


def test_an_rttm_file_is_described_and_its_bad_lines_are_told(tmp_path: Path) -> None:
    path = tmp_path / "m.rttm"
    rows = ((0, 2, "A"), (1.5, 2, "B"), (4, 2, "A"))
    lines = [f"SPEAKER m 1 {start} {length} <NA> <NA> {who} <NA> <NA>" for start, length, who in rows]
    path.write_text("\n".join([*lines, "SPEAKER m 1 x 2 <NA> <NA> A <NA> <NA>"]), encoding="utf-8")
    refusals: list[Refusal] = []
    (conversation,) = observe(Material((path,)), refusals.append)
    assert conversation.drawn is None
    assert [refusal.record_id for refusal in refusals] == ["m.rttm:4"]


def write_meeting(path: Path) -> Path:
    """Three people in one recording, and two in another."""
    said = (("m", 0, 2, "A"), ("m", 1.5, 2, "B"), ("m", 4, 2, "C"), ("t", 0, 1, "A"), ("t", 1.5, 1, "B"))
    lines = [
        f"SPEAKER {uri} 1 {start} {length} <NA> <NA> {who} <NA> <NA>" for uri, start, length, who in said
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_rows_that_three_speakers_cannot_have_are_absent_with_the_reason(tmp_path: Path) -> None:
    path = write_meeting(tmp_path / "m.rttm")
    why = "1 of 2 conversations are not between two speakers ('m' has 3); floor transfers, gaps, pauses"
    shown = CliRunner().invoke(humdial, ["describe", str(path)])
    assert shown.exit_code == 0
    assert f"note: {why}" in shown.stdout
    assert "ipu_duration" in shown.stdout
    content = json.loads(CliRunner().invoke(humdial, ["describe", str(path), "--json"]).stdout)
    assert content["left_out"].startswith(why)
    assert [row["name"] for row in content["quantities"]] == ["ipu_duration"]
    refused = CliRunner().invoke(humdial, ["fit", str(path), "--out", str(tmp_path / "x.json")])
    assert isinstance(refused.exception, ConfigError)
    assert why in str(refused.exception)


@pytest.mark.parametrize("command", ["describe", "fit"])
def test_help_says_that_two_speakers_are_wanted(command: str) -> None:
    assert "two speakers" in " ".join(CliRunner().invoke(humdial, [command, "--help"]).stdout.split())


def test_two_speakers_are_described_without_a_note(tmp_path: Path) -> None:
    assert described(Material(write_call(tmp_path), is_audio=True)).left_out is None


@pytest.mark.parametrize(
    ("material", "complaint"),
    [
        (Material((Path("x.wav"),), is_audio=True, from_audio=True), "wanted one of them"),
        (Material((Path(__file__),), from_audio=True), "wants the directory of a run"),
        (Material((Path("x.wav"),), is_audio=True, detector="ears"), "'ears': unknown"),
        (Material((Path("x.rttm"),)), r"x\.rttm: not there; wanted the directory of a run, or an RTTM file"),
    ],
)
def test_what_cannot_be_measured_is_refused(material: Material, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        described(material)


def test_the_json_form_has_null_where_there_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "quiet.wav"
    soundfile.write(path, np.zeros((RATE, 2)), RATE)
    result = CliRunner().invoke(humdial, ["describe", "--audio", str(path), "--json"])
    assert result.exit_code == 0
    content = json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert content["overlap_ratio"] is None
    assert content["conversations"] == 1
    assert content["drawn"] == []


def test_a_run_has_a_second_table_of_what_timing_drew(run: Path) -> None:
    result = CliRunner().invoke(humdial, ["describe", str(run)])
    assert result.exit_code == 0
    assert "fto (not fixed by events)" in result.stdout
    assert "yield time (after an interruption)" in result.stdout
    content = json.loads(CliRunner().invoke(humdial, ["describe", str(run), "--json"]).stdout)
    rows = {row["name"]: row for row in content["drawn"]}
    assert rows["fto (not fixed by events)"]["n"] == 60
    assert 0 < rows["fto (not fixed by events)"]["ks"] < 1
    assert rows["pause (within turns)"]["noise_ks_p95"] > 0


@pytest.mark.parametrize("from_audio", [False, True])
def test_a_run_has_a_third_table_of_its_events(run: Path, from_audio: bool) -> None:
    options = ["--from-audio"] if from_audio else []
    events = json.loads(CliRunner().invoke(humdial, ["describe", str(run), "--json", *options]).stdout)[
        "events"
    ]
    assert (events["dialogues"], events["turns"]) == (40, 20 * 4 + 20 * 2)
    rows = {(row["type"], row["initiator"], row["effect"]): row for row in events["rows"]}
    assert set(rows) == {("follow_up_question", "user", "yields"), ("backchannel", "user", "continues")}
    for row in rows.values():
        assert (row["n"], row["per_dialogue"]) == (20, 0.5)
        assert row["per_ten_turns"] == pytest.approx(10 * 20 / 120)
        assert row["per_min"] == pytest.approx(20 / events["minutes"])
    shown = [line.split() for line in CliRunner().invoke(humdial, ["describe", str(run)]).stdout.splitlines()]
    assert any(line[:5] == ["backchannel", "user", "continues", "20", "1.667"] for line in shown)


def test_recordings_have_no_events(tmp_path: Path) -> None:
    assert described(Material((write_meeting(tmp_path / "m.rttm"),))).events is None
    result = CliRunner().invoke(humdial, ["describe", str(tmp_path / "m.rttm")])
    assert "initiator" not in result.stdout


def test_figures_are_written_where_asked(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    result = CliRunner().invoke(humdial, ["describe", str(run), "--plot", str(tmp_path / "figures")])
    assert result.exit_code == 0
    names = {path.name for path in (tmp_path / "figures").glob("*.png")}
    assert {"fto.png", "fto_not_fixed_by_events.png", "gap.png", "pause.png", "overlap_ratio.png"} <= names


def test_a_reference_fitted_on_a_run_is_one_that_describe_reads(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    fitted = CliRunner().invoke(
        humdial, ["fit", str(run), "--out", str(out), "--name", "mine", "--allow-small"]
    )
    assert fitted.exit_code == 0, fitted.output
    told = {line.split(": ")[1] for line in fitted.stdout.splitlines() if line.startswith("missing: ")}
    assert told == set(load_reference(str(out)).missing)
    shown = CliRunner().invoke(humdial, ["describe", str(run), "--reference", str(out), "--json"])
    rows = {row["name"]: row for row in json.loads(shown.stdout)["drawn"]}
    assert rows["pause (within turns)"]["ks"] < 0.02  # the very sample that the table was made of
    assert load_reference(str(out)).corpus.setting == "generated dialogues, as their records say"


def test_a_base_is_named_for_what_it_lends(tmp_path: Path) -> None:
    out = tmp_path / "call.json"
    sides = [str(path) for path in write_call(tmp_path)]
    arguments = ["fit", "--audio", *sides, "--out", str(out), "--allow-small", "--base", "switchboard"]
    result = CliRunner().invoke(humdial, arguments)
    assert result.exit_code == 0, result.output
    assert "borrowed from switchboard: backchannel_since_partner_word_end" in result.stdout
    assert "derived from the material's own fto: fto_turn_to_turn" in result.stdout
    assert "borrowed from switchboard: fto_turn_to_turn" not in result.stdout
    reference, lender = load_reference(str(out)), load_reference("switchboard")
    assert reference.distribution("fto").n == reference.distribution("fto_turn_to_turn").n == 2
    onsets = "backchannel_since_partner_word_end"
    assert reference.distribution(onsets) == lender.distribution(onsets)


def test_too_little_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "call.json"
    sides = [str(path) for path in write_call(tmp_path)]
    result = CliRunner().invoke(humdial, ["fit", "--audio", *sides, "--out", str(out)])
    assert isinstance(result.exception, ConfigError)
    assert "2 floor transfers, wanted 30" in str(result.exception)
    assert not out.exists()


@pytest.mark.skipif(not SHARED.is_dir(), reason="no sample of real recordings: set HUMDIAL_SHARED_DATA")
class TestRealRecordings:
    @pytest.mark.parametrize(("call", "fewest", "most"), [("49", 14, 20), ("40", 0, 0)])
    def test_overlaps_of_a_call_are_those_that_are_known(self, call: str, fewest: int, most: int) -> None:
        sides = [
            next((SHARED / "audio" / "aws_call").glob(f"*_{call}_*_{side}.*.wav"))
            for side in ("agent", "caller")
        ]
        (found,) = observe(Material(tuple(sides), is_audio=True), no_refusal)
        a, b = found.activity.ipus()
        lengths = [len(part) / found.activity.sampling_rate for x in a for y in b if (part := x.overlap(y))]
        assert fewest <= sum(length >= 0.2 for length in lengths) <= most

    @pytest.mark.parametrize(("name", "overlap_s"), [("development", 1.415), ("train", 13.224)])
    def test_overlap_of_a_meeting_is_that_of_its_rttm(self, name: str, overlap_s: float) -> None:
        found = described(Material((SHARED / "audio" / "ami_pyannote" / f"debug.{name}.rttm",)))
        assert found.statistics.overlap_s == pytest.approx(overlap_s, abs=5e-4)

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.checks.export_findings import ExportCode
from pipeline.core.exports.format_names import FormatName
from tests.exported import full_export, small_export
from tests.planted import (
    Change,
    add,
    append_copy,
    as_float,
    by_split,
    codes,
    drop_line,
    drop_row,
    edit,
    findings_of,
    garbage,
    in_first_json,
    in_manifest,
    in_turn,
    nearly_the_same,
    new_name,
    remove,
    replaced,
    rewrite,
    same_audio,
    share,
    swap,
)

C = ExportCode


@pytest.fixture(scope="module")
def track1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_export(tmp_path_factory, FormatName.HUMDIAL_TRACK1)


@pytest.fixture(scope="module")
def small1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_export(tmp_path_factory, FormatName.HUMDIAL_TRACK1)


@pytest.fixture(scope="module")
def small2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_export(tmp_path_factory, FormatName.HUMDIAL_TRACK2)


def all_angry(line: dict[str, object]) -> None:
    for turn in line["turns"][:-1]:  # type: ignore[index]
        turn["emotion"] = "anger"


TRACK1_FAULTS: list[tuple[str, Change, ExportCode]] = [
    ("a line that is no JSON", garbage("train_jsonl/*/task1_*.jsonl", b"{\n"), C.MALFORMED_LINE),
    ("a line that is a list", garbage("train_jsonl/*/task1_*.jsonl", b"[]\n"), C.MALFORMED_LINE),
    ("a blank line", garbage("train_jsonl/*/task1_*.jsonl", b"\n\n"), C.MALFORMED_LINE),
    ("lines that are no UTF-8", garbage("train_jsonl/*/task1_*.jsonl"), C.MALFORMED_LINE),
    ("a manifest line of another kind", garbage("manifest.jsonl", b"{}\n"), C.MALFORMED_LINE),
    ("a field of another layout", in_turn(0, input_audio="x.wav"), C.WRONG_FIELDS),
    ("a field less", in_turn(1, response_text=None), C.WRONG_FIELDS),
    ("a number for a text", in_turn(1, text=7), C.WRONG_FIELDS),
    ("a turn number in letters", in_turn(1, turn_id="2"), C.WRONG_FIELDS),
    ("a field beside the turns", edit(swap("split", "train")), C.WRONG_FIELDS),
    ("turns that are no list", edit(swap("turns", "none")), C.WRONG_FIELDS),
    ("a synonym for a label", in_turn(0, emotion="excited"), C.UNKNOWN_LABEL),
    ("a label in capitals", in_turn(0, emotion="Anger"), C.UNKNOWN_LABEL),
    ("a tag of no set", in_turn(0, text="Well [giggles] no."), C.UNKNOWN_TAG),
    ("a tag of Track 2", in_turn(0, text="Well [break] no."), C.UNKNOWN_TAG),
    ("a tag inside a word", in_turn(0, text="Wel[sigh]l no."), C.UNKNOWN_TAG),
    ("half a tag", in_turn(0, text="Well [sigh no."), C.UNKNOWN_TAG),
    ("an empty response", in_turn(0, response_text=" "), C.EMPTY_TEXT),
    ("a text of tags alone", in_turn(0, text="[sigh]"), C.EMPTY_TEXT),
    ("an id in the README's short form", edit(swap("dialogue_id", "zh_0001_0001")), C.BAD_ID),
    ("an id with a letter", edit(swap("dialogue_id", "task1_3_en_0001_000a")), C.BAD_ID),
    ("an id of another task", edit(swap("dialogue_id", "task2_3_en_0001_0001")), C.MISPLACED),
    ("audio of another turn", in_turn(0, split_audio_file="task1/a_2.wav"), C.MISPLACED),
    ("turn numbers from 0", in_turn(0, turn_id=0), C.TURN_NUMBERS),
    ("a turn twice", in_turn(1, turn_id=1), C.TURN_NUMBERS),
    ("a last turn that feels", in_turn(-1, emotion="anger"), C.NOT_SCORABLE),
    ("no change of feeling", edit(all_angry), C.NOT_SCORABLE),
    ("a text that the manifest does not have", in_turn(0, text="Something else."), C.MANIFEST_DIFFERS),
    ("a feeling that the manifest does not have", in_turn(0, emotion="fear"), C.MANIFEST_DIFFERS),
    ("a dialogue without a line", drop_line, C.MANIFEST_DIFFERS),
    ("a line without a manifest row", drop_row, C.MANIFEST_DIFFERS),
    ("user audio that is gone", remove("train_jsonl/*/task1/*_1.wav"), C.MISSING_FILE),
    ("no licences", remove("LICENSES.md"), C.MISSING_FILE),
    ("a second audio", add("train_jsonl/en/task1/extra.wav"), C.STRAY_FILE),
    ("a hidden file", add("train_jsonl/en/.DS_Store"), C.STRAY_FILE),
    ("lines in no tree", add("train_jsonl/en/task9_3.jsonl"), C.STRAY_FILE),
    ("audio that is none", garbage("train_jsonl/*/task1/*_1.wav", b"RIFF"), C.UNREADABLE_AUDIO),
    ("another rate", rewrite(lambda x: x, rate=24_000), C.SAMPLE_FORMAT),
    ("two channels", rewrite(lambda x: np.stack([x, x], axis=1)), C.SAMPLE_FORMAT),
    ("floats", as_float, C.SAMPLE_FORMAT),
    ("a turn of 7,999 samples", rewrite(lambda x: x[:7_999]), C.SHORT_AUDIO),
    ("silence", rewrite(np.zeros_like), C.SILENT_AUDIO),
    ("a sample less", rewrite(lambda x: x[:-1]), C.DURATION_OFF),
    ("a line twice", append_copy(), C.DUPLICATE_ID),
    ("a manifest row twice", append_copy("manifest.jsonl"), C.DUPLICATE_ID),
    ("a text twice, across splits", share("texts"), C.DUPLICATE_TEXT),
    ("nearly a text twice", in_manifest(nearly_the_same), C.NEAR_DUPLICATE_TEXT),
    ("audio twice", same_audio, C.DUPLICATE_AUDIO),
    ("a voice in two splits", share("voices"), C.VOICE_IN_TWO_SPLITS),
    ("a seed in two splits", share("provenance"), C.SEED_IN_TWO_SPLITS),
]


@pytest.mark.parametrize(
    ("change", "code"), [row[1:] for row in TRACK1_FAULTS], ids=[row[0] for row in TRACK1_FAULTS]
)
def test_a_fault_in_an_export_of_track_1_is_found(
    change: Change, code: ExportCode, small1: Path, tmp_path: Path
) -> None:
    shutil.copytree(small1, tmp_path / "export")
    change(tmp_path / "export")
    found = findings_of(tmp_path / "export")
    assert code in codes(found)
    assert all(finding.detail and (finding.path or finding.export_id) for finding in found)


DEV = "HD-Track2/HD-Track2-dev/*/Follow-up Questions"
GRID = "HD-Track2/HD-Track2-train/*/Follow-up Questions/*.TextGrid"
SENTENCE, WORDS = f"{DEV}/*_sentence.json", f"{DEV}/????_????.json"
DEV_WAV, CLEAN_WAV = f"{DEV}/????_????.wav", "HD-Track2/HD-Track2-dev/*/Speech Directed at Others/clean_*.wav"


def segment(number: int, **values: object) -> Change:
    return in_first_json(SENTENCE, lambda content: content["speech_segments"][number].update(values))  # type: ignore[index]


def chunk(number: int, **values: object) -> Change:
    return in_first_json(WORDS, lambda content: content["chunks"][number].update(values))  # type: ignore[index]


def shorter_last_tier(root: Path) -> None:
    path = sorted(root.glob(GRID))[0]
    head, tail = path.read_text("utf-8").rsplit("xmax = ", 1)
    path.write_text(f"{head}xmax = 5.0\n" + tail.split("\n", 1)[1], encoding="utf-8")


def longer_clean_twin(root: Path) -> None:
    path = sorted(root.glob(CLEAN_WAV))[0]
    name = path.name.removeprefix("clean_")
    path.unlink()
    shutil.copyfile(path.with_name(name), path)


def same_wav(root: Path) -> None:
    one, other = sorted(root.glob("HD-Track2/HD-Track2-train/*/*/????_????.wav"))[:2]
    other.write_bytes(one.read_bytes())


def other_id(rows: list[dict[str, object]]) -> None:
    rows[0]["export_id"] = "1_1"


def other_folder(rows: list[dict[str, object]]) -> None:
    by_split(rows, "dev")["directory"] = "HD-Track2/HD-Track2-train/HD-Track2-train-en/Pause Handling"


TRACK2_FAULTS: list[tuple[str, Change, ExportCode]] = [
    ("a TextGrid of other tiers", replaced(GRID, "文本", "text"), C.MALFORMED_LINE),
    ("segments that are no JSON", garbage(SENTENCE, b"{"), C.MALFORMED_LINE),
    ("words that are no UTF-8", garbage(WORDS), C.MALFORMED_LINE),
    ("a manifest line of another kind", garbage("manifest.jsonl", b"{}\n"), C.MALFORMED_LINE),
    ("a speaker in a segment", segment(0, speaker="user"), C.WRONG_FIELDS),
    ("a time in letters", segment(0, xmin="0"), C.WRONG_FIELDS),
    ("a null timestamp", chunk(0, timestamp=None), C.WRONG_FIELDS),
    ("a timestamp of nulls", chunk(0, timestamp=[None, None]), C.WRONG_FIELDS),
    ("one more key in words", in_first_json(WORDS, swap("lang", "en")), C.WRONG_FIELDS),
    ("an empty segment", segment(0, text=" "), C.EMPTY_TEXT),
    (
        "no segments, on which scripts crash",
        in_first_json(SENTENCE, lambda content: content.update(speech_segments=[])),
        C.EMPTY_TEXT,
    ),
    ("a segment beyond the audio", segment(1, xmax=99.0), C.TIMES_OFF),
    ("a word before its predecessor", chunk(0, timestamp=[5.0, 5.1]), C.TIMES_OFF),
    ("tiers of different length", shorter_last_tier, C.TIMES_OFF),
    ("a gap between intervals", replaced(GRID, "xmax = 2.1\n", "xmax = 2.0\n"), C.TIMES_OFF),
    ("a segment elsewhere than the manifest has it", segment(0, xmin=0.1), C.MANIFEST_DIFFERS),
    ("a text that is not its chunks", in_first_json(WORDS, swap("text", "x")), C.MANIFEST_DIFFERS),
    ("an id that no script matches", in_manifest(other_id), C.BAD_ID),
    ("a folder of another layout", in_manifest(other_folder), C.MISPLACED),
    ("no TextGrid", remove(GRID), C.MISSING_FILE),
    ("no assistant's audio", remove(f"{DEV}/*_output.wav"), C.MISSING_FILE),
    ("no clean twin", remove(f"{DEV}/clean_*.wav"), C.MISSING_FILE),
    ("segments of a clean twin", new_name(SENTENCE, "clean_ID_sentence.json"), C.STRAY_FILE),
    ("a dialogue beside the manifest", new_name(DEV_WAV, "9999_0001.wav"), C.STRAY_FILE),
    (
        "segments of a clean twin in an evaluation folder",
        add("evaluation/dev-en/dev/Follow-up_Questions/clean_0001_0001_sentence.json"),
        C.STRAY_FILE,
    ),
    ("a stranger in an evaluation folder", add("evaluation/dev-en/dev/A/9999_0001.json"), C.STRAY_FILE),
    ("audio that is none", garbage(DEV_WAV, b""), C.UNREADABLE_AUDIO),
    ("stereo", rewrite(lambda x: np.stack([x, x], axis=1), pattern=DEV_WAV), C.SAMPLE_FORMAT),
    ("silence", rewrite(np.zeros_like, pattern=DEV_WAV), C.SILENT_AUDIO),
    ("a second less", rewrite(lambda x: x[:-16_000], pattern=DEV_WAV), C.DURATION_OFF),
    (
        "a duration of another file",
        in_first_json(SENTENCE, lambda c: c.update(final_duration=60.0)),
        C.DURATION_OFF,
    ),
    ("a clean twin that nothing was cut from", longer_clean_twin, C.DURATION_OFF),
    ("a manifest row twice", append_copy("manifest.jsonl"), C.DUPLICATE_ID),
    ("a text twice, across splits", share("supervisions"), C.DUPLICATE_TEXT),
    ("nearly a text twice", in_manifest(nearly_the_same), C.NEAR_DUPLICATE_TEXT),
    ("audio twice", same_wav, C.DUPLICATE_AUDIO),
    ("a voice in two splits", share("voices"), C.VOICE_IN_TWO_SPLITS),
    ("a seed in two splits", share("provenance"), C.SEED_IN_TWO_SPLITS),
]


@pytest.mark.parametrize(
    ("change", "code"), [row[1:] for row in TRACK2_FAULTS], ids=[row[0] for row in TRACK2_FAULTS]
)
def test_a_fault_in_an_export_of_track_2_is_found(
    change: Change, code: ExportCode, small2: Path, tmp_path: Path
) -> None:
    shutil.copytree(small2, tmp_path / "export")
    change(tmp_path / "export")
    assert code in codes(findings_of(tmp_path / "export"))


def drop_clip(rows: list[dict[str, object]]) -> None:
    by_split(rows, "train")["clips"].pop(0)  # type: ignore[attr-defined]


def other_lines(rows: list[dict[str, object]]) -> None:
    by_split(rows, "train")["lines"] = "train_jsonl/en/task2_3.jsonl"


@pytest.mark.parametrize(
    ("change", "code", "detail"),
    [
        (
            edit(swap("dialogue_id", "task1_4_zh_0001_0001")),
            C.MISPLACED,
            r"wanted task 1, 4 turns, en in this",
        ),
        (in_manifest(drop_clip), C.MANIFEST_DIFFERS, r"_1\.wav, which the manifest does not know"),
        (in_manifest(other_lines), C.MANIFEST_DIFFERS, r"the manifest has it in .*task2_3\.jsonl"),
    ],
)
def test_a_fault_is_told_by_what_is_wrong(
    change: Change, code: ExportCode, detail: str, small1: Path, tmp_path: Path
) -> None:
    shutil.copytree(small1, tmp_path / "export")
    change(tmp_path / "export")
    found = findings_of(tmp_path / "export")
    assert any(f.code is code and re.search(detail, f.detail) for f in found)


def test_test_lines_without_their_twins_cannot_be_judged(track1: Path, tmp_path: Path) -> None:
    shutil.copytree(track1, tmp_path / "export")
    remove("scoring/en/HD-Track1-T2.jsonl")(tmp_path / "export")
    (found,) = findings_of(tmp_path / "export")
    assert found.code is ExportCode.NOT_SCORABLE
    assert found.path == "HD-Track1-Test/en/HD-Track1-T2.jsonl"


def test_a_twin_that_says_something_else_is_found(track1: Path, tmp_path: Path) -> None:
    shutil.copytree(track1, tmp_path / "export")

    def change(line: dict[str, object]) -> None:
        line["turns"][0]["input_emotion"] = "fear"  # type: ignore[index]

    edit(change, "scoring/en/HD-Track1-T1.jsonl")(tmp_path / "export")
    (found,) = findings_of(tmp_path / "export")
    assert (found.code, found.path) == (ExportCode.MANIFEST_DIFFERS, "scoring/en/HD-Track1-T1.jsonl")


def test_every_code_is_planted_somewhere() -> None:
    """`unbalanced` is planted in the tests of the balance itself."""
    planted = {code for _, _, code in (*TRACK1_FAULTS, *TRACK2_FAULTS)}
    assert planted == set(ExportCode) - {ExportCode.UNBALANCED}


def test_duplicates_say_whether_they_cross_splits(small1: Path, tmp_path: Path) -> None:
    shutil.copytree(small1, tmp_path / "across")
    share("texts")(tmp_path / "across")
    (across,) = [f for f in findings_of(tmp_path / "across") if f.code is ExportCode.DUPLICATE_TEXT]
    assert "across splits" in across.detail
    shutil.copytree(small1, tmp_path / "within")
    same_audio(tmp_path / "within")
    (within,) = [f for f in findings_of(tmp_path / "within") if f.code is ExportCode.DUPLICATE_AUDIO]
    assert "both in train" in within.detail

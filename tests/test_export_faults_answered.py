"""Faults planted into exports for trainers of replies."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.checks.export_findings import ExportCode
from pipeline.core.exports.format_names import FormatName
from pipeline.domain.labels import Split
from pipeline.export_checking import ExportCheck
from tests.core.exports.emotional import emotional_timeline
from tests.exported import export_at, small_export
from tests.planted import (
    Change,
    add,
    append_copy,
    codes,
    drop_row,
    edit,
    findings_of,
    garbage,
    in_manifest,
    nearly_the_same,
    remove,
    rewrite,
    share,
    swap,
)

C = ExportCode
LINES, WAV = "train/*.jsonl", "train/*/wav/*_1.wav"
Line = dict[str, object]


@pytest.fixture(scope="module")
def osum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_export(tmp_path_factory, FormatName.OSUM_ECHAT)


@pytest.fixture(scope="module")
def opens2s(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_export(tmp_path_factory, FormatName.OPENS2S)


@pytest.mark.parametrize("name", [FormatName.OSUM_ECHAT, FormatName.OPENS2S])
@pytest.mark.parametrize("aloud", [False, True])
def test_an_untouched_export_has_no_findings(name: FormatName, aloud: bool, tmp_path: Path) -> None:
    run = [emotional_timeline(aloud=aloud, dialogue_id="one", texts=[("Oh no.",), ("Oh!",), ("Why?",)])]
    check = ExportCheck(export_at(tmp_path, run, name))
    assert list(check.findings()) == []
    summary = check.summary()
    assert (summary.format, summary.dialogues) == (name.value, 1)
    assert summary.hours == pytest.approx((6 if aloud else 3) * 0.9001 / 3600, rel=0.01)
    assert summary.tables[1][1:] == (("train", "en", "trajectory", "1", "1"),)


def test_both_splits_and_languages_are_read(osum: Path, opens2s: Path) -> None:
    for export in (osum, opens2s):
        assert sorted(p.relative_to(export).as_posix() for p in export.glob("*/*.jsonl")) == [
            f"{split}/{language}.jsonl" for split in ("dev", "train") for language in ("en", "zh")
        ]
        assert findings_of(export) == []


def line(change: Callable[[Line], None]) -> Change:
    return edit(change, LINES)


def put(name: str, value: object) -> Change:
    return line(lambda item: item.update({name: value}))


def take(*names: str) -> Change:
    def change(item: Line) -> None:
        for name in names:
            del item[name]

    return line(change)


def in_extra(name: str, value: object) -> Change:
    return line(lambda item: item["extra"].update({name: value}))  # type: ignore[attr-defined]


def message(index: int, **values: object) -> Change:
    return line(lambda item: item["messages"][index]["content"][0].update(values))  # type: ignore[index]


def gap(item: Line) -> None:
    item["wav_3"], item["txt_3"] = item.pop("wav_2"), item.pop("txt_2")


def stereo(root: Path) -> None:
    rewrite(lambda x: np.stack([x, x], axis=1), pattern=WAV)(root)


def same_audio(root: Path) -> None:
    one, other = sorted(root.glob("train/*/wav/*.wav"))[:2]
    other.write_bytes(one.read_bytes())


def in_rows(**values: object) -> Change:
    return in_manifest(lambda rows: rows[0].update(values))


def drop_response_clip(rows: list[Line]) -> None:
    rows[0]["responses"] = rows[0]["responses"][:-1]  # type: ignore[index]


SHARED: list[tuple[str, Change, ExportCode]] = [
    ("a line that is no JSON", garbage(LINES, b"{\n"), C.MALFORMED_LINE),
    ("a line that is a list", garbage(LINES, b"[]\n"), C.MALFORMED_LINE),
    ("lines that are no UTF-8", garbage(LINES), C.MALFORMED_LINE),
    ("a manifest line of another kind", garbage("manifest.jsonl", b"{}\n"), C.MALFORMED_LINE),
    ("a field of no layout", put("split", "train"), C.WRONG_FIELDS),
    ("no lines at all", garbage(LINES, b""), C.MANIFEST_DIFFERS),
    ("a line without a row", drop_row, C.MANIFEST_DIFFERS),
    ("a line twice", append_copy(LINES), C.MANIFEST_DIFFERS),
    ("an id of another form", in_rows(export_id="en-1"), C.BAD_ID),
    ("an id of another language", in_rows(export_id="task1_3_zh_0001_0001", language="en"), C.MISPLACED),
    ("a row of another file", in_rows(lines="test/zh.jsonl"), C.MISPLACED),
    ("a response too few", in_manifest(drop_response_clip), C.TURN_NUMBERS),
    ("user audio that is gone", remove(WAV), C.MISSING_FILE),
    ("no manifest", remove("manifest.jsonl"), C.MISSING_FILE),
    ("a second audio", add("train/en/wav/extra.wav"), C.STRAY_FILE),
    ("lines in no tree", add("extra/en.jsonl"), C.STRAY_FILE),
    ("audio that is none", garbage(WAV, b"RIFF"), C.UNREADABLE_AUDIO),
    ("another rate", rewrite(lambda x: x, rate=24_000, pattern=WAV), C.SAMPLE_FORMAT),
    ("two channels", stereo, C.SAMPLE_FORMAT),
    ("a turn of 7,999 samples", rewrite(lambda x: x[:7_999], pattern=WAV), C.SHORT_AUDIO),
    ("silence", rewrite(np.zeros_like, pattern=WAV), C.SILENT_AUDIO),
    ("a sample less", rewrite(lambda x: x[:-1], pattern=WAV), C.DURATION_OFF),
    ("a manifest row twice", append_copy("manifest.jsonl"), C.DUPLICATE_ID),
    ("a text twice, across splits", share("texts"), C.DUPLICATE_TEXT),
    ("nearly a text twice", in_manifest(nearly_the_same), C.NEAR_DUPLICATE_TEXT),
    ("audio twice", same_audio, C.DUPLICATE_AUDIO),
    ("a voice in two splits", share("voices"), C.VOICE_IN_TWO_SPLITS),
    ("a seed in two splits", share("provenance"), C.SEED_IN_TWO_SPLITS),
]

OSUM: list[tuple[str, Change, ExportCode]] = [
    *SHARED,
    ("a field less", take("extra"), C.WRONG_FIELDS),
    ("a number for a text", put("txt", 7), C.WRONG_FIELDS),
    ("tokens that are no numbers", in_extra("speech_token", ["a"]), C.WRONG_FIELDS),
    ("an extra key of no documentation", in_extra("mood", "good"), C.WRONG_FIELDS),
    ("a gap in the history", line(gap), C.TURN_NUMBERS),
    ("a history from 0", line(lambda i: i.update(wav_0="x", txt_0="y")), C.TURN_NUMBERS),
    ("an audio without its response", take("txt_1"), C.TURN_NUMBERS),
    (
        "tokens of one turn less",
        line(lambda i: i["extra"].pop("speech_token_1")),  # type: ignore[attr-defined]
        C.TURN_NUMBERS,
    ),
    ("a task without history", put("task", "<S2TCHAT> <TEXT2TOKEN>"), C.UNKNOWN_LABEL),
    ("a synonym for a label", put("emotion", "excited"), C.UNKNOWN_LABEL),
    ("a speaker that is cut off", put("speaker", "李雷"), C.UNKNOWN_LABEL),
    ("a language of no set", put("lang", "en"), C.UNKNOWN_LABEL),
    ("a language of another file", put("lang", "<CN>"), C.MISPLACED),
    ("a key with a dot", put("key", "task1.3"), C.BAD_ID),
    ("another dialogue's key", put("key", "task1_3_en_0099_0001"), C.MANIFEST_DIFFERS),
    ("a key twice", append_copy(LINES), C.DUPLICATE_ID),
    ("an empty response", put("txt_1", " "), C.EMPTY_TEXT),
    ("a tag of no set", put("txt", "Well [giggles] no."), C.UNKNOWN_TAG),
    ("a tag of no set in the question", in_extra("question", "[giggles] Why?"), C.UNKNOWN_TAG),
    ("another response", put("txt_2", "Something else."), C.MANIFEST_DIFFERS),
    ("another feeling", put("emotion", "fear"), C.MANIFEST_DIFFERS),
    ("another question", in_extra("question", "What?"), C.MANIFEST_DIFFERS),
    ("a response audio that nobody wrote", in_extra("a_wav_path", "x.wav"), C.MISSING_FILE),
    ("another duration", in_extra("duration", 60.0), C.DURATION_OFF),
]

OPENS2S: list[tuple[str, Change, ExportCode]] = [
    *SHARED,
    ("a content key less", line(lambda i: i["messages"][0]["content"][0].pop("spk_emb")), C.WRONG_FIELDS),  # type: ignore[index]
    ("a null for a text", message(0, speech_units=None), C.WRONG_FIELDS),
    ("two contents", line(lambda i: i["messages"][0].update(content=[{}, {}])), C.WRONG_FIELDS),  # type: ignore[index]
    ("a third role", line(lambda i: i["messages"][0].update(role="system")), C.WRONG_FIELDS),  # type: ignore[index]
    ("messages that are no list", line(swap("messages", "none")), C.WRONG_FIELDS),
    ("audio of the assistant", message(1, audio="x.wav"), C.WRONG_FIELDS),
    ("units of the user", message(0, speech_units="<|audio_1|>"), C.WRONG_FIELDS),
    ("an unanswered turn", line(lambda i: i["messages"].pop()), C.TURN_NUMBERS),  # type: ignore[attr-defined]
    ("a turn without its question", line(lambda i: i["messages"].pop(0)), C.TURN_NUMBERS),  # type: ignore[attr-defined]
    ("no messages", put("messages", []), C.TURN_NUMBERS),
    ("an empty response", message(1, text=""), C.EMPTY_TEXT),
    ("a tag of no set", message(1, text="Well [giggles] no."), C.UNKNOWN_TAG),
    ("a user who is not heard", message(0, audio=""), C.MISSING_FILE),
    ("audio that nobody wrote", message(0, audio="x.wav"), C.MISSING_FILE),
    ("another response", message(3, text="Something else."), C.MANIFEST_DIFFERS),
]


def _rows(faults: list[tuple[str, Change, ExportCode]]) -> dict[str, list[object]]:
    return {"argvalues": [row[1:] for row in faults], "ids": [row[0] for row in faults]}


def found_in(export: Path, change: Change, tmp_path: Path, code: ExportCode) -> None:
    shutil.copytree(export, tmp_path / "export")
    change(tmp_path / "export")
    found = findings_of(tmp_path / "export")
    assert code in codes(found)
    assert all(finding.detail and (finding.path or finding.export_id) for finding in found)


@pytest.mark.parametrize(("change", "code"), **_rows(OSUM))
def test_a_fault_in_an_export_for_osum_echat_is_found(
    change: Change, code: ExportCode, osum: Path, tmp_path: Path
) -> None:
    found_in(osum, change, tmp_path, code)


@pytest.mark.parametrize(("change", "code"), **_rows(OPENS2S))
def test_a_fault_in_an_export_for_opens2s_is_found(
    change: Change, code: ExportCode, opens2s: Path, tmp_path: Path
) -> None:
    found_in(opens2s, change, tmp_path, code)


def test_every_code_that_fits_is_planted() -> None:
    """Balance is planted in its own tests; annotations with times and scores are of other formats."""
    elsewhere = {C.UNBALANCED, C.TIMES_OFF, C.NOT_SCORABLE}
    assert {code for _, _, code in OSUM} == set(C) - elsewhere
    assert {code for _, _, code in OPENS2S} == set(C) - elsewhere - {C.UNKNOWN_LABEL}


def test_osum_files_that_lie_about_their_split_are_found(tmp_path: Path) -> None:
    run = [emotional_timeline(dialogue_id="one", split=Split.DEV)]
    export = export_at(tmp_path, run, FormatName.OSUM_ECHAT)
    in_rows(split="train")(export)
    (found,) = findings_of(export)
    assert (found.code, found.path) == (C.MISPLACED, "manifest.jsonl")
    assert found.detail == "has its line in dev/en.jsonl; wanted train/en.jsonl"

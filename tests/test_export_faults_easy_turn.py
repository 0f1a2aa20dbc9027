"""Faults planted into exports for Easy-Turn."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.checks.export_findings import ExportCode
from pipeline.core.exports.format_names import FormatName
from pipeline.export_checking import ExportCheck
from tests.exported import export_at, scene_run, small_export
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
)

C = ExportCode
LINES, WAV = "train/en.jsonl", "train/en/clips/*.wav"
Line = dict[str, object]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_export(tmp_path_factory, FormatName.EASY_TURN)


def test_an_untouched_export_of_every_scene_has_no_findings(tmp_path: Path) -> None:
    export = export_at(tmp_path, scene_run(), FormatName.EASY_TURN)
    check = ExportCheck(export)
    assert list(check.findings()) == []
    summary = check.summary()
    assert summary.tables == (
        (
            ("split", "language", "complete", "incomplete", "backchannel"),
            *((split, "en", "15", "1", "1") for split in ("dev", "test", "train")),
        ),
    )
    clips = [line for path in export.glob("*/en.jsonl") for line in path.read_text("utf-8").splitlines()]
    assert len(clips) == 3 * 17


def put(**values: object) -> Change:
    """Set fields of the first line; None takes one away."""

    def change(item: Line) -> None:
        for name, value in values.items():
            if value is None:
                del item[name]
            else:
                item[name] = value

    return edit(change, LINES)


def stereo(root: Path) -> None:
    rewrite(lambda x: np.stack([x, x], axis=1), pattern=WAV)(root)


def same_audio(root: Path) -> None:
    one, other = sorted(root.glob(WAV))[:2]
    other.write_bytes(one.read_bytes())


def in_rows(**values: object) -> Change:
    return in_manifest(lambda rows: rows[0].update(values))


def in_clips(**values: object) -> Change:
    return in_manifest(lambda rows: rows[0]["clips"][0].update(values))  # type: ignore[index]


def no_events(rows: list[Line]) -> None:
    """What was a backchannel is a turn like any other."""
    for row in rows:
        row["events"] = []


FAULTS: list[tuple[str, Change, ExportCode]] = [
    ("a line that is no JSON", garbage(LINES, b"{\n"), C.MALFORMED_LINE),
    ("a line that is a list", garbage(LINES, b"[]\n"), C.MALFORMED_LINE),
    ("lines that are no UTF-8", garbage(LINES), C.MALFORMED_LINE),
    ("a manifest line of another kind", garbage("manifest.jsonl", b"{}\n"), C.MALFORMED_LINE),
    ("a field that the packer indexes is gone", put(state=None), C.WRONG_FIELDS),
    ("a field of no layout", put(split="train"), C.WRONG_FIELDS),
    ("a number for a text", put(state=0), C.WRONG_FIELDS),
    ("a text for the extra", put(extra=""), C.WRONG_FIELDS),
    ("a duration in letters", put(duration="1.8"), C.WRONG_FIELDS),
    ("another task", put(task="<TRANSCRIBE>"), C.UNKNOWN_LABEL),
    ("a language of no set", put(lang="<FR>"), C.UNKNOWN_LABEL),
    ("a language of another file", put(lang="<CN>"), C.MISPLACED),
    ("a speaker that is cut off", put(speaker="李雷"), C.UNKNOWN_LABEL),
    ("a label that its events do not give", in_manifest(no_events), C.UNKNOWN_LABEL),
    ("a label of no set", put(txt="Hello.<DONE>"), C.UNKNOWN_TAG),
    ("the label that HumDial dropped", put(txt="Hello.<WAIT>"), C.UNKNOWN_TAG),
    ("a label in lower case", put(txt="Hello.<complete>"), C.UNKNOWN_TAG),
    ("no label", put(txt="Hello."), C.UNKNOWN_TAG),
    ("two labels", put(txt="Hello.<COMPLETE><COMPLETE>"), C.UNKNOWN_TAG),
    ("a space before the label", put(txt="Hello. <COMPLETE>"), C.UNKNOWN_TAG),
    ("the mark of a pause", put(txt="Well [break] no.<COMPLETE>"), C.UNKNOWN_TAG),
    ("a label without words", put(txt="<COMPLETE>"), C.EMPTY_TEXT),
    ("a key with a dot", put(key="ask_0001.0001_a"), C.BAD_ID),
    ("an id of another form", in_rows(export_id="1_1"), C.BAD_ID),
    ("a clip of another dialogue", in_clips(key="ask_0099_0001_a"), C.MISPLACED),
    ("a row of another file", in_rows(lines="train/zh.jsonl"), C.MISPLACED),
    ("a clip elsewhere than its words", in_clips(start_s=0.1), C.TIMES_OFF),
    ("another text", put(txt="Hello.<COMPLETE>"), C.MANIFEST_DIFFERS),
    ("words of another turn", in_clips(text="Hello."), C.MANIFEST_DIFFERS),
    ("another clip's audio", put(wav="dev/en/clips/x.wav"), C.MANIFEST_DIFFERS),
    ("a line without a row", drop_row, C.MANIFEST_DIFFERS),
    ("no lines", garbage(LINES, b""), C.MANIFEST_DIFFERS),
    ("audio that nobody wrote", put(wav="dev/en/clips/x.wav"), C.MISSING_FILE),
    ("a clip that is gone", remove(WAV), C.MISSING_FILE),
    ("no licences", remove("LICENSES.md"), C.MISSING_FILE),
    ("a clip too many", add("train/en/clips/extra.wav"), C.STRAY_FILE),
    ("lines in no tree", add("extra/en.jsonl"), C.STRAY_FILE),
    ("audio that is none", garbage(WAV, b"RIFF"), C.UNREADABLE_AUDIO),
    ("another rate", rewrite(lambda x: x, rate=24_000, pattern=WAV), C.SAMPLE_FORMAT),
    ("two channels", stereo, C.SAMPLE_FORMAT),
    ("no samples", rewrite(lambda x: x[:0], pattern=WAV), C.SHORT_AUDIO),
    ("silence", rewrite(np.zeros_like, pattern=WAV), C.SILENT_AUDIO),
    ("a sample less", rewrite(lambda x: x[:-1], pattern=WAV), C.DURATION_OFF),
    ("another duration", put(duration=60.0), C.DURATION_OFF),
    ("samples for another time", in_clips(num_samples=8), C.DURATION_OFF),
    ("a line twice", append_copy(LINES), C.DUPLICATE_ID),
    ("a manifest row twice", append_copy("manifest.jsonl"), C.DUPLICATE_ID),
    ("a text twice, across splits", share("supervisions"), C.DUPLICATE_TEXT),
    ("nearly a text twice", in_manifest(nearly_the_same), C.NEAR_DUPLICATE_TEXT),
    ("audio twice", same_audio, C.DUPLICATE_AUDIO),
    ("a voice in two splits", share("voices"), C.VOICE_IN_TWO_SPLITS),
    ("a seed in two splits", share("provenance"), C.SEED_IN_TWO_SPLITS),
]


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_fault_in_an_export_for_easy_turn_is_found(
    change: Change, code: ExportCode, small: Path, tmp_path: Path
) -> None:
    shutil.copytree(small, tmp_path / "export")
    change(tmp_path / "export")
    found = findings_of(tmp_path / "export")
    assert code in codes(found)
    assert all(finding.detail and (finding.path or finding.export_id) for finding in found)


def test_every_code_that_fits_is_planted() -> None:
    """Feelings, their balance and numbered turns are of other formats."""
    assert {code for _, _, code in FAULTS} == set(C) - {C.UNBALANCED, C.NOT_SCORABLE, C.TURN_NUMBERS}


def test_words_that_the_turn_does_not_say_are_found_though_line_and_manifest_agree(
    small: Path, tmp_path: Path
) -> None:
    shutil.copytree(small, tmp_path / "export")
    in_clips(text="Hello.")(tmp_path / "export")
    edit(lambda item: item.update(txt="Hello.<COMPLETE>"), "dev/en.jsonl")(tmp_path / "export")
    (found,) = findings_of(tmp_path / "export")
    assert (found.code, found.path) == (C.MANIFEST_DIFFERS, "manifest.jsonl")
    assert found.detail.startswith("the clip's text is 'Hello.'; its turn says")


def test_a_label_that_its_events_do_not_give_is_told_by_turn(small: Path, tmp_path: Path) -> None:
    shutil.copytree(small, tmp_path / "export")
    in_manifest(no_events)(tmp_path / "export")
    details = [f.detail for f in findings_of(tmp_path / "export") if f.code is C.UNKNOWN_LABEL]
    assert (
        "labels turn 0 <COMPLETE>, turn 2 <BACKCHANNEL>; by HumDial's rule for its events: "
        "turn 0 <COMPLETE>, turn 2 <COMPLETE>"
    ) in details
    assert any("turn 0 <INCOMPLETE>" in detail for detail in details)

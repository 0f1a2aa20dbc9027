"""Faults planted into exports for InteractSpeech."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.core.checks.export_findings import ExportCode
from pipeline.core.exports.format_names import FormatName
from pipeline.export_checking import ExportCheck
from tests.exported import small_export
from tests.planted import (
    Change,
    add,
    append_copy,
    codes,
    drop_row,
    findings_of,
    garbage,
    in_first_json,
    in_manifest,
    nearly_the_same,
    remove,
    share,
)

C = ExportCode
FOLDER = "HUMDIAL_EN--train--*"
INFORMATION, WAV = f"{FOLDER}/information.json", f"{FOLDER}/dialogue_speakera.wav"
Line = dict[str, object]
Samples = np.ndarray


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_export(tmp_path_factory, FormatName.INTERACTSPEECH)


def test_an_untouched_export_has_no_findings(small: Path) -> None:
    check = ExportCheck(small)
    assert list(check.findings()) == []
    summary = check.summary()
    assert (summary.format, summary.dialogues) == ("interactspeech", 8)
    ((head, *rows),) = summary.tables
    assert head == ("split", "language", "dialogues", "lines", "marked", "backchannels", "asides")
    marked = sum("[interrupt]" in path.read_text("utf-8") for path in small.glob(INFORMATION))
    lines = sum(
        json.loads(path.read_text("utf-8"))["processed_dialogue"].count("\n") + 1
        for path in small.glob(INFORMATION)
    )
    assert rows[1] == ("train", "en", "4", str(lines), str(marked), "1", "1")
    assert marked >= 1


def put(**values: object) -> Change:
    return in_first_json(INFORMATION, lambda content: content.update(values))


def in_text(old: str, new: str) -> Change:
    """Change the text of the interrupted dialogue."""

    def apply(root: Path) -> None:
        paths = sorted(root.glob(INFORMATION))
        path = next(p for p in paths if "[interrupt]" in p.read_text("utf-8"))
        content = json.loads(path.read_text("utf-8"))
        assert old in content["processed_dialogue"]
        content["processed_dialogue"] = content["processed_dialogue"].replace(old, new)
        path.write_text(json.dumps(content), encoding="utf-8")

    return apply


def first_line(text: str) -> Change:
    def change(content: Line) -> None:
        _, _, rest = str(content["processed_dialogue"]).partition("\n")
        content["processed_dialogue"] = f"{text}\n{rest}"

    return in_first_json(INFORMATION, change)


def first_interval(change: Callable[[list[int]], object]) -> Change:
    def apply(content: Line) -> None:
        own = content["speakerA_time"]
        assert isinstance(own, list)
        own[0] = change(own[0])

    return in_first_json(INFORMATION, apply)


def one_interval_less(content: Line) -> None:
    content["speakerA_time"] = content["speakerA_time"][1:]  # type: ignore[index]


def same_onset(content: Line) -> None:
    a, b = content["speakerA_time"], content["speakerB_time"]
    b[0][0] = a[0][0]  # type: ignore[index]


def swapped(content: Line) -> None:
    a, b = content["speakerA_time"], content["speakerB_time"]
    content["speakerA_time"], content["speakerB_time"] = b, a


def rewritten(samples: Callable[[Samples], Samples], rate: int = 22_050, subtype: str = "FLOAT") -> Change:
    def apply(root: Path) -> None:
        path = sorted(root.glob(WAV))[0]
        old, _ = soundfile.read(path, dtype="float32")
        soundfile.write(path, samples(old), rate, subtype=subtype)

    return apply


def at(index: int, value: float) -> Callable[[Samples], Samples]:
    def change(samples: Samples) -> Samples:
        out = samples.copy()
        out[index] = value
        return out

    return change


def unvoiced_line(root: Path) -> None:
    path = sorted(root.glob(WAV))[0]
    (start, end), *_ = json.loads((path.parent / "information.json").read_text("utf-8"))["speakerA_time"]
    samples, rate = soundfile.read(path, dtype="float32")
    samples[start:end] = 0
    samples[-1] = 0
    soundfile.write(path, samples, rate, subtype="FLOAT")


def same_audio(root: Path) -> None:
    one, other = sorted(root.glob(WAV))[:2]
    other.write_bytes(one.read_bytes())


def in_rows(**values: object) -> Change:
    return in_manifest(lambda rows: rows[0].update(values))


FAULTS: list[tuple[str, Change, ExportCode, str]] = [
    ("no JSON", garbage(INFORMATION, b"{"), C.MALFORMED_LINE, "no JSON"),
    ("no UTF-8", garbage(INFORMATION), C.MALFORMED_LINE, "UTF-8"),
    ("a manifest line of another kind", garbage("manifest.jsonl", b"{}\n"), C.MALFORMED_LINE, "line 1"),
    ("a line without a speaker", first_line("Hello."), C.MALFORMED_LINE, "begins with 'A: '"),
    ("a key more", put(split="train"), C.WRONG_FIELDS, "has .*split"),
    ("a list", garbage(INFORMATION, b"[]"), C.WRONG_FIELDS, "has list"),
    ("a number in letters", put(dialog_index="1"), C.WRONG_FIELDS, "whole number"),
    ("an interval in seconds", first_interval(lambda i: [0.5, 1.5]), C.WRONG_FIELDS, "whole samples"),
    ("an interval of three", first_interval(lambda i: [*i, 7]), C.WRONG_FIELDS, "whole samples"),
    ("an unknown mark", first_line("A: Well [break] no."), C.UNKNOWN_TAG, "brackets"),
    ("two marks", in_text("[interrupt]", "[interrupt] [interrupt]"), C.UNKNOWN_TAG, "beside one"),
    ("a mark inside a word", in_text(" [interrupt] ", "[interrupt]"), C.UNKNOWN_TAG, "between spaces"),
    ("a line without words", first_line("A: "), C.EMPTY_TEXT, "line 0"),
    ("another index", put(dialog_index=99), C.MANIFEST_DIFFERS, "dialog_index: 99"),
    ("another text", first_line("A: Something else."), C.MANIFEST_DIFFERS, "before its mark"),
    ("no mark", in_text(" [interrupt] ", " "), C.MANIFEST_DIFFERS, r"marked lines: \(\)"),
    ("marks that nobody counted", in_rows(more_than_published=True), C.MANIFEST_DIFFERS, "more marks"),
    ("a backchannel nowhere", in_rows(backchannel_lines=[99]), C.MANIFEST_DIFFERS, "names lines"),
    (
        "a turn elsewhere than the manifest has it",
        first_interval(lambda i: [i[0] - 100, i[1]]),
        C.MANIFEST_DIFFERS,
        "line 0: user at",
    ),
    ("a dialogue without a row", drop_row, C.MANIFEST_DIFFERS, "were exported"),
    ("an interval too few", in_first_json(INFORMATION, one_interval_less), C.TIMES_OFF, "intervals for"),
    ("two onsets on one sample", in_first_json(INFORMATION, same_onset), C.TIMES_OFF, "on one sample"),
    ("the other speaker's intervals", in_first_json(INFORMATION, swapped), C.TIMES_OFF, "one to one"),
    ("an empty interval", first_interval(lambda i: [i[0], i[0]]), C.TIMES_OFF, "are empty"),
    ("an interval inside the next", first_interval(lambda i: [i[0], 10**7]), C.TIMES_OFF, "out of order"),
    ("an interval after the audio", first_interval(lambda i: [i[0], 10**7]), C.TIMES_OFF, "ends after"),
    ("a sound before the first line", rewritten(at(0, 1e-6)), C.TIMES_OFF, "1 samples .* from 0 on"),
    ("a line that is not voiced", unvoiced_line, C.SILENT_AUDIO, "wanted its line"),
    ("silence", rewritten(np.zeros_like), C.SILENT_AUDIO, "nothing but zeros"),
    ("an id of another form", in_rows(export_id="dialogue-1"), C.BAD_ID, "wanted HUMDIAL"),
    ("an id of another split", in_rows(split="test"), C.MISPLACED, "what its id says"),
    ("a folder of another name", in_rows(directory="HUMDIAL_EN--dev--9"), C.MISPLACED, "is in 'HUM"),
    ("a track that is gone", remove(WAV), C.MISSING_FILE, "not there"),
    ("no text", remove(INFORMATION), C.MISSING_FILE, "not there"),
    ("no licences", remove("LICENSES.md"), C.MISSING_FILE, "not there"),
    ("a mix of both", add("HUMDIAL_EN--train--5/test.wav"), C.STRAY_FILE, "no dialogue"),
    ("audio that is none", garbage(WAV, b"RIFF"), C.UNREADABLE_AUDIO, "decoded"),
    ("samples that are no numbers", rewritten(at(0, np.nan)), C.UNREADABLE_AUDIO, "no number"),
    ("PCM16", rewritten(lambda x: x, subtype="PCM_16"), C.SAMPLE_FORMAT, "WAV/PCM_16"),
    ("another rate", rewritten(lambda x: x, rate=24_000), C.SAMPLE_FORMAT, "24000 Hz"),
    ("two channels", rewritten(lambda x: np.stack([x, x], axis=1)), C.SAMPLE_FORMAT, "2 channel"),
    ("a sample beyond 1", rewritten(at(30_000, 1.5)), C.SAMPLE_FORMAT, "reaches 1.500"),
    ("a track shorter by a sample", rewritten(lambda x: x[:-1]), C.DURATION_OFF, "equally long"),
    ("another duration", in_rows(duration_s=60.0), C.DURATION_OFF, "the manifest says 60"),
    ("a manifest row twice", append_copy("manifest.jsonl"), C.DUPLICATE_ID, "earlier"),
    ("a text twice, across splits", share("supervisions"), C.DUPLICATE_TEXT, "across splits"),
    ("nearly a text twice", in_manifest(nearly_the_same), C.NEAR_DUPLICATE_TEXT, "of its text"),
    ("audio twice", same_audio, C.DUPLICATE_AUDIO, "has the samples of"),
    ("a voice in two splits", share("voices"), C.VOICE_IN_TWO_SPLITS, "in one split only"),
    ("a seed in two splits", share("provenance"), C.SEED_IN_TWO_SPLITS, "in one split only"),
]


@pytest.mark.parametrize(
    ("change", "code", "detail"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_a_fault_in_an_export_for_interactspeech_is_told_by_what_is_wrong(
    change: Change, code: ExportCode, detail: str, small: Path, tmp_path: Path
) -> None:
    shutil.copytree(small, tmp_path / "export")
    change(tmp_path / "export")
    found = findings_of(tmp_path / "export")
    assert code in codes(found)
    with_code = "\n".join(finding.detail for finding in found if finding.code is code)
    assert re.search(detail, with_code), with_code


def test_every_code_that_fits_is_planted() -> None:
    """Feelings and their balance, numbered turns and least lengths are of other formats."""
    elsewhere = {C.UNBALANCED, C.NOT_SCORABLE, C.UNKNOWN_LABEL, C.TURN_NUMBERS, C.SHORT_AUDIO}
    assert {code for _, _, code, _ in FAULTS} == set(C) - elsewhere

"""Kept segments as timelines and dialogues: what may be cut out, what it holds, and what has no place."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.core.mining.summary import MiningSummary
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Recipe, Speaker, Split
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.io.audio import read_pcm16
from pipeline.io.files import audio_file_digest
from pipeline.io.jsonl import read_records
from pipeline.io.recordings.declaration import DeclaredRecording
from pipeline.io.run_directory import RunDirectory
from pipeline.mining import Mine
from tests.calls import TALK_A, TALK_B, call, write_call
from tests.mined import RIGHTS, declared, dialogues, mined, one, rows, timelines, write_words

KEPT_BACK = RIGHTS.model_copy(update={"redistribution_allowed": False})
FILES = ("segments.jsonl", "timelines.jsonl", "dialogues.jsonl", "quarantine.jsonl", "summary.json")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("calls")
    write_call(base / "call.wav", call())
    write_call(base / "other.wav", call()[:, ::-1])
    write_call(base / "mono.wav", call().sum(axis=1))
    write_words(base / "words.jsonl")
    write_words(base / "named.jsonl", ("ann", "bob"))
    (base / "call.rttm").write_text(
        "".join(
            f"SPEAKER call 1 {s:.3f} {e - s:.3f} <NA> <NA> {name} <NA> <NA>\n"
            for name, spans in (("A", TALK_A), ("B", TALK_B))
            for s, e in spans
        )
    )
    return base


@pytest.fixture(scope="module")
def exported(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "out"
    mined(declared(one("calls:monday", "call.wav"), export_audio=True), base, out)
    return out


def test_without_being_asked_no_audio_is_written_and_timelines_are(base: Path, tmp_path: Path) -> None:
    summary = mined(declared(one("call", "call.wav")), base, tmp_path)
    (timeline,) = timelines(tmp_path)
    assert (timeline.recipe, timeline.dialogue_id) == (Recipe.MINED, "call-000000")
    assert (summary.timelines, summary.dialogues, summary.quarantined) == (1, 0, {})
    assert not list(tmp_path.rglob("*.flac"))
    assert not (tmp_path / "dialogues.jsonl").exists()


def test_cut_audio_is_the_recording_sample_by_sample(base: Path, exported: Path) -> None:
    (dialogue,) = dialogues(exported)
    (segment,) = rows(exported / "segments.jsonl")
    samples, rate = read_pcm16(exported / dialogue.audio.path)
    source, _ = soundfile.read(base / "call.wav", dtype="int16")
    first = dialogue.timeline.supervisions[0]
    start = int(first.clip.rpartition("@")[2]) - first.span.start
    assert start / rate == pytest.approx(segment["start"], abs=0.0005)
    assert (samples == source[start : start + len(samples)]).all()
    assert (segment["dialogue_id"], segment["dialogue_audio"]) == (
        "calls-monday-000000",
        "audio/calls-monday-000000.flac",
    )
    assert dialogue.timeline.provenance.stages == ("mine-1", "audio-1")
    assert dialogue.audio.digest == audio_file_digest(exported / dialogue.audio.path)


@pytest.mark.parametrize("words", ["words.jsonl", "named.jsonl"])
@pytest.mark.parametrize("swapped", [False, True])
def test_tracks_follow_the_names_that_words_give(
    base: Path, tmp_path: Path, words: str, swapped: bool
) -> None:
    names = ("A", "B") if words == "words.jsonl" else ("ann", "bob")
    write_call(tmp_path / "call.wav", call()[:, ::-1] if swapped else call())
    shutil.copy(base / words, tmp_path)
    speakers = names[::-1] if swapped else names
    recording = one("call", "call.wav", words=words, speakers=speakers)
    mined(declared(recording, export_audio=True), tmp_path, tmp_path / "out")
    (dialogue,) = dialogues(tmp_path / "out")
    samples, _ = read_pcm16(tmp_path / "out" / dialogue.audio.path)
    for one_said in dialogue.timeline.supervisions:
        channel = 0 if one_said.speaker is Speaker.USER else 1
        heard = samples[one_said.span.start : one_said.span.end, channel].astype(float)
        assert np.sqrt(np.mean(heard**2)) > 300
    assert "uh-huh" in {s.text for s in dialogue.timeline.supervisions}


def test_cuts_fade_where_that_is_asked_for(base: Path, exported: Path, tmp_path: Path) -> None:
    declaration = declared(
        one("calls:monday", "call.wav"), export_audio=True, audio={"fade_s": 0.01, "format": "wav"}
    )
    mined(declaration, base, tmp_path)
    plain, faded = (read_pcm16(out / dialogues(out)[0].audio.path)[0] for out in (exported, tmp_path))
    changed = np.flatnonzero((plain != faded).any(axis=1))
    edges = changed[(changed >= 80) & (changed < len(plain) - 80)]
    assert len(changed)
    assert not len(edges)
    assert np.abs(faded[[0, -1]]).max() <= 1


def test_audio_that_may_not_be_passed_on_is_refused_before_anything_is_heard(
    base: Path, tmp_path: Path
) -> None:
    declaration = declared(
        one("fine", "call.wav"), one("held", "call.wav", rights=KEPT_BACK), export_audio=True
    )
    with pytest.raises(ConfigError, match=r"'held'.*'made-up'.*redistribution.*--i-have-rights"):
        Mine(declaration, base, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_somebody_with_rights_is_taken_at_their_word_and_the_word_is_written_down(
    base: Path, tmp_path: Path
) -> None:
    declaration = declared(one("call", "call.wav"), rights=KEPT_BACK, export_audio=True, i_have_rights=True)
    mined(declaration, base, tmp_path)
    assert [row["provenance"]["i_have_rights"] for row in rows(tmp_path / "segments.jsonl")] == [True]  # type: ignore[index]
    (dialogue,) = dialogues(tmp_path)
    assert dialogue.timeline.provenance.stages[-1] == "audio-1:i-have-rights"
    assert not dialogue.timeline.licence.redistributable
    assert '"i_have_rights": true' in (tmp_path / "filter.json").read_text()


def quarantined(out: Path, summary: MiningSummary) -> set[Reason]:
    refusals = list(read_records(out / "quarantine.jsonl", Refusal))
    assert sum(summary.quarantined.values()) == len(refusals)
    assert all(refusal.detail and refusal.payload for refusal in refusals)
    return {refusal.reason for refusal in refusals}


@pytest.mark.parametrize(
    ("recording", "reason", "num_timelines"),
    [
        (one("call", "call.wav", language=None), Reason.MISSING_FIELD, 0),
        (one("call", words="words.jsonl"), Reason.NO_AUDIO, 1),
        (one("call", "mono.wav", rttm="call.rttm"), Reason.ONE_CHANNEL, 1),
        (one("call", "call.wav", words="named.jsonl"), Reason.ONE_CHANNEL, 1),  # nobody says which is whose
    ],
)
def test_what_has_no_place_is_kept_with_its_reason_and_counted(
    base: Path, tmp_path: Path, recording: DeclaredRecording, reason: Reason, num_timelines: int
) -> None:
    summary = mined(declared(recording, export_audio=True), base, tmp_path)
    assert quarantined(tmp_path, summary) == {reason}
    assert (summary.timelines, summary.dialogues) == (num_timelines, 0)
    assert len(timelines(tmp_path)) == num_timelines
    assert dialogues(tmp_path) == []


def test_a_second_call_cuts_nothing_and_writes_the_same(base: Path, exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(exported, out)
    (path,) = (out / "audio").iterdir()
    inode = path.stat().st_ino
    mined(declared(one("calls:monday", "call.wav"), export_audio=True), base, out)
    assert path.stat().st_ino == inode
    assert all((out / name).read_bytes() == (exported / name).read_bytes() for name in FILES)


@pytest.mark.parametrize("damage", ["audio", "stamp", "records", "dialogues"])
def test_a_killed_call_is_finished_by_the_next(
    base: Path, exported: Path, tmp_path: Path, damage: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(exported, out)
    if damage == "audio":
        next((out / "audio").iterdir()).write_bytes(b"half a fi")
    elif damage == "dialogues":
        (out / "dialogues.jsonl").unlink()
    else:
        (out / "01-audio" / f"{damage}.00000.{'json' if damage == 'stamp' else 'jsonl'}").unlink()
    mined(declared(one("calls:monday", "call.wav"), export_audio=True), base, out)
    assert all((out / name).read_bytes() == (exported / name).read_bytes() for name in FILES)
    (dialogue,) = dialogues(out)
    assert dialogue.audio.digest == audio_file_digest(out / dialogue.audio.path)


def test_the_directory_holds_what_the_last_call_asked_for(base: Path, exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(exported, out)
    mined(declared(one("calls:monday", "call.wav")), base, out)
    assert not (out / "dialogues.jsonl").exists()
    assert not list((out / "audio").iterdir())
    assert [row["dialogue_audio"] for row in rows(out / "segments.jsonl")] == [None]


def test_audio_of_a_recording_that_is_gone_is_removed(base: Path, exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(exported, out)
    mined(declared(one("tuesday", "call.wav"), export_audio=True), base, out)
    assert [path.name for path in (out / "audio").iterdir()] == ["tuesday-000000.flac"]


def test_a_generated_run_is_not_overwritten(base: Path, tmp_path: Path) -> None:
    (tmp_path / "01-seeds").mkdir()
    with pytest.raises(ConfigError, match=r"holds a generated run.*--out"):
        mined(declared(one("call", "call.wav")), base, tmp_path)


def test_recordings_whose_dialogues_would_share_a_name_are_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="differ in ':' and '-' alone"):
        Mine(declared(one("a:b", "call.wav"), one("A-b", "call.wav")), base, tmp_path)


def test_splits_hold_in_rows_timelines_and_the_summary(base: Path, tmp_path: Path) -> None:
    recordings = (
        one("a", "call.wav", speakers=("ann", "bob"), split="test"),
        one("b", "call.wav", speakers=("bob", "cleo")),
        one("c", "other.wav", speakers=("dan", "eve"), split="dev"),
    )
    summary = mined(declared(*recordings), base, tmp_path)
    assert [t.split for t in timelines(tmp_path)] == [Split.TEST, Split.TEST, Split.DEV]
    found = rows(tmp_path / "segments.jsonl")
    assert [row["split"] for row in found] == ["test", "test", "dev"]
    assert found[0]["split_key"] == found[1]["split_key"] != found[2]["split_key"]
    assert {split: part.segments for split, part in summary.splits.items()} == {Split.TEST: 2, Split.DEV: 1}


def test_copies_of_one_call_are_in_one_split(base: Path, tmp_path: Path) -> None:
    names = [f"copy{number}" for number in range(12)]
    for name in names:
        shutil.copy(base / "call.wav", tmp_path / f"{name}.wav")
    shares = {"shares": dict.fromkeys(("train", "dev", "test"), 1.0)}
    mined(declared(*(one(name, f"{name}.wav") for name in names), splits=shares), tmp_path, tmp_path / "out")
    assert len({timeline.split for timeline in timelines(tmp_path / "out")}) == 1
    apart = [one("a", "copy1.wav", split="train"), one("b", "copy2.wav", split="dev")]
    with pytest.raises(ConfigError, match="share speakers or audio"):
        mined(declared(*apart), tmp_path, tmp_path / "out")


def test_audio_and_rttm_of_somebody_else_are_never_removed(
    base: Path, exported: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(exported, out)
    theirs = [out / name for name in ("audio/agent.wav", "audio/zzz.flac", "rttm/theirs.rttm")]
    for path in theirs:
        path.write_bytes(b"a recording that exists once")
    mined(declared(one("tuesday", "call.wav"), export_audio=True), base, out)
    mined(declared(one("wednesday", "call.wav")), base, out)
    assert [path.read_bytes() for path in theirs] == [b"a recording that exists once"] * 3
    assert {path.name for path in (out / "rttm").iterdir()} == {"theirs.rttm", "wednesday.rttm"}
    assert {path.name for path in (out / "audio").iterdir()} == {"agent.wav", "zzz.flac"}


def test_what_a_killed_call_had_cut_out_is_removed_by_one_that_wants_it_no_more(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "write_shard", killed)
        with pytest.raises(KeyboardInterrupt):
            mined(declared(one("monday", "call.wav"), export_audio=True), base, tmp_path)
    assert [path.name for path in (tmp_path / "audio").iterdir()] == ["monday-000000.flac"]
    mined(declared(one("tuesday", "call.wav"), export_audio=True), base, tmp_path)
    assert [path.name for path in (tmp_path / "audio").iterdir()] == ["tuesday-000000.flac"]


@pytest.mark.parametrize(
    ("recording", "where"),
    [
        (one("call", "out/audio/call.wav"), "out"),
        (one("call", "call.wav", rttm="out/rttm/call.rttm"), "out"),
        (one("call", words="out/words.jsonl"), "out"),
        (one("call", "call.wav"), "."),
        (one("call", "linked/call.wav"), "out/deep/.."),
        (one("call", "gone/../out/call.wav"), "out"),
    ],
)
def test_recordings_are_not_mined_into_a_folder_that_holds_them(
    tmp_path: Path, recording: DeclaredRecording, where: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "out")
    with pytest.raises(ConfigError, match=r"recording 'call': .* is inside .*choose another --out"):
        mined(declared(recording), tmp_path, tmp_path / where)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_folder_beside_the_recordings_is_for_results(base: Path, tmp_path: Path) -> None:
    shutil.copy(base / "call.wav", tmp_path)
    assert mined(declared(one("call", "call.wav")), tmp_path, tmp_path / "call").recordings["ok"] == 1

import hashlib
import json
import os
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ValidationError

from pipeline.core.exports.humdial_track2 import Track2Options
from pipeline.core.exports.ids import assign_ids
from pipeline.core.exports.manifest import ExportRow, Layout
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Split
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import AudioFile, Dialogue, Timeline
from pipeline.stages import export
from pipeline.stages.export import Config, Deps
from pipeline.stages.shard import Shard
from tests.core.exports.build import (
    PLANS,
    THIRD,
    Say,
    as_dialogue,
    make_timeline,
    noise,
    scene_timeline,
)
from tests.core.exports.official import first_response_delay, latencies, read_textgrid, speech_runs

Audio = npt.NDArray[np.int16]


@dataclass
class Source:
    """Audio by path; asks for nothing else."""

    audio: dict[str, tuple[Audio, int]]

    def read_audio(self, audio: AudioFile) -> tuple[Audio, int]:
        if audio.path not in self.audio:
            raise RecordError(Reason.BAD_AUDIO, f"{audio.path} is gone")
        return self.audio[audio.path]


@dataclass
class Folder:
    """A sink that writes plain files and refuses to write one twice."""

    root: Path
    order: list[str] = field(default_factory=list)

    def _new(self, path: str) -> Path:
        assert path not in self.order
        assert not path.startswith("/")
        self.order.append(path)
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def write_text(self, path: str, content: str) -> None:
        self._new(path).write_bytes(content.encode())

    def write_wav(self, path: str, samples: Audio, sampling_rate: int) -> None:
        with wave.open(str(self._new(path)), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(sampling_rate)
            file.writeframes(samples.astype("<i2").tobytes())

    def link(self, path: str, of: str) -> None:
        os.link(self.root / of, self._new(path))


def read_wav(path: Path) -> Audio:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def timelines() -> list[Timeline]:
    """Every scene in every split and language; a user per split and language, as voices never cross splits."""
    return [
        scene_timeline(
            scene,
            split=split,
            language=language,
            dialogue_id=f"{split.value}-{language.value}-{scene.value}",
            person=f"{split.value}-{language.value}",
        )
        for split in Split
        for language in Language
        for scene in Scene
    ]


def deps_for(run: list[Timeline], sink: Folder) -> Deps:
    audio = {as_dialogue(one).audio.path: (noise(one), one.sampling_rate) for one in run}
    return Deps(ids=assign_ids(run), audio=Source(audio), sink=sink)


def shard_of(run: list[Timeline], refusals: tuple[Refusal, ...] = ()) -> Shard[Dialogue]:
    return Shard(4, tuple(as_dialogue(one) for one in run), refusals)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[ExportRow, ...]]:
    run, sink = timelines(), Folder(tmp_path_factory.mktemp("export"))
    config = Config(track2=Track2Options(evaluation_folders=True, assistant_in_test=True))
    done = export.run(shard_of(run), config, deps_for(run, sink))
    assert done.refusals == ()
    export.close(done.records, config, sink)
    return sink.root, done.records


def test_every_dialogue_is_in_the_manifest_with_its_files(
    exported: tuple[Path, tuple[ExportRow, ...]],
) -> None:
    root, rows = exported
    lines = [ExportRow.from_line(line) for line in (root / "manifest.jsonl").read_bytes().splitlines()]
    assert sorted(rows, key=lambda row: row.export_id) == lines
    assert {row.dialogue_id for row in lines} == {one.dialogue_id for one in timelines()}
    for row in lines:
        assert (root / row.directory / f"{row.export_id}.wav").is_file()
        assert (root / row.directory / f"{row.export_id}_output.wav").is_file()


def test_no_file_is_left_unexplained_by_the_manifest(exported: tuple[Path, tuple[ExportRow, ...]]) -> None:
    root, rows = exported
    ids = {row.export_id for row in rows}
    directories = {root / row.directory for row in rows}
    sidecars = {root / "manifest.jsonl", root / "LICENSES.md"}
    for path in (p for p in root.rglob("*") if p.is_file() and p not in sidecars):
        if path.is_relative_to(root / "evaluation"):
            assert path.name == ".keep" or path.stat().st_nlink == 2
            continue
        assert path.parent in directories
        assert any(export_id in path.name for export_id in ids)


def test_layouts_never_share_an_id(exported: tuple[Path, tuple[ExportRow, ...]]) -> None:
    _, rows = exported
    assert len({row.export_id for row in rows}) == len(rows)
    assert {(row.layout.value, row.split.value) for row in rows} == {(s.value, s.value) for s in Split}


@pytest.mark.parametrize("language", list(Language))
def test_written_interruptions_measure_as_planned(
    exported: tuple[Path, tuple[ExportRow, ...]], language: Language
) -> None:
    root, rows = exported
    measured = 0
    for row in (r for r in rows if r.layout is Layout.DEV and r.language is language):
        if row.scene not in list(Scene)[:5]:
            continue
        stem = root / row.directory / row.export_id
        user = speech_runs(read_wav(stem.with_name(f"{row.export_id}.wav")), merge_s=0.6)
        assistant = speech_runs(read_wav(stem.with_name(f"{row.export_id}_output.wav")), merge_s=0.5)
        stop, response = latencies(user, assistant)
        (event,) = row.events
        assert event.yielded_at_s is not None
        assert stop == pytest.approx([event.yielded_at_s - event.onset_s], abs=0.05)
        assert response == pytest.approx([0.6, 0.85], abs=0.05)
        measured += 1
    assert measured == 5


@pytest.mark.parametrize("place", ["dev-en", "dev-zh", "test-en", "test-zh"])
def test_the_delay_script_reads_the_evaluation_folders(
    exported: tuple[Path, tuple[ExportRow, ...]], place: str
) -> None:
    root, _ = exported
    folders = sorted(p for p in (root / "evaluation" / place / "dev").iterdir() if p.name != "json_group")
    assert len(folders) == len(Scene)
    for folder in folders:
        texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
        delay_s = first_response_delay(texts, segment=1 if folder.name.endswith("_before") else 0)
        assert 0.5 < delay_s < 0.8


def test_train_files_agree_on_their_length(exported: tuple[Path, tuple[ExportRow, ...]]) -> None:
    root, rows = exported
    for row in (r for r in rows if r.layout is Layout.TRAIN):
        stem = root / row.directory / row.export_id
        tiers = read_textgrid(stem.with_suffix(".TextGrid").read_text(encoding="utf-8"))
        user, assistant = read_wav(stem.with_suffix(".wav")), read_wav(Path(f"{stem}_output.wav"))
        assert len(user) == len(assistant)
        assert tiers["文本"][-1].xmax == pytest.approx(len(user) / 16_000, abs=1e-4)


def test_shards_of_any_size_write_the_same_bytes(tmp_path: Path) -> None:
    run = timelines()[:6]
    roots = [tmp_path / "one", tmp_path / "three"]
    for root, size in zip(roots, (6, 2), strict=True):
        sink = Folder(root)
        rows: list[ExportRow] = []
        for first in range(0, 6, size):
            rows += export.run(shard_of(run[first : first + size]), Config(), deps_for(run, sink)).records
        export.close(rows, Config(), sink)
    trees = [{p.relative_to(r): p.read_bytes() for p in r.rglob("*") if p.is_file()} for r in roots]
    assert trees[0] == trees[1]
    assert len(trees[0]) > 6


def test_only_the_wanted_splits_are_exported(tmp_path: Path) -> None:
    run, sink = timelines(), Folder(tmp_path)
    done = export.run(shard_of(run), Config(splits=(Split.DEV,)), deps_for(run, sink))
    assert {row.split for row in done.records} == {Split.DEV}
    assert len(done.records) == 20
    assert all(path.startswith("HD-Track2/HD-Track2-dev/") for path in sink.order)


def test_a_dialogue_in_the_wrong_order_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = scene_timeline(Scene.PAUSE_HANDLING, dialogue_id="good")
    bad = make_timeline(
        PLANS[Scene.THIRD_PARTY_AFTER], Scene.PAUSE_HANDLING, dialogue_id="bad", with_event=False
    )
    earlier = Refusal(stage="render", record_id="x", reason=Reason.BAD_AUDIO, detail="clipped", payload="{}")
    sink = Folder(tmp_path)
    done = export.run(shard_of([bad, good], (earlier,)), Config(), deps_for([bad, good], sink))
    assert done.index == 4
    assert [row.dialogue_id for row in done.records] == ["good"]
    assert done.refusals[0] == earlier
    refusal = done.refusals[1]
    assert (refusal.stage, refusal.record_id, refusal.reason) == ("export", "bad", Reason.NOT_EXPORTABLE)
    assert Dialogue.from_line(refusal.payload) == as_dialogue(bad)
    assert not any("0001_0001" in path for path in sink.order)


def test_a_dialogue_without_a_user_is_refused(tmp_path: Path) -> None:
    says = (Say(0, THIRD, 0.1, 1.0, "Hm.", "嗯。"),)
    alone = make_timeline(says, Scene.THIRD_PARTY_BEFORE, with_event=False)
    sink = Folder(tmp_path)
    done = export.run(shard_of([alone]), Config(), deps_for([alone], sink))
    assert done.refusals[0].reason is Reason.NOT_EXPORTABLE
    assert "wanted a user among the speakers" in done.refusals[0].detail
    assert sink.order == []


@pytest.mark.parametrize("fault", ["gone", "short", "mono", "wide", "other rate"])
def test_bad_audio_is_refused_before_anything_is_written(tmp_path: Path, fault: str) -> None:
    timeline = scene_timeline(Scene.PAUSE_HANDLING)
    good = noise(timeline)
    faults: dict[str, dict[str, tuple[Audio, int]]] = {
        "gone": {},
        "short": {"audio/d-1.flac": (good[:-1], 24_000)},
        "mono": {"audio/d-1.flac": (good[:, :1], 24_000)},
        "wide": {"audio/d-1.flac": (good.astype(np.int32), 24_000)},
        "other rate": {"audio/d-1.flac": (good, 16_000)},
    }
    sink = Folder(tmp_path)
    done = export.run(shard_of([timeline]), Config(), Deps({"d-1": "0001_0001"}, Source(faults[fault]), sink))
    assert [refusal.reason for refusal in done.refusals] == [Reason.BAD_AUDIO]
    assert "audio/d-1.flac" in done.refusals[0].detail
    assert sink.order == []


@pytest.mark.parametrize(
    "section",
    [
        {"splits": []},
        {"format": "humdial-track9"},
        {"track2": {"first_speaker": 10_000}},
        {"track2": {"layouts": ["dev"]}},
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(section: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate_json(json.dumps(section))


def test_licences_and_manifest_are_written_last(tmp_path: Path) -> None:
    run, sink = timelines()[:2], Folder(tmp_path)
    rows = export.run(shard_of(run), Config(), deps_for(run, sink)).records
    assert not {"manifest.jsonl", "LICENSES.md"} & set(sink.order)
    export.close(rows, Config(), sink)
    assert sink.order[-2:] == ["manifest.jsonl", "LICENSES.md"]
    assert "Invented dialogues by nobody" in (tmp_path / "LICENSES.md").read_text(encoding="utf-8")


GOLDEN = (1, "161bc8fd15efb42c")
"""Version of the stage and digest of its annotations: an output that changes wants a new version."""


def test_the_golden_shard_comes_out_as_its_version_promises(
    exported: tuple[Path, tuple[ExportRow, ...]],
) -> None:
    root, rows = exported
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda row: row.export_id):
        for path in sorted((root / row.directory).glob(f"*{row.export_id}*")):
            if path.suffix != ".wav":
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    assert (export.VERSION, digest.hexdigest()[:16]) == GOLDEN

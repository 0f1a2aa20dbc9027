import json

from pipeline.core.exports.manifest import ExportRow, Layout, describe, sidecar_files
from pipeline.core.exports.segments import Clamped
from pipeline.domain.labels import Split
from pipeline.domain.scene import Scene
from tests.core.exports.build import ASSISTANT, LICENCE, PLANS, make_timeline, scene_timeline


def row(
    export_id: str = "0001_0001", licence_id: str = "CC-BY-4.0", attribution: str = "Someone"
) -> ExportRow:
    licence = LICENCE.model_copy(
        update={"id": licence_id, "attribution": attribution, "non_commercial": "NC" in licence_id}
    )
    scene = Scene.FOLLOW_UP_QUESTION
    timeline = make_timeline(PLANS[scene], scene, split=Split.TRAIN, licence=licence)
    return describe(timeline, export_id, Layout.TRAIN, "HD-Track2/x", (Clamped(1, ASSISTANT, 12_001),))


def test_a_row_tells_what_the_official_files_leave_out() -> None:
    (manifest, _) = sidecar_files([row()])
    line = json.loads(manifest.content)
    assert line["export_id"] == "0001_0001"
    assert line["dialogue_id"] == "d-1"
    assert (line["split"], line["language"], line["scene"]) == ("train", "en", "follow_up_question")
    assert line["clamped"] == [{"turn": 1, "speaker": "assistant", "clamped_s": 0.500042}]
    host = line["supervisions"][2]
    assert (host["start_s"], host["end_s"]) == (4.5, 6.650042)
    assert host["planned_text"].startswith(host["text"])
    assert host["planned_text"] != host["text"]
    (event,) = line["events"]
    assert (event["type"], event["onset_s"], event["yielded_at_s"]) == ("follow_up_question", 6.2, 6.650042)
    assert [v["person"] for v in line["voices"]] == ["a-assistant", "ann"]
    assert line["licence"]["id"] == "CC-BY-4.0"
    assert line["provenance"]["seed_id"] == "invented/1"


def test_rows_are_written_by_export_id_and_read_back() -> None:
    rows = [row("0002_0001"), row("0001_0002"), row("0001_0001")]
    (manifest, _) = sidecar_files(rows)
    assert manifest.path == "manifest.jsonl"
    lines = manifest.content.splitlines()
    assert [ExportRow.from_line(line) for line in lines] == [rows[2], rows[1], rows[0]]


def test_every_licence_has_a_section_with_its_count_terms_and_attributions() -> None:
    rows = [
        row("0001_0001", attribution="B"),
        row("0001_0002", "CC-BY-NC-4.0", ""),
        row("0001_0003", attribution="A"),
    ]
    (_, licences) = sidecar_files(rows)
    first, second = licences.content.split("\n## ")[1:]
    assert first.splitlines()[0] == "CC-BY-4.0"
    assert "- dialogues: 2\n- commercial use: yes" in first
    assert first.index("- attribution: A") < first.index("- attribution: B")
    assert "- dialogues: 1\n- commercial use: no" in second
    assert "attribution" not in second


def test_an_export_of_nothing_has_an_empty_manifest() -> None:
    assert sidecar_files([])[0].content == ""


def test_full_spans_stay_beside_clamped_ones() -> None:
    timeline = scene_timeline(Scene.USER_BACKCHANNEL)
    described = describe(timeline, "0001_0001", Layout.TRAIN, "x", ())
    spans = {s.supervision_id: (s.start_s, s.end_s) for s in described.supervisions}
    assert spans["u02"] == (4.5, 7.1)
    assert spans["u03"] == (5.4, 5.8)

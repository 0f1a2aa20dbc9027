"""The files of every scene in every layout."""

import json

import numpy as np
import pytest

from pipeline.core.exports.humdial_track2 import Track2Options, closing_files
from pipeline.core.exports.manifest import Layout
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene
from tests.core.exports.build import (
    ASSISTANT,
    PLANS,
    THIRD,
    USER,
    Say,
    export,
    make_timeline,
    scene_timeline,
)
from tests.core.exports.official import FILE_RATE, RELEASED, read_textgrid

ID = "0001_0001"
WITHOUT_TWIN = {Scene.PAUSE_HANDLING, Scene.THIRD_PARTY_BEFORE}
INTERRUPTIONS = list(Scene)[:5]

every_scene = pytest.mark.parametrize("scene", list(Scene))
every_language = pytest.mark.parametrize("language", list(Language))

QUERY = "Which trees grow fast?"
HEARD = {
    **{scene: [QUERY, 'What is "wet"?'] for scene in INTERRUPTIONS},
    Scene.USER_BACKCHANNEL: [QUERY, "Mm."],
    Scene.PAUSE_HANDLING: ["Please remind me to [break] water the tomatoes."],
    Scene.THIRD_PARTY_BEFORE: ["Dinner is ready.", QUERY],
    Scene.THIRD_PARTY_AFTER: [QUERY, "Dinner is ready."],
    Scene.DIRECTED_AT_OTHERS: [QUERY, "And in shade?", "Close the door."],
}
HOST = "Poplars grow fast. They like wet soil and"
WHOLE_HOST = f"{HOST} sun."
INTERVALS = {
    **{scene: [QUERY, HOST, 'What is "wet"?', "Soil near a river."] for scene in INTERRUPTIONS},
    Scene.USER_BACKCHANNEL: [QUERY, WHOLE_HOST, "Mm."],
    Scene.PAUSE_HANDLING: ["Please remind me to [break] water the tomatoes.", "I will."],
    Scene.THIRD_PARTY_BEFORE: ["Dinner is ready.", QUERY, "Poplars grow fast."],
    Scene.THIRD_PARTY_AFTER: [QUERY, WHOLE_HOST, "Dinner is ready."],
    Scene.DIRECTED_AT_OTHERS: [
        QUERY,
        "Poplars grow fast.",
        "And in shade?",
        "Beeches do well in shade.",
        "Close the door.",
    ],
}


@every_scene
def test_train_has_both_tracks_and_a_textgrid(scene: Scene) -> None:
    made = export(scene_timeline(scene, split=Split.TRAIN))
    assert made.names() == {f"{ID}.wav", f"{ID}_output.wav", f"{ID}.TextGrid"}


@every_scene
def test_train_intervals_are_in_the_official_order(scene: Scene) -> None:
    timeline = scene_timeline(scene, split=Split.TRAIN)
    made = export(timeline)
    tiers = read_textgrid(made.folder()[f"{ID}.TextGrid"])
    assert list(tiers) == ["文本", "事件", "情绪"]
    assert [interval.text for interval in tiers["文本"] if interval.text] == INTERVALS[scene]
    assert [interval.text for interval in (*tiers["事件"], *tiers["情绪"])] == ["", ""]
    clamped_s = sum(turn.clamped_s for turn in made.row.clamped)
    annotated_s = sum(i.xmax - i.xmin for i in tiers["文本"] if i.text)
    turns = timeline.turns()
    turns_s = sum((max(s.span.end for s in t) - t[0].span.start) / 24_000 for t in turns)
    assert annotated_s + clamped_s == pytest.approx(turns_s, abs=1e-5)


@every_scene
@every_language
def test_dev_has_the_files_of_its_scene(scene: Scene, language: Language) -> None:
    made = export(scene_timeline(scene, language=language))
    wanted = {f"{ID}.wav", f"{ID}_output.wav", f"{ID}_sentence.json", f"{ID}.json", f"{ID}_output.json"}
    if scene not in WITHOUT_TWIN:
        wanted |= {f"clean_{ID}.wav", f"clean_{ID}.json"}
    assert made.names() == wanted


@every_scene
def test_the_template_form_has_no_output_files(scene: Scene) -> None:
    made = export(scene_timeline(scene, with_assistant=False))
    assert not [name for name in made.names() if "_output" in name]
    assert [s["text"] for s in json.loads(made.folder()[f"{ID}_sentence.json"])["speech_segments"]]


@every_scene
def test_test_has_the_files_and_names_of_the_public_release(scene: Scene) -> None:
    made = export(scene_timeline(scene, split=Split.TEST))
    wanted = {f"{ID}.wav", f"{ID}.json", f"{ID}_timestamp.json"}
    if scene not in WITHOUT_TWIN:
        wanted |= {f"clean_{ID}.wav", f"clean_{ID}_timestamp.json"}
    if scene is Scene.DIRECTED_AT_OTHERS:
        wanted.add(f"clean_{ID}.json")
    assert made.names() == wanted
    assert all(RELEASED.match(name) for name in made.names())


def test_the_assistant_comes_with_the_test_layout_on_request() -> None:
    options = Track2Options(assistant_in_test=True)
    made = export(scene_timeline(Scene.TOPIC_SWITCHING, split=Split.TEST), options=options)
    assert {f"{ID}_output.wav", f"{ID}_output_timestamp.json"} <= made.names()


@every_scene
@pytest.mark.parametrize(("split", "suffix"), [(Split.DEV, "_sentence"), (Split.TEST, "")])
def test_segments_are_what_the_users_microphone_hears(scene: Scene, split: Split, suffix: str) -> None:
    timeline = scene_timeline(scene, split=split)
    content = json.loads(export(timeline).folder()[f"{ID}{suffix}.json"])
    assert list(content) == ["final_duration", "speech_segments"]
    assert content["final_duration"] == pytest.approx(timeline.num_samples / 24_000, abs=1e-6)
    assert [segment["text"] for segment in content["speech_segments"]] == HEARD[scene]
    turns = [t for t in timeline.turns() if t[0].speaker is not ASSISTANT]
    spans = [(t[0].span.start / 24_000, t[-1].span.end / 24_000) for t in turns]
    assert [(s["xmin"], s["xmax"]) for s in content["speech_segments"]] == [
        pytest.approx(s, abs=1e-6) for s in spans
    ]


@pytest.mark.parametrize(
    ("language", "text"),
    [(Language.EN, "which trees grow fast what is wet"), (Language.ZH, "什 么 树 长 得 快 什 么 叫 潮 湿")],
)
def test_words_are_words_in_english_and_characters_in_chinese(language: Language, text: str) -> None:
    content = json.loads(
        export(scene_timeline(Scene.TOPIC_SWITCHING, language=language)).folder()[f"{ID}.json"]
    )
    assert content["text"] == text
    assert [chunk["text"] for chunk in content["chunks"]] == text.split()
    times = [time for chunk in content["chunks"] for time in chunk["timestamp"]]
    assert times == sorted(times)
    assert times[0] == 0.300042


@every_scene
def test_each_track_is_silent_unless_its_own_speakers_speak(scene: Scene) -> None:
    timeline = scene_timeline(scene)
    made = export(timeline)
    for name, own in ((ID, {USER, THIRD}), (f"{ID}_output", {ASSISTANT})):
        wav = made.wav(name)
        assert len(wav) == -(-timeline.num_samples * 2 // 3)
        outside = np.ones(len(wav), dtype=bool)
        for s in timeline.supervisions:
            part = slice(round(s.span.start * 2 / 3), round(s.span.end * 2 / 3))
            if s.speaker in own:
                outside[part] = False
                assert np.abs(wav[part].astype(int)).mean() > 1_000
        assert not wav[outside].any()


def test_the_directed_twin_holds_the_follow_up_alone_at_the_querys_place() -> None:
    timeline = scene_timeline(Scene.DIRECTED_AT_OTHERS, split=Split.TEST)
    made = export(timeline)
    content = json.loads(made.folder()[f"clean_{ID}.json"])
    (segment,) = content["speech_segments"]
    moved_s = 5.000042 - 0.300042
    assert (segment["xmin"], segment["xmax"]) == pytest.approx((0.300042, 6.4 - moved_s), abs=2e-6)
    assert segment["text"] == "And in shade?"
    assert content["final_duration"] == pytest.approx(timeline.num_samples / 24_000 - moved_s, abs=2e-6)
    words = json.loads(made.folder()[f"clean_{ID}_timestamp.json"])
    assert words["text"] == "and in shade"
    assert words["chunks"][0]["timestamp"][0] == segment["xmin"]
    assert words["chunks"][-1]["timestamp"][1] == segment["xmax"]
    assert len(made.wav(f"clean_{ID}")) == pytest.approx(content["final_duration"] * FILE_RATE, abs=1)


@pytest.mark.parametrize("scene", [*INTERRUPTIONS, Scene.USER_BACKCHANNEL, Scene.THIRD_PARTY_AFTER])
def test_the_words_of_a_twin_are_those_it_lets_be_heard(scene: Scene) -> None:
    folder = export(scene_timeline(scene)).folder()
    full, clean = json.loads(folder[f"{ID}.json"]), json.loads(folder[f"clean_{ID}.json"])
    assert clean["text"] == "which trees grow fast"
    assert clean["chunks"] == full["chunks"][:4]


@pytest.mark.parametrize("layout", list(Layout))
def test_a_layout_can_be_forced_on_every_split(layout: Layout) -> None:
    made = export(
        scene_timeline(Scene.PAUSE_HANDLING, split=Split.TRAIN), options=Track2Options(layout=layout)
    )
    assert made.row.layout is layout
    assert made.row.split is Split.TRAIN
    assert (f"{ID}.TextGrid" in made.names()) == (layout is Layout.TRAIN)


@pytest.mark.parametrize("split", [Split.DEV, Split.TEST])
@every_scene
def test_the_evaluation_folder_holds_the_dev_names_of_every_file(scene: Scene, split: Split) -> None:
    options = Track2Options(evaluation_folders=True, assistant_in_test=True)
    made = export(scene_timeline(scene, split=split), options=options)
    reference = export(scene_timeline(scene))
    names = {path.rpartition("/")[2]: of for path, of in made.copies.items()}
    assert set(names) == reference.names()
    for name, of in names.items():
        if name.endswith(".json"):
            assert made.texts[of] == reference.folder()[name]
        else:
            assert np.array_equal(made.wavs[of], reference.wav(name.removesuffix(".wav")))
    (folder,) = {path.rpartition("/")[0] for path in made.copies}
    assert folder.startswith(f"evaluation/{split.value}-en/dev/")
    assert " " not in folder


def test_train_has_no_evaluation_folder() -> None:
    options = Track2Options(evaluation_folders=True)
    assert not export(scene_timeline(Scene.PAUSE_HANDLING, split=Split.TRAIN), options=options).copies


@pytest.mark.parametrize("wanted", [True, False])
def test_the_folder_that_the_timing_script_writes_to_exists(wanted: bool) -> None:
    rows = [
        export(scene_timeline(Scene.PAUSE_HANDLING, split=split, language=language)).row
        for split in Split
        for language in Language
    ]
    paths = {file.path for file in closing_files(rows, Track2Options(evaluation_folders=wanted))}
    groups = {
        f"evaluation/{part}/dev/json_group/.keep" for part in ("dev-en", "dev-zh", "test-en", "test-zh")
    }
    assert paths == {"manifest.jsonl", "LICENSES.md"} | (groups if wanted else set())


def test_no_segments_of_a_twin_lie_in_an_evaluation_folder() -> None:
    for scene in Scene:
        for split in (Split.DEV, Split.TEST):
            made = export(scene_timeline(scene, split=split), options=Track2Options(evaluation_folders=True))
            paths = [*made.texts, *made.copies]
            assert not [path for path in paths if "clean_" in path and path.endswith("_sentence.json")]


EXTRA = Say(9, USER, 12.0, 12.5, "One more thing.", "还有。")


@pytest.mark.parametrize(
    ("scene", "says", "split", "detail"),
    [
        (
            Scene.PAUSE_HANDLING,
            (*PLANS[Scene.PAUSE_HANDLING], EXTRA),
            Split.TRAIN,
            "turns by user, assistant, user,",
        ),
        (
            Scene.PAUSE_HANDLING,
            (*PLANS[Scene.PAUSE_HANDLING], EXTRA),
            Split.DEV,
            "turns by user, user, wanted user;",
        ),
        (Scene.USER_BACKCHANNEL, PLANS[Scene.THIRD_PARTY_AFTER], Split.TEST, "turns by user, third_party,"),
        (Scene.THIRD_PARTY_BEFORE, PLANS[Scene.THIRD_PARTY_AFTER], Split.DEV, "wanted third_party, user;"),
        (Scene.PAUSE_HANDLING, PLANS[Scene.PAUSE_HANDLING][:2], Split.TRAIN, "wanted user, assistant;"),
    ],
)
def test_another_order_of_speakers_is_refused(
    scene: Scene, says: tuple[Say, ...], split: Split, detail: str
) -> None:
    with pytest.raises(RecordError, match=detail) as caught:
        export(make_timeline(says, scene, split=split, with_event=False))
    assert caught.value.reason is Reason.NOT_EXPORTABLE
    assert f"d-1: humdial-track2, {split.value} layout, scene {scene.value}" in caught.value.detail

import json
from itertools import product

import numpy as np
import pytest

from pipeline.core.exports.audio import resample
from pipeline.core.exports.easy_turn import EasyTurnDialogue
from pipeline.core.exports.format_names import FormatName
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Timeline
from tests.core.exports.build import (
    ASSISTANT,
    PLANS,
    RATE,
    THIRD,
    USER,
    Say,
    make_timeline,
    noise,
    scene_timeline,
)
from tests.core.exports.emotional import emotional_timeline
from tests.core.exports.in_memory import InMemory, export_as

EASY_TURN = FormatName.EASY_TURN
INDEXED = ("task", "key", "txt", "wav", "lang", "speaker", "emotion", "gender", "state", "extra")
TAGS = ("<COMPLETE>", "<INCOMPLETE>", "<BACKCHANNEL>", "<WAIT>")
QUERY = "Which trees grow fast?<COMPLETE>"
INTERRUPTION = 'What is "wet"?<COMPLETE>'


def packed(line: str, files: InMemory) -> dict[str, object]:
    """What the packer stores of a raw line: its described behaviour, written anew.

    It indexes ten fields, counts metadata in characters, and names members after the key.
    """
    item = json.loads(line)
    fields = {name: item[name] for name in INDEXED}
    assert "." not in fields["key"], "members of another sample"
    assert len(files.wavs[fields["wav"]]), "unreadable audio is left out"
    for name in ("task", "lang", "speaker", "emotion", "gender", "state"):
        assert isinstance(fields[name], str)
        assert fields[name].encode()[: len(fields[name])].decode() == fields[name], "truncated"
    assert isinstance(fields["extra"], dict)
    (tag,) = [tag for tag in TAGS if str(fields["txt"]).endswith(tag)]
    text = str(fields["txt"]).removesuffix(tag)
    assert text == text.strip() != ""
    assert not any(mark in text for mark in "<>[]")
    return fields


def lines_of(files: InMemory) -> list[tuple[str, str]]:
    return [
        (path, line)
        for path, content in sorted(files.texts.items())
        if path.endswith(".jsonl") and path != "manifest.jsonl"
        for line in content.splitlines()
    ]


def run_of() -> list[Timeline]:
    return [
        scene_timeline(
            scene,
            split=split,
            language=language,
            dialogue_id=f"{split.value}-{language.value}-{scene.value}",
            person=f"{split.value}-{language.value}",
        )
        for scene, split, language in product(Scene, Split, Language)
    ]


def test_a_line_is_the_documented_one() -> None:
    files = export_as(EASY_TURN, [scene_timeline(Scene.PAUSE_HANDLING)])
    assert [(path, json.loads(line)) for path, line in lines_of(files)] == [
        (
            "dev/en.jsonl",
            {
                "task": "<TRANSCRIBE> <BACKCHANNEL> <COMPLETE>",
                "key": "pause_0001_0001_a",
                "wav": "dev/en/clips/pause_0001_0001_a.wav",
                "txt": "Please remind me to<INCOMPLETE>",
                "lang": "<EN>",
                "speaker": "0001",
                "emotion": "<NONE>",
                "gender": "female",
                "duration": 1.1,
                "state": "0",
                "extra": {"dataset": "humdial-pipeline"},
            },
        )
    ]


@pytest.mark.parametrize(
    ("scene", "labelled"),
    [
        (Scene.FOLLOW_UP_QUESTION, [QUERY, INTERRUPTION]),
        (Scene.NEGATION_OR_DISSATISFACTION, [QUERY, INTERRUPTION]),
        (Scene.REPETITION_REQUEST, [QUERY, INTERRUPTION]),
        (Scene.TOPIC_SWITCHING, [QUERY, INTERRUPTION]),
        (Scene.SILENCE_OR_TERMINATION, [QUERY, INTERRUPTION]),
        (Scene.USER_BACKCHANNEL, [QUERY, "Mm.<BACKCHANNEL>"]),
        (Scene.PAUSE_HANDLING, ["Please remind me to<INCOMPLETE>"]),
        (Scene.THIRD_PARTY_BEFORE, [QUERY]),
        (Scene.THIRD_PARTY_AFTER, [QUERY]),
        (Scene.DIRECTED_AT_OTHERS, [QUERY, "And in shade?<COMPLETE>"]),
    ],
)
def test_clips_are_labelled_by_the_rule_of_humdial(scene: Scene, labelled: list[str]) -> None:
    files = export_as(EASY_TURN, [scene_timeline(scene)])
    assert [json.loads(line)["txt"] for _, line in lines_of(files)] == labelled


def test_the_packer_stores_every_line_of_every_split_and_language() -> None:
    run = run_of()
    files = export_as(EASY_TURN, run)
    found = lines_of(files)
    assert {path for path, _ in found} == {
        f"{split.value}/{language.value}.jsonl" for split, language in product(Split, Language)
    }
    stored = [packed(line, files) for _, line in found]
    assert len(stored) == 6 * (2 * 7 + 3)
    assert len({str(fields["key"]) for fields in stored}) == len(stored)
    assert {fields["wav"] for fields in stored} == files.wavs.keys()
    assert not any("<WAIT>" in str(fields["txt"]) for fields in stored)
    assert {fields["lang"] for fields in stored} == {"<EN>", "<CN>"}


def test_a_query_with_a_hesitation_ends_before_it() -> None:
    timeline = scene_timeline(Scene.PAUSE_HANDLING)
    files = export_as(EASY_TURN, [timeline])
    whole = resample(noise(timeline, floor=40)[:, 0], RATE, 16_000)
    start, end = (round(x * 2 / 3) for x in timeline.supervisions[0].span.seconds(1))
    assert np.array_equal(files.wavs["dev/en/clips/pause_0001_0001_a.wav"], whole[start:end])


@pytest.mark.parametrize("scene", list(Scene))
def test_a_clip_is_one_turn_of_the_user_to_the_sample(scene: Scene) -> None:
    timeline = scene_timeline(scene)
    files = export_as(EASY_TURN, [timeline])
    row = EasyTurnDialogue.from_line(files.texts["manifest.jsonl"].strip())
    whole = resample(noise(timeline, floor=40)[:, 0], RATE, 16_000)
    assert row.clips
    for clip in row.clips:
        start = round(clip.start_s * 16_000)
        assert clip.num_samples == len(files.wavs[clip.path])
        assert abs(clip.end_s - clip.start_s - clip.num_samples / 16_000) < 1e-4
        assert np.array_equal(files.wavs[clip.path], whole[start : start + clip.num_samples])
        assert {s.speaker for s in timeline.supervisions if s.turn == clip.turn} == {USER}


def test_between_the_sentences_of_a_clip_is_digital_silence() -> None:
    says = (
        Say(0, USER, 0.3, 1.1, "My tap drips.", "龙头漏水。"),
        Say(0, USER, 1.6, 2.4, "Which trees grow fast?", "什么树长得快？"),
        Say(1, ASSISTANT, 2.9, 4.2, "Poplars grow fast.", "杨树长得快。"),
    )
    files = export_as(EASY_TURN, [make_timeline(says, Scene.FOLLOW_UP_QUESTION, with_event=False)])
    ((_, line),) = lines_of(files)
    assert json.loads(line)["txt"] == "My tap drips. Which trees grow fast?<COMPLETE>"
    samples = files.wavs["dev/en/clips/ask_0001_0001_a.wav"]
    assert len(samples) == round(2.1 * 16_000)
    pause = samples[round(0.8 * 16_000) : round(1.3 * 16_000)]
    assert not pause.any()
    assert samples[: round(0.8 * 16_000)].any()
    assert samples[round(1.3 * 16_000) :].any()


def test_every_line_has_its_provenance_and_licence_beside_it() -> None:
    run = run_of()
    files = export_as(EASY_TURN, run, {"first_speaker": 41})
    rows = [EasyTurnDialogue.from_line(line) for line in files.texts["manifest.jsonl"].splitlines()]
    assert {row.dialogue_id for row in rows} == {timeline.dialogue_id for timeline in run}
    for path in {row.lines for row in rows}:
        keys = [json.loads(line)["key"] for line in files.texts[path].splitlines()]
        assert sorted(clip.key for row in rows if row.lines == path for clip in row.clips) == keys
    assert {row.export_id.split("_")[0] for row in rows} == {f"{n:04d}" for n in range(41, 47)}
    assert all(row.provenance.seed_id == "invented/1" and row.voices and row.supervisions for row in rows)
    assert f"- dialogues: {len(run)}" in files.texts["LICENSES.md"]


_INTO = (*PLANS[Scene.THIRD_PARTY_AFTER][:3], Say(2, THIRD, 1.9, 2.3, "Dinner is ready.", "吃饭了。"))
_BROKEN_OFF = (
    Say(0, USER, 0.3, 2.1, "Which trees grow", "什么树长", cut=True),
    Say(1, ASSISTANT, 2.0, 4.2, "Poplars grow fast.", "杨树长得快。"),
)


@pytest.mark.parametrize(
    ("timeline", "why"),
    [
        (emotional_timeline(), "a dialogue of recipe emotional; wanted one with a HumDial scene"),
        (
            make_timeline(_INTO, Scene.THIRD_PARTY_AFTER, with_event=False),
            "a third party speaks into user turn 0",
        ),
        (
            make_timeline(_BROKEN_OFF, Scene.FOLLOW_UP_QUESTION, with_event=False),
            "the user breaks off in turn 0",
        ),
    ],
    ids=["no scene", "two voices", "broken off"],
)
def test_a_clip_that_no_label_fits_is_refused(timeline: Timeline, why: str) -> None:
    with pytest.raises(RecordError, match=why) as caught:
        export_as(EASY_TURN, [timeline])
    assert caught.value.reason is Reason.NOT_EXPORTABLE

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.emotional_plan import emotions_of
from pipeline.core.exports.audio import resample
from pipeline.core.exports.exchange_clips import AnsweredDialogue
from pipeline.core.exports.format_names import FormatName
from pipeline.domain.emotional import EmotionalTask
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Speaker, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Timeline
from tests.core.exports.build import RATE, noise, scene_timeline
from tests.core.exports.emotional import ANGER, NEUTRAL, SAD, SURPRISE, emotional_timeline
from tests.core.exports.in_memory import InMemory, export_as
from tests.emotional import FELT

OSUM = FormatName.OSUM_ECHAT
RANKED = (EmotionalTask.TRAJECTORY, EmotionalTask.REASONING, EmotionalTask.EMPATHY)
AUDIO = {"flac", "mp3", "m4a", "ogg", "opus", "wav", "wma"}
METADATA = ("task", "lang", "speaker", "emotion", "gender")


class DroppedError(AssertionError):
    """The packer or the tar reader would go on without this."""


def packed(line: str, files: InMemory) -> dict[str, object]:
    """Members of the shard that the packer makes of a raw line: its described behaviour, written anew.

    Sizes of metadata are counted in characters, members are named after the key up to its first dot.
    """
    item = json.loads(line)
    assert list(item)[:4] == ["key", "task", "wav", "txt"]
    key = str(item["key"])
    if "." in key:
        raise DroppedError(f"{key}: members of another sample")
    members: dict[str, object] = {"key": key, "txt": item["txt"]}
    numbers = [name.removeprefix("wav_") for name in item if name.startswith("wav_")]
    for name in ["wav", *(f"wav_{number}" for number in numbers)]:
        path = item[name]
        if path.split(".")[-1] not in AUDIO or path not in files.wavs or not len(files.wavs[path]):
            raise DroppedError(f"{key}: {name} cannot be read")
        members[name] = files.wavs[path]
        if name != "wav":
            members[name.replace("wav", "txt")] = item[name.replace("wav", "txt")]
    for name in METADATA:
        value = str(item.get(name, "none"))
        members[name] = value.encode()[: len(value)].decode(errors="strict")
        if members[name] != value:
            raise DroppedError(f"{key}: {name} is truncated")
    members["duration"] = item["extra"].get("duration", 0)
    members["extra"] = {name: value for name, value in item["extra"].items() if name != "duration"}
    return members


def history_of(members: dict[str, object]) -> list[tuple[object, object]]:
    """The turns before the last, as the tar reader finds them: by number, and none at all after a gap."""
    numbers = sorted(int(name.removeprefix("wav_")) for name in members if name.startswith("wav_"))
    if numbers != list(range(1, len(numbers) + 1)):
        raise DroppedError(f"{members['key']}: a gap discards the history")
    return [(members[f"wav_{number}"], members[f"txt_{number}"]) for number in numbers]


def lines_of(files: InMemory) -> list[tuple[str, str]]:
    return [
        (path, line)
        for path, content in files.texts.items()
        if path.endswith(".jsonl") and path != "manifest.jsonl"
        for line in content.splitlines()
    ]


def run_of(aloud: bool = False) -> list[Timeline]:
    return [
        emotional_timeline(
            emotions_of(task, turns, ANGER, SAD),
            task,
            language=language,
            split=split,
            dialogue_id=f"{split.value}-{language.value}-{task.value}-{turns}",
            person=f"{split.value}-{language.value}",
            aloud=aloud,
        )
        for task, turns, split, language in product(RANKED, (3, 4, 5), Split, Language)
    ]


@pytest.fixture(scope="module", params=[False, True], ids=["text", "spoken"])
def exported(request: pytest.FixtureRequest) -> tuple[list[Timeline], InMemory]:
    run = run_of(aloud=request.param)
    return run, export_as(OSUM, run)


def test_a_line_is_the_documented_one() -> None:
    files = export_as(OSUM, [emotional_timeline()])
    assert [json.loads(line) for _, line in lines_of(files)] == [
        {
            "key": "task1_3_en_0001_0001",
            "task": "<S2TCHAT> <TEXT2TOKEN> <HISTORY>",
            "wav": "train/en/wav/task1_3_en_0001_0001_3.wav",
            "txt": "You began with one feeling, and it turned when the news came.",
            "wav_1": "train/en/wav/task1_3_en_0001_0001_1.wav",
            "txt_1": "Losing that money after two clean years is infuriating.",
            "wav_2": "train/en/wav/task1_3_en_0001_0001_2.wav",
            "txt_2": "What a turn, and the full amount too.",
            "extra": {
                "speech_token": [],
                "speech_token_1": [],
                "speech_token_2": [],
                "dataset": "humdial-pipeline",
                "duration": 0.900062,
                "question": "Can you tell me how my feelings went while we talked?",
                "gender": "<FEMALE>",
            },
            "lang": "<EN>",
            "speaker": "0001",
            "emotion": "neutral",
            "gender": "female",
        }
    ]


def test_the_reader_keeps_every_line_with_its_whole_history(
    exported: tuple[list[Timeline], InMemory],
) -> None:
    run, files = exported
    found = lines_of(files)
    assert len(found) == len(run) == 54
    assert len({json.loads(line)["key"] for _, line in found}) == 54
    for path, line in found:
        members = packed(line, files)
        history = history_of(members)
        _, turns, language, *_ = str(members["key"]).split("_")
        assert len(history) == int(turns) - 1
        assert path.endswith(f"/{language}.jsonl")
        assert members["task"] == "<S2TCHAT> <TEXT2TOKEN> <HISTORY>"
        assert isinstance(members["wav"], np.ndarray)
        assert members["duration"] == pytest.approx(len(members["wav"]) / 16_000, abs=1e-6)
        extra = members["extra"]
        assert isinstance(extra, dict)
        assert {name for name in extra if name.startswith("speech_token")} == {
            "speech_token",
            *(f"speech_token_{number}" for number in range(1, int(turns))),
        }


def test_texts_are_the_responses_and_never_what_the_user_says(
    exported: tuple[list[Timeline], InMemory],
) -> None:
    _, files = exported
    replies = {response for felt in FELT.values() for _, _, response in felt.values()}
    for _, line in lines_of(files):
        members = packed(line, files)
        assert {members["txt"], *(text for _, text in history_of(members))} <= replies


@pytest.mark.parametrize("broken", ["wav_1", "wav_2", "wav_3"])
def test_the_reader_of_these_tests_finds_a_gap(broken: str) -> None:
    files = export_as(OSUM, [emotional_timeline((ANGER, SAD, SURPRISE, SAD, NEUTRAL))])
    ((_, line),) = lines_of(files)
    item = json.loads(line)
    assert len(history_of(packed(line, files))) == 4
    del item[broken]
    with pytest.raises(DroppedError, match="gap"):
        history_of(packed(json.dumps(item), files))


def test_audio_of_a_turn_is_that_turn_at_16_khz_and_nothing_else() -> None:
    timeline = emotional_timeline(aloud=True)
    files = export_as(OSUM, [timeline])
    sides = [resample(noise(timeline, floor=40)[:, channel], RATE, 16_000) for channel in (0, 1)]
    for turn, (user, response) in enumerate(((0, 1), (2, 3), (4, 5)), start=1):
        for path, number in (
            (f"train/en/wav/task1_3_en_0001_0001_{turn}.wav", user),
            (f"train/en/response/task1_3_en_0001_0001_{turn}_response.wav", response),
        ):
            said = [s for s in timeline.supervisions if s.turn == number]
            whole = np.zeros_like(sides[0])
            edges = [(round(s.span.start * 2 / 3), round(s.span.end * 2 / 3)) for s in said]
            for start, end in edges:
                whole[start:end] = sides[said[0].track.channel][start:end]
            assert np.array_equal(files.wavs[path], whole[edges[0][0] : edges[-1][1]])
            assert files.made[path].sampling_rate == 16_000


def test_spoken_responses_are_named_for_the_tokenizer() -> None:
    files = export_as(OSUM, [emotional_timeline(aloud=True)])
    ((_, line),) = lines_of(files)
    final = json.loads(line)["extra"]["a_wav_path"]
    assert final == "train/en/response/task1_3_en_0001_0001_3_response.wav"
    row = AnsweredDialogue.from_line(files.texts["manifest.jsonl"].strip())
    spoken = [clip.path for clip in row.clips if clip.speaker is Speaker.ASSISTANT]
    assert len(spoken) == 3
    assert spoken[-1] == final
    assert set(spoken) <= files.wavs.keys()


def test_every_line_has_its_provenance_and_licence_beside_it(
    exported: tuple[list[Timeline], InMemory],
) -> None:
    run, files = exported
    rows = [AnsweredDialogue.from_line(line) for line in files.texts["manifest.jsonl"].splitlines()]
    assert {row.dialogue_id for row in rows} == {timeline.dialogue_id for timeline in run}
    for path in {row.lines for row in rows}:
        keys = [json.loads(line)["key"] for line in files.texts[path].splitlines()]
        assert keys == [row.export_id for row in rows if row.lines == path]
    for row in rows:
        assert row.provenance.seed_id == f"invented/{row.dialogue_id}"
        assert len(row.texts) == len(row.responses) == len(row.arc.feelings)
        for clip in row.clips:
            assert clip.num_samples == len(files.wavs[clip.path])
    assert "- dialogues: 54" in files.texts["LICENSES.md"]
    assert files.wavs.keys() == {clip.path for row in rows for clip in row.clips}


def test_a_single_turn_has_no_history_and_no_mark_of_one() -> None:
    timeline = emotional_timeline((SAD,), EmotionalTask.RECOGNITION)
    files = export_as(OSUM, [timeline])
    ((_, line),) = lines_of(files)
    members = packed(line, files)
    assert history_of(members) == []
    assert members["task"] == "<S2TCHAT> <TEXT2TOKEN>"
    assert members["emotion"] == "sad"


@pytest.mark.parametrize(
    ("timeline", "why"),
    [
        (emotional_timeline((SAD,), EmotionalTask.RECOGNITION, responses=False), "turn 1 has no response"),
        (scene_timeline(Scene.PAUSE_HANDLING), "wanted one of recipe emotional"),
    ],
    ids=["no response", "another recipe"],
)
def test_what_is_no_dialogue_of_replies_is_refused(timeline: Timeline, why: str) -> None:
    with pytest.raises(RecordError, match=why) as caught:
        export_as(OSUM, [timeline])
    assert caught.value.reason is Reason.NOT_EXPORTABLE


@given(st.text(min_size=1), st.integers(0, 9_000))
@settings(max_examples=50, deadline=None)
def test_metadata_are_ascii_whatever_people_are_called(person: str, first: int) -> None:
    files = export_as(OSUM, [emotional_timeline(person=person)], {"first_speaker": first})
    ((_, line),) = lines_of(files)
    members = packed(line, files)
    assert members["speaker"] == f"{first:04d}"
    assert all(str(members[name]).isascii() for name in METADATA)


def test_a_user_turn_that_readers_drop_is_refused_by_name() -> None:
    timeline = emotional_timeline(texts=(("No!",), ("It did.",), ("How did I feel?",)), sentence_s=0.45)
    with pytest.raises(RecordError, match=r"osum-echat: user turn 1 lasts 0\.450 s"):
        export_as(OSUM, [timeline])

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.emotional_plan import emotions_of
from pipeline.core.exports.exchange_clips import AnsweredDialogue
from pipeline.core.exports.format_names import FormatName
from pipeline.domain.emotional import EmotionalTask
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Timeline
from tests.core.exports.build import scene_timeline
from tests.core.exports.emotional import ANGER, SAD, emotional_timeline
from tests.core.exports.in_memory import InMemory, export_as

OPENS2S = FormatName.OPENS2S
RANKED = (EmotionalTask.TRAJECTORY, EmotionalTask.REASONING, EmotionalTask.EMPATHY)


class DroppedError(AssertionError):
    """The reader would go on without this record."""


def strict_record(line: str, files: InMemory) -> list[tuple[str, str]]:
    """Role and what is read (audio path or text) per message; the reader's described rules, written anew."""
    record = json.loads(line)
    assert list(record) == ["messages"]
    read = []
    for index, message in enumerate(record["messages"]):
        assert list(message) == ["role", "content"]
        assert message["role"] == ("user", "assistant")[index % 2]
        (item,) = message["content"]
        assert sorted(item) == ["audio", "speech_units", "spk_emb", "text"]
        assert all(isinstance(value, str) for value in item.values())
        if item["audio"]:
            assert message["role"] == "user"
            if len(files.wavs.get(item["audio"], ())) < 8_000:
                raise DroppedError(item["audio"])
            assert files.made[item["audio"]].sampling_rate == 16_000
            read.append((message["role"], item["audio"]))
            continue
        if item["speech_units"]:
            assert message["role"] == "assistant"
            assert item["text"]
        assert item["text"]
        read.append((message["role"], item["text"]))
    assert read[-1][0] == "assistant"
    return read


def records_of(files: InMemory) -> list[tuple[str, str]]:
    return [
        (path, line)
        for path, content in sorted(files.texts.items())
        if path.endswith(".jsonl") and path != "manifest.jsonl"
        for line in content.splitlines()
    ]


def run_of() -> list[Timeline]:
    return [
        emotional_timeline(
            emotions_of(task, turns, ANGER, SAD),
            task,
            language=language,
            split=split,
            dialogue_id=f"{split.value}-{language.value}-{task.value}-{turns}",
            person=f"{split.value}-{language.value}",
            aloud=turns == 4,
        )
        for task, turns, split, language in product(RANKED, (3, 4, 5), Split, Language)
    ]


def test_a_record_is_the_documented_one() -> None:
    files = export_as(OPENS2S, [emotional_timeline()])
    ((path, line),) = records_of(files)
    assert path == "train/en.jsonl"
    first, second = json.loads(line)["messages"][:2]
    assert first == {
        "role": "user",
        "content": [
            {
                "text": "",
                "audio": "train/en/wav/task1_3_en_0001_0001_1.wav",
                "speech_units": "",
                "spk_emb": "",
            }
        ],
    }
    assert second == {
        "role": "assistant",
        "content": [
            {
                "text": "Losing that money after two clean years is infuriating.",
                "audio": "",
                "speech_units": "",
                "spk_emb": "",
            }
        ],
    }


def test_the_reader_keeps_every_record_and_every_turn() -> None:
    run = run_of()
    files = export_as(OPENS2S, run)
    found = records_of(files)
    assert len(found) == len(run) == 54
    rows = [AnsweredDialogue.from_line(line) for line in files.texts["manifest.jsonl"].splitlines()]
    for path in {path for path, _ in found}:
        records = [strict_record(line, files) for where, line in found if where == path]
        described = [row for row in rows if row.lines == path]
        assert len(records) == len(described)
        for read, row in zip(records, described, strict=True):
            assert [text for role, text in read if role == "assistant"] == list(row.responses)
            users = [wav for role, wav in read if role == "user"]
            assert len(users) == len(row.texts)
            assert users == [
                f"{row.split.value}/{row.language.value}/wav/{row.export_id}_{turn}.wav"
                for turn in range(1, len(users) + 1)
            ]
            assert row.provenance.seed_id == f"invented/{row.dialogue_id}"
    assert "- dialogues: 54" in files.texts["LICENSES.md"]


@given(st.floats(0.1, 0.9))
@settings(max_examples=40, deadline=None)
def test_audio_that_the_reader_would_drop_is_refused_and_no_other(seconds: float) -> None:
    texts = [("Nothing back at all.",), ("It has just come.",), ("How did I feel?",)]
    timeline = emotional_timeline(sentence_s=seconds, texts=texts)
    short = round(seconds * 24_000) < 12_000 - 1
    if short:
        with pytest.raises(RecordError, match=r"user turn 1 lasts 0\.\d+ s") as caught:
            export_as(OPENS2S, [timeline])
        assert caught.value.reason is Reason.NOT_EXPORTABLE
    elif round(seconds * 24_000) > 12_001:
        files = export_as(OPENS2S, [timeline])
        ((_, line),) = records_of(files)
        assert len(strict_record(line, files)) == 6


def test_the_reader_of_these_tests_drops_short_and_missing_audio() -> None:
    files = export_as(OPENS2S, [emotional_timeline()])
    ((_, line),) = records_of(files)
    path, samples = next(iter(files.wavs.items()))
    files.wavs[path] = samples[:7_999]
    with pytest.raises(DroppedError):
        strict_record(line, files)
    del files.wavs[path]
    with pytest.raises(DroppedError):
        strict_record(line, files)


def test_spoken_responses_lie_beside_the_lines_and_in_no_message() -> None:
    files = export_as(OPENS2S, [emotional_timeline(aloud=True)])
    ((_, line),) = records_of(files)
    assert "_response.wav" not in line
    spoken = {f"train/en/response/task1_3_en_0001_0001_{turn}_response.wav" for turn in (1, 2, 3)}
    assert spoken <= files.wavs.keys()


@pytest.mark.parametrize(
    ("timeline", "why"),
    [
        (emotional_timeline((SAD,), EmotionalTask.RECOGNITION, responses=False), "turn 1 has no response"),
        (scene_timeline(Scene.USER_BACKCHANNEL), "wanted one of recipe emotional"),
    ],
    ids=["no response", "another recipe"],
)
def test_what_is_no_dialogue_of_replies_is_refused(timeline: Timeline, why: str) -> None:
    with pytest.raises(RecordError, match=why):
        export_as(OPENS2S, [timeline])

import json
import re
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.core.emotional_plan import TRANSITIONS, emotions_of
from pipeline.core.exports.audio import resample
from pipeline.core.exports.humdial_track1 import Track1Options, assign_track1_ids, export_track1
from pipeline.core.exports.track1_names import Track1Layout
from pipeline.core.exports.track1_rows import Track1Dialogue
from pipeline.domain.emotional import EmotionalTask
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Language, Speaker, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Timeline
from tests.core.exports.build import RATE, as_dialogue, noise, scene_timeline
from tests.core.exports.emotional import (
    ANGER,
    NEUTRAL,
    SAD,
    SURPRISE,
    Files,
    emotional_timeline,
    export,
    lines_of,
    pcm,
)
from tests.core.exports.track1_official import (
    ID,
    USER_WAV,
    empathy_prompt,
    judge_prompt,
    last_felt,
    opens2s_keeps,
    strict_line,
)

SUBMISSION = Track1Options(layout=Track1Layout.SUBMISSION)
TRAJECTORY, REASONING, EMPATHY = (
    EmotionalTask.TRAJECTORY,
    EmotionalTask.REASONING,
    EmotionalTask.EMPATHY,
)
RANKED = (TRAJECTORY, REASONING, EMPATHY)


def run_of(tasks: tuple[EmotionalTask, ...] = RANKED, *, aloud: bool = False) -> list[Timeline]:
    """Every task in every length, split and language."""
    run = []
    for task, turns, split, language in product(tasks, (3, 4, 5), Split, Language):
        if task.single_turn:
            emotions: tuple[Emotion, ...] = (ANGER,)
            if turns > 3:
                continue
        else:
            emotions = emotions_of(task, turns, ANGER, SAD)
        run.append(
            emotional_timeline(
                emotions,
                task,
                language=language,
                split=split,
                dialogue_id=f"{split.value}-{language.value}-{task.value}-{turns}",
                person=f"{split.value}-{language.value}",
                aloud=aloud,
            )
        )
    return run


@pytest.fixture(scope="module")
def exported() -> Files:
    return export(run_of())


@pytest.fixture(scope="module")
def submitted() -> Files:
    return export(run_of(aloud=True), SUBMISSION)


def official(files: Files, pattern: str) -> list[tuple[str, dict[str, object]]]:
    return [
        (path, line)
        for path in sorted(files)
        if re.fullmatch(pattern, path)
        for line in lines_of(files, path)
    ]


def test_a_train_line_is_the_documented_one() -> None:
    files = export([emotional_timeline()])
    assert lines_of(files, "train_jsonl/en/task1_3.jsonl") == [
        {
            "dialogue_id": "task1_3_en_0001_0001",
            "turns": [
                {
                    "turn_id": 1,
                    "text": "The [sigh] landlord kept my whole deposit. "
                    "Two [sigh] years of rent and nothing back!",
                    "emotion": "anger",
                    "split_audio_file": "task1/task1_3_en_0001_0001_1.wav",
                    "response_text": "Losing that money after two clean years is infuriating.",
                },
                {
                    "turn_id": 2,
                    "text": "Hold on, the bank says all of it has just arrived!",
                    "emotion": "surprise",
                    "split_audio_file": "task1/task1_3_en_0001_0001_2.wav",
                    "response_text": "What a turn, and the full amount too.",
                },
                {
                    "turn_id": 3,
                    "text": "Can you tell me how my feelings went while we talked?",
                    "emotion": "neutral",
                    "split_audio_file": "task1/task1_3_en_0001_0001_3.wav",
                    "response_text": "You began with one feeling, and it turned when the news came.",
                },
            ],
        }
    ]


def test_chinese_is_written_as_chinese_and_its_sentences_without_spaces() -> None:
    files = export([emotional_timeline(language=Language.ZH)])
    assert "两年一分都不退！" in files["train_jsonl/zh/task1_3.jsonl"].decode()
    (line,) = lines_of(files, "train_jsonl/zh/task1_3.jsonl")
    text = strict_line(line, "train")[0]["text"]
    assert "扣了。住" in text
    assert text.count("[sigh]") == 2


@pytest.mark.parametrize("split", ["train", "dev"])
def test_train_and_dev_lines_have_the_documented_fields_and_no_other(exported: Files, split: str) -> None:
    found = official(exported, rf"{split}_jsonl/(zh|en)/task\d_\d\.jsonl")
    assert len(found) == 18
    for path, line in found:
        turns = strict_line(line, "train")
        name = str(line["dialogue_id"])
        task, count, language = name.split("_")[:3]
        assert path == f"{split}_jsonl/{language}/{task}_{count}.jsonl"
        assert int(count) == len(turns)
        if not name.startswith("task3"):
            assert ID.match(name)
            assert turns[-1]["emotion"] == "neutral"
        for turn in turns:
            wav = f"{split}_jsonl/{language}/{turn['split_audio_file']}"
            assert wav.endswith(f"/{task}/{name}_{turn['turn_id']}.wav")
            assert opens2s_keeps(len(exported[wav]) // 2)


def test_test_lines_have_audio_alone_and_lie_in_the_official_tree(exported: Files) -> None:
    found = official(exported, r"HD-Track1-Test/(zh|en)/HD-Track1-T\d\.jsonl")
    assert {path for path, _ in found} == {
        f"HD-Track1-Test/{language}/HD-Track1-T{task}.jsonl"
        for language in ("zh", "en")
        for task in (1, 2, 3)
    }
    for path, line in found:
        for turn in strict_line(line, "test"):
            folder, _, wav = turn["input_audio"].partition("/")
            assert path.endswith(f"/{folder}.jsonl")
            assert USER_WAV.match(wav)
            assert f"{path.rpartition('/')[0]}/{turn['input_audio']}" in exported


def test_a_submission_has_the_official_field_set_and_all_the_audio_it_names(submitted: Files) -> None:
    found = official(submitted, r"HD-Track1/(zh|en)/HD-Track1-T[123]\.jsonl")
    assert len(found) == 54
    for path, line in found:
        for turn in strict_line(line, "submission"):
            assert turn["input_audio"] in submitted
            assert turn["response_audio"] in submitted
            assert turn["response_audio"].startswith(path.removesuffix(".jsonl") + "/")
            assert turn["response_audio"].endswith(f"_{turn['turn_id']}_response.wav")


def test_only_official_files_lie_in_official_trees(exported: Files, submitted: Files) -> None:
    for files in (exported, submitted):
        beside = {"manifest.jsonl", "LICENSES.md"}
        for path in files.keys() - beside:
            assert path.split("/")[0] in {
                "train_jsonl",
                "dev_jsonl",
                "test_jsonl",
                "HD-Track1-Test",
                "HD-Track1",
                "scoring",
            }
            assert path.endswith((".wav", ".jsonl"))


@pytest.mark.parametrize("number", [1, 2])
def test_the_judges_of_tasks_1_and_2_read_every_turn(exported: Files, submitted: Files, number: int) -> None:
    pattern = rf"(train|dev)_jsonl/../task{number}_\d\.jsonl|scoring/../HD-Track1-T{number}\.jsonl"
    found = [*official(exported, pattern), *official(submitted, pattern)]
    assert len(found) == 18 + 18
    for _, line in found:
        prompt = judge_prompt(line)
        turns = line["turns"]
        assert isinstance(turns, list)
        assert prompt.history.count("\nassistant: ") == len(turns)
        assert prompt.question in prompt.history
        assert prompt.answer


def test_the_empathy_judge_scores_the_turn_that_the_readme_means(exported: Files, submitted: Files) -> None:
    pattern = r"(train|dev)_jsonl/../task3_\d\.jsonl|scoring/../HD-Track1-T3\.jsonl"
    found = [*official(exported, pattern), *official(submitted, pattern)]
    assert len(found) == 18 + 18
    for _, line in found:
        prompt = empathy_prompt(line)
        turns = line["turns"]
        assert isinstance(turns, list)
        assert prompt.target == last_felt(turns)
        assert prompt.context.count(" -> ") == prompt.target
    for _, line in official(submitted, pattern):
        assert empathy_prompt(line).audio in submitted


@given(st.sampled_from(RANKED), st.sampled_from([3, 4, 5]), st.sampled_from(TRANSITIONS))
@settings(max_examples=60, deadline=None)
def test_whatever_change_of_feeling_is_dealt_can_be_judged(
    task: EmotionalTask, turns: int, pair: tuple[Emotion, Emotion]
) -> None:
    assume(Emotion.NEUTRAL not in pair or (turns >= 4 and task is not EMPATHY))
    timeline = emotional_timeline(emotions_of(task, turns, *pair), task, sentence_s=0.51)
    files = export([timeline])
    (line,) = lines_of(files, f"train_jsonl/en/task{task.number}_{turns}.jsonl")
    strict_line(line, "train")
    assert empathy_prompt(line).target >= 2
    assert judge_prompt(line).answer


def test_user_audio_is_the_turn_from_its_first_sentence_to_its_last_and_nothing_else() -> None:
    timeline = emotional_timeline()
    files = export([timeline])
    whole = resample(noise(timeline, floor=40)[:, 0], RATE, 16_000)
    first, second = timeline.supervisions[:2]
    start, end = (round(x * 2 / 3) for x in (first.span.start, second.span.end))
    got = np.frombuffer(files["train_jsonl/en/task1/task1_3_en_0001_0001_1.wav"], dtype="<i2")
    assert len(got) == end - start
    pause = slice(round(first.span.end * 2 / 3) - start, round(second.span.start * 2 / 3) - start)
    assert not got[pause].any()
    heard = np.ones(len(got), dtype=bool)
    heard[pause] = False
    assert np.array_equal(got[heard], whole[start:end][heard])


def test_spoken_responses_lie_beside_the_official_tree_and_are_in_the_manifest() -> None:
    timeline = emotional_timeline(aloud=True)
    files = export([timeline])
    paths = [path for path in files if path.startswith("responses/")]
    assert paths == [f"responses/en/task1_3_en_0001_0001_{turn}_response.wav" for turn in (1, 2, 3)]
    row = Track1Dialogue.from_line(files["manifest.jsonl"].decode().strip())
    assert [clip.path for clip in row.clips if clip.speaker is Speaker.ASSISTANT] == paths
    (line,) = lines_of(files, "train_jsonl/en/task1_3.jsonl")
    strict_line(line, "train")
    spoken = resample(noise(timeline, floor=40)[:, 1], RATE, 16_000)
    response = next(s for s in timeline.supervisions if s.speaker is Speaker.ASSISTANT)
    part = spoken[round(response.span.start * 2 / 3) : round(response.span.end * 2 / 3)]
    assert files[paths[0]] == pcm(part)


def test_the_manifest_tells_what_the_official_lines_leave_out(exported: Files) -> None:
    rows = [Track1Dialogue.from_line(line) for line in exported["manifest.jsonl"].decode().splitlines()]
    assert [row.export_id for row in rows] == sorted(row.export_id for row in rows)
    assert {row.dialogue_id for row in rows} == {timeline.dialogue_id for timeline in run_of()}
    for row in rows:
        assert (row.arc.persona, row.arc.topic.value) == ("a tenant", "home")
        assert row.arc.feelings[0].cause or row.arc.feelings[0].emotion is NEUTRAL
        assert len(row.texts) == len(row.responses) == len(row.arc.feelings)
        assert row.provenance.seed_id == f"invented/{row.dialogue_id}"
        assert row.licence.id == "CC-BY-4.0"
        assert row.voices[0].person == f"{row.split.value}-{row.language.value}"
        for clip in row.clips:
            assert clip.num_samples == len(exported[clip.path]) // 2
            assert clip.end_s - clip.start_s == pytest.approx(clip.num_samples / 16_000, abs=1e-4)
    assert "- dialogues: 54" in exported["LICENSES.md"].decode()


@pytest.mark.parametrize("responses", [True, False])
def test_recognition_has_one_turn_and_needs_no_response(responses: bool) -> None:
    run = [
        emotional_timeline((SURPRISE,), EmotionalTask.RECOGNITION, split=split, responses=responses)
        for split in Split
    ]
    train, _, test = (export([timeline]) for timeline in run)
    (line,) = lines_of(train, "train_jsonl/en/task4_1.jsonl")
    (turn,) = line["turns"]  # type: ignore[misc]
    assert ("response_text" in turn) is responses
    assert turn["emotion"] == "surprise"
    (line,) = lines_of(test, "HD-Track1-Test/en/HD-Track1-T4.jsonl")
    assert line["turns"] == [{"turn_id": 1, "input_audio": "HD-Track1-T4/task4_1_en_0001_0001_1.wav"}]
    assert not any(path.startswith("scoring/") for path in test)


def test_generation_is_given_words_and_a_feeling_and_has_to_make_the_audio() -> None:
    timeline = emotional_timeline((SAD,), EmotionalTask.GENERATION, split=Split.TEST, responses=False)
    files = export([timeline])
    (line,) = lines_of(files, "HD-Track1-Test/en/HD-Track1-T5.jsonl")
    (turn,) = line["turns"]  # type: ignore[misc]
    assert list(turn) == ["turn_id", "input_text", "input_emotion"]
    assert turn["input_emotion"] == "sad"
    assert not any(path.endswith(".wav") for path in files)
    trained = export([timeline.model_copy(update={"split": Split.TRAIN})])
    (line,) = lines_of(trained, "train_jsonl/en/task5_1.jsonl")
    assert "train_jsonl/en/task5/task5_1_en_0001_0001_1.wav" in trained


def test_a_user_turn_that_readers_would_drop_is_refused() -> None:
    texts = [("I am fuming about it.",), ("No way, really?",), ("How did I feel?",)]
    kept = emotional_timeline(texts=texts, sentence_s=0.5)
    assert len(export([kept])["train_jsonl/en/task1/task1_3_en_0001_0001_1.wav"]) == 16_000
    short = emotional_timeline(texts=texts, sentence_s=0.4999)
    with pytest.raises(
        RecordError, match=r"user turn 1 lasts 0.500 s; readers drop less than 0.5 s"
    ) as caught:
        export([short])
    assert caught.value.reason is Reason.NOT_EXPORTABLE


def test_a_submission_without_response_audio_is_refused() -> None:
    with pytest.raises(RecordError, match=r"response 1 is not spoken.*response_audio and run again"):
        export([emotional_timeline()], SUBMISSION)


def test_empathy_with_three_felt_turns_is_refused() -> None:
    with pytest.raises(RecordError, match="3 user turns are not neutral; wanted 2"):
        export([emotional_timeline((ANGER, SAD, SURPRISE), EMPATHY)])


def test_a_dialogue_of_another_recipe_is_refused() -> None:
    timeline = scene_timeline(Scene.PAUSE_HANDLING)
    ids = assign_track1_ids([timeline], Track1Options())
    with pytest.raises(RecordError, match="recipe full_duplex; wanted one of recipe emotional"):
        export_track1(as_dialogue(timeline), ids["d-1"], Track1Options())


def test_ids_count_per_speaker_over_the_whole_run_and_do_not_depend_on_order() -> None:
    run = run_of()
    ids = assign_track1_ids(run, Track1Options())
    assert len({export_id[-9:] for export_id in ids.values()}) == len(run)
    assert assign_track1_ids(reversed(run), Track1Options()) == ids
    by_person: dict[str, set[str]] = {}
    for timeline in run:
        by_person.setdefault(timeline.voicing[0].person, set()).add(ids[timeline.dialogue_id].split("_")[3])
    assert all(len(groups) == 1 for groups in by_person.values())
    assert len(set().union(*by_person.values())) == len(by_person)
    later = assign_track1_ids(run, Track1Options(first_speaker=41))
    assert {export_id.split("_")[3] for export_id in later.values()} == {f"00{n}" for n in range(41, 47)}


def test_an_export_is_the_same_in_any_order_of_dialogues(exported: Files) -> None:
    assert export(reversed(run_of())) == exported


def test_lines_are_one_physical_line_each(exported: Files) -> None:
    for path in (p for p in exported if p.endswith(".jsonl")):
        content = exported[path].decode()
        assert content.endswith("\n")
        for line in content.splitlines():
            assert isinstance(json.loads(line), dict)

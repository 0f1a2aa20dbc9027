import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.checks.export_across import Seen
from pipeline.core.checks.export_balance import Balance
from pipeline.core.checks.export_findings import ExportCode, ExportLimits
from pipeline.core.checks.export_track1_lines import LinesFile, read_line
from pipeline.core.checks.export_track2_files import Annotated, read_grid, read_segments, read_words
from pipeline.core.emotional_plan import TRANSITIONS, emotions_of
from pipeline.domain.emotional import EmotionalArc, EmotionalTask, Feeling, Intensity, Topic
from pipeline.domain.labels import Emotion, Language, Split

LIMITS = ExportLimits()


def arc(emotions: tuple[Emotion, ...], task: EmotionalTask = EmotionalTask.TRAJECTORY) -> EmotionalArc:
    return EmotionalArc(
        task=task,
        topic=Topic.HOME,
        persona="somebody",
        feelings=tuple(Feeling(emotion=e, intensity=Intensity.CLEAR, cause=None) for e in emotions),
    )


def dealt(copies: int, lengths: tuple[int, ...] = (3, 4, 5)) -> Balance:
    """Every change of feeling between labels with a voice of their own, equally often in every length."""
    balance = Balance()
    for _ in range(copies):
        for turns in lengths:
            for first, then in TRANSITIONS:
                if Emotion.NEUTRAL not in (first, then):
                    balance.add(
                        Split.TRAIN,
                        Language.EN,
                        arc(emotions_of(EmotionalTask.TRAJECTORY, turns, first, then)),
                    )
    return balance


def test_what_is_dealt_evenly_is_balanced() -> None:
    assert list(dealt(4).findings(LIMITS)) == []


@pytest.mark.parametrize(
    ("extra", "length", "what"),
    [
        (7, 3, "dialogues that change anger -> sad: 19 of 367"),
        (800, 3, "user turns that feel anger"),
        (800, 5, "trajectory: dialogues of 5 turns"),
    ],
)
def test_whatever_has_far_more_than_its_share_is_found(extra: int, length: int, what: str) -> None:
    balance = dealt(4)
    for _ in range(extra):
        balance.add(
            Split.TRAIN,
            Language.EN,
            arc(emotions_of(EmotionalTask.TRAJECTORY, length, Emotion.ANGER, Emotion.SAD)),
        )
    found = list(balance.findings(LIMITS))
    assert {finding.code for finding in found} == {ExportCode.UNBALANCED}
    assert any(what in finding.detail for finding in found)
    assert all(finding.detail.startswith("train, en") for finding in found)


def test_a_handful_of_dialogues_is_not_judged() -> None:
    balance = Balance()
    for _ in range(7):
        balance.add(Split.DEV, Language.ZH, arc((Emotion.ANGER, Emotion.SAD, Emotion.NEUTRAL)))
    assert list(balance.findings(LIMITS)) == []
    assert balance.emotion_table()[1] == ("dev", "zh", "0", "7", "7", "0", "7", "0", "0", "21")
    assert balance.turn_table()[1] == ("dev", "zh", "trajectory", "7", "7")


def test_a_near_duplicate_names_the_other_and_how_much_is_shared() -> None:
    seen = Seen(LIMITS)
    words = [f"word{n}" for n in range(40)]
    assert list(seen.text("a", Split.TRAIN, [" ".join(words)])) == []
    (found,) = seen.text("b", Split.DEV, [" ".join([*words[:-1], "other"])])
    assert found.code is ExportCode.NEAR_DUPLICATE_TEXT
    assert "'a' (across splits train and dev)" in found.detail
    assert list(seen.text("c", Split.DEV, [" ".join(reversed(words))])) == []


def test_short_texts_are_compared_for_equality_alone() -> None:
    seen = Seen(LIMITS)
    assert list(seen.text("a", Split.TRAIN, ["how did I feel just now"])) == []
    assert list(seen.text("b", Split.TRAIN, ["how did I feel just then"])) == []
    (found,) = seen.text("c", Split.TRAIN, ["How  did I feel just now"])
    assert found.code is ExportCode.DUPLICATE_TEXT
    assert "'a' (both in train)" in found.detail


def test_the_same_question_by_the_same_voice_is_counted_and_found_where_it_is_many() -> None:
    seen = Seen(LIMITS)
    for number in range(95):
        assert list(seen.audio(f"{number}.wav", f"x{number}", "a", Split.TRAIN, "why")) == []
    for number in range(5):
        assert list(seen.audio(f"again{number}.wav", "x1", "a", Split.TRAIN, "why")) == []
    assert (seen.files, seen.repeats) == (100, 5)
    assert list(seen.repeated()) == []
    assert list(seen.audio("again.wav", "x1", "a", Split.TRAIN, "why")) == []
    (found,) = seen.repeated()
    assert found.code is ExportCode.DUPLICATE_AUDIO
    assert found.detail.startswith("6 of 101 audio files repeat")


@pytest.mark.parametrize(
    ("split", "text", "what"),
    [
        (Split.DEV, "why", "across splits train and dev) and the same words"),
        (Split.TRAIN, "when", "both in train) and other words"),
    ],
)
def test_samples_in_two_splits_or_of_other_words_are_found_at_once(
    split: Split, text: str, what: str
) -> None:
    seen = Seen(LIMITS)
    assert list(seen.audio("a.wav", "x", "a", Split.TRAIN, "why")) == []
    (found,) = seen.audio("b.wav", "x", "b", split, text)
    assert what in found.detail
    assert found.path == "b.wav"


@pytest.mark.parametrize(
    ("path", "task", "base"),
    [
        ("train_jsonl/en/task1_3.jsonl", "trajectory", "train_jsonl/en/"),
        ("dev_jsonl/zh/task5_1.jsonl", "generation", "dev_jsonl/zh/"),
        ("train/en/task2_5.jsonl", "trajectory", "train/en/"),
        ("train/en/task1.jsonl", "recognition", "train/en/"),
        ("dev/zh/task4.jsonl", "empathy", "dev/zh/"),
        ("HD-Track1-Test/en/HD-Track1-T2.jsonl", "reasoning", "HD-Track1-Test/en/"),
        ("HD-Track1/en/HD-Track1-T3.jsonl", "empathy", ""),
        ("scoring/en/HD-Track1-T1.jsonl", "trajectory", ""),
    ],
)
def test_the_path_of_a_file_says_what_it_holds(path: str, task: str, base: str) -> None:
    file = LinesFile.of(path)
    assert file is not None
    assert (file.task.value, file.base) == (task, base)


@pytest.mark.parametrize(
    "path",
    ["train_jsonl/fr/task1_3.jsonl", "train/en/task4.jsonl", "HD-Track1/en/HD-Track1-T4.jsonl", "a.jsonl"],
)
def test_a_path_of_no_tree_is_no_file_of_lines(path: str) -> None:
    assert LinesFile.of(path) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dialogue_id", "turns", "turn_id", "text", "emotion", "chunks", "timestamp"]),
            children,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["train_jsonl/en/task1_3.jsonl", "scoring/en/HD-Track1-T3.jsonl"]))
def test_no_line_whatever_breaks_the_check(content: object, path: str) -> None:
    file = LinesFile.of(path)
    assert file is not None
    assert read_line(file, 1, json.dumps(content)).findings


@given(JSON, st.sampled_from([read_grid, read_segments, read_words]))
def test_no_annotation_whatever_breaks_the_check(content: object, read: object) -> None:
    assert callable(read)
    assert read(Annotated("a.json", "0001_0001", json.dumps(content), LIMITS)).findings

import pytest

from pipeline.core.exports.humdial_track1 import Track1Options
from pipeline.core.exports.track1_names import Track1Layout, task_number
from pipeline.domain.emotional import EmotionalTask
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Split
from pipeline.domain.quarantine import Reason
from tests.core.exports.emotional import ANGER, NEUTRAL, SAD, emotional_timeline, export, lines_of
from tests.core.exports.track1_official import strict_line

SUBMISSION = Track1Options(layout=Track1Layout.SUBMISSION)
TRAJECTORY, REASONING, EMPATHY = (
    EmotionalTask.TRAJECTORY,
    EmotionalTask.REASONING,
    EmotionalTask.EMPATHY,
)
GEN1 = Track1Options(generation=1)


@pytest.mark.parametrize(
    ("task", "split", "path", "wav"),
    [
        (TRAJECTORY, Split.TRAIN, "train/en/task2_3.jsonl", "task2_3/task2_3_en_0001_0001_1.wav"),
        (REASONING, Split.TRAIN, "train/en/task3_3.jsonl", "task3_3/task3_3_en_0001_0001_1.wav"),
        (EmotionalTask.RECOGNITION, Split.TRAIN, "train/en/task1.jsonl", "task1/task1_1_en_0001_0001_1.wav"),
        (TRAJECTORY, Split.DEV, "dev/en/task2.jsonl", "task2/task2_3_en_0001_0001_1.wav"),
        (REASONING, Split.DEV, "dev/en/task3.jsonl", "task3/task3_3_en_0001_0001_1.wav"),
        (EMPATHY, Split.DEV, "dev/en/task4.jsonl", "task4/task4_3_en_0001_0001_1.wav"),
        (EmotionalTask.RECOGNITION, Split.DEV, "dev/en/task1.jsonl", "task1/task1_1_en_0001_0001_1.wav"),
    ],
)
def test_generation_1_has_its_own_numbers_and_trees(
    task: EmotionalTask, split: Split, path: str, wav: str
) -> None:
    emotions = (ANGER,) if task.single_turn else (ANGER, SAD, NEUTRAL)
    files = export([emotional_timeline(emotions, task, split=split)], GEN1)
    (line,) = lines_of(files, path)
    (first, *_) = strict_line(line, "train", range(1, 6))
    assert first["split_audio_file"] == wav
    assert f"{path.rpartition('/')[0]}/{wav}" in files


@pytest.mark.parametrize(
    ("task", "split", "options", "why"),
    [
        (EMPATHY, Split.TRAIN, GEN1, "it is in dev alone"),
        (EmotionalTask.GENERATION, Split.DEV, GEN1, "its README has no folder for it"),
        (TRAJECTORY, Split.TEST, GEN1, "generation 1 published no test set"),
        (EmotionalTask.RECOGNITION, Split.TEST, SUBMISSION, "no submission holds unranked tasks"),
    ],
)
def test_what_a_layout_has_no_place_for_is_refused(
    task: EmotionalTask, split: Split, options: Track1Options, why: str
) -> None:
    emotions = (ANGER,) if task.single_turn else (ANGER, SAD, NEUTRAL)
    with pytest.raises(RecordError, match=why) as caught:
        export([emotional_timeline(emotions, task, split=split, aloud=True)], options)
    assert caught.value.reason is Reason.NOT_EXPORTABLE


@pytest.mark.parametrize("layout", ["test", "submission"])
def test_generation_1_has_no_layout_that_it_never_published(layout: str) -> None:
    with pytest.raises(ValueError, match="leave generation at 2"):
        Track1Options(layout=Track1Layout(layout), generation=1)


def test_a_generation_numbers_every_task_once() -> None:
    numbers = {g: [task_number(task, g) for task in EmotionalTask] for g in (1, 2)}
    assert numbers == {1: [2, 3, 4, 1, 5], 2: [1, 2, 3, 4, 5]}

"""Numbers, ids and trees of HumDial Track 1, in both generations of its README.

===========  ==============================  =====================================  ===================
layout       lines                           audio                                  paths count from
===========  ==============================  =====================================  ===================
train, dev   ``train_jsonl/en/task1_3.jsonl``  ``train_jsonl/en/task1/<id>_1.wav``      the lines' folder
(gen 1)      ``train/en/task2_3.jsonl``        ``train/en/task2_3/<id>_1.wav``          the lines' folder
test         ``HD-Track1-Test/en/``            ``HD-Track1-Test/en/HD-Track1-T1/``      the lines' folder
             ``HD-Track1-T1.jsonl``            ``<id>_1.wav``
submission   ``HD-Track1/en/``                 ``HD-Track1/en/HD-Track1-T1/``           the export's root
             ``HD-Track1-T1.jsonl``            ``<id>_1_response.wav``
===========  ==============================  =====================================  ===================

Official: the trees of generation 1, of the test set and of a submission (whose README names an audio folder for
task 3 alone), and the form of ids for tasks 1 and 2.

Inferred, as no document shows them: the tree of generation 2 (from a path in `convert_data.py` and from the
examples of `split_audio_file` and `input_audio`); that ids carry the numbers of their generation; `task4_1` and
`task5_1` for single turns and `task3_n` for empathy (whose official items seem to borrow the ids of tasks 1
and 2); `HD-Track1-T4` and `-T5` in the test tree; `HD-Track1-T1` and `-T2` as audio folders of a submission.
"""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.domain.emotional import EmotionalTask
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason


class Track1Layout(StrEnum):
    """The four shapes in which HumDial Track 1 data go around."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"
    SUBMISSION = "submission"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dialogue is in the tree; paths are relative to the export's root."""

    lines: str
    """The JSONL file that holds its line."""
    audio: str
    """The folder of its user audio."""
    responses: str
    """The folder of its response audio: in the tree of a submission, else beside the official one."""
    base: str
    """The folder that paths in the line count from, with `/` at its end; empty: the root."""


_GENERATION_1 = {
    EmotionalTask.RECOGNITION: 1,
    EmotionalTask.TRAJECTORY: 2,
    EmotionalTask.REASONING: 3,
    EmotionalTask.EMPATHY: 4,
    EmotionalTask.GENERATION: 5,
}
RANKED = frozenset({EmotionalTask.TRAJECTORY, EmotionalTask.REASONING, EmotionalTask.EMPATHY})


def task_number(task: EmotionalTask, generation: int) -> int:
    """The number that a generation of the README gives a task.

    >>> task_number(EmotionalTask.TRAJECTORY, 1), task_number(EmotionalTask.TRAJECTORY, 2)
    (2, 1)
    """
    return _GENERATION_1[task] if generation == 1 else task.number


def dialogue_name(task: EmotionalTask, turns: int, language: Language, number: str, generation: int) -> str:
    """The id of a dialogue from its `<speaker>_<number>`.

    >>> dialogue_name(EmotionalTask.REASONING, 4, Language.ZH, "0007_0042", 2)
    'task2_4_zh_0007_0042'
    """
    return f"task{task_number(task, generation)}_{turns}_{language.value}_{number}"


def place_of(
    layout: Track1Layout, task: EmotionalTask, turns: int, language: Language, generation: int
) -> Place:
    """Where a dialogue goes. Raises RecordError where the layout has no place for its task."""
    number, spoken = task_number(task, generation), language.value
    responses = f"responses/{spoken}"
    if layout is Track1Layout.SUBMISSION:
        if task not in RANKED:
            raise _no_place(layout, task, generation, "no submission holds unranked tasks")
        top = f"HD-Track1/{spoken}/HD-Track1-T{number}"
        return Place(f"{top}.jsonl", f"test_jsonl/{spoken}/task{number}", top, "")
    if layout is Track1Layout.TEST:
        if generation == 1:
            raise _no_place(layout, task, generation, "generation 1 published no test set")
        top = f"HD-Track1-Test/{spoken}/"
        return Place(f"{top}HD-Track1-T{number}.jsonl", f"{top}HD-Track1-T{number}", responses, top)
    if generation == 1:
        name = _generation_1_name(layout, task, turns)
        top = f"{layout.value}/{spoken}/"
        return Place(f"{top}{name}.jsonl", f"{top}{name}", responses, top)
    top = f"{layout.value}_jsonl/{spoken}/"
    return Place(f"{top}task{number}_{turns}.jsonl", f"{top}task{number}", responses, top)


def _generation_1_name(layout: Track1Layout, task: EmotionalTask, turns: int) -> str:
    number = task_number(task, 1)
    if task is EmotionalTask.GENERATION:
        raise _no_place(layout, task, 1, "its README has no folder for it")
    if layout is Track1Layout.DEV:
        return f"task{number}"
    if task is EmotionalTask.EMPATHY:
        raise _no_place(layout, task, 1, "it is in dev alone")
    return f"task{number}" if task.single_turn else f"task{number}_{turns}"


def _no_place(layout: Track1Layout, task: EmotionalTask, generation: int, why: str) -> RecordError:
    return RecordError(
        Reason.NOT_EXPORTABLE,
        f"humdial-track1, {layout.value} layout, generation {generation}: no place for task {task.value}: {why}; "
        "choose another layout or generation, or leave it out",
    )

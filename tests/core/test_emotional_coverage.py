"""How evenly a run covers what it was to cover."""

import pytest

from pipeline.core.emotional_coverage import CoverageTally, EmotionalCoverage, coverage_note, coverage_tables
from pipeline.core.emotional_plan import TRANSITIONS
from pipeline.domain.emotional import EmotionalTask
from pipeline.domain.labels import Emotion, Gender, Language
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Timeline
from tests.core.exports.build import scene_timeline
from tests.core.exports.emotional import emotional_timeline

ANGER, HAPPY, SAD, NEUTRAL = Emotion.ANGER, Emotion.HAPPY, Emotion.SAD, Emotion.NEUTRAL


def coverage_of(*timelines: Timeline) -> EmotionalCoverage:
    tally = CoverageTally()
    for timeline in timelines:
        tally.add(timeline)
    found = tally.coverage()
    assert found is not None
    return found


def test_dialogues_are_counted_by_task_language_and_turns() -> None:
    coverage = coverage_of(
        emotional_timeline((ANGER, SAD, NEUTRAL)),
        emotional_timeline((ANGER, SAD, NEUTRAL)),
        emotional_timeline((ANGER, ANGER, HAPPY, NEUTRAL), EmotionalTask.REASONING, language=Language.ZH),
    )
    assert [(row.task.number, row.language.value, row.turns, row.dialogues) for row in coverage.tasks] == [
        (1, "en", 3, 2),
        (2, "zh", 4, 1),
    ]
    assert coverage.labels[ANGER] == 4
    assert coverage.labels[NEUTRAL] == 3
    assert coverage.genders == {Gender.FEMALE: 3, Gender.MALE: 0}


def test_the_first_change_of_feeling_counts_and_absent_ones_are_there_too() -> None:
    coverage = coverage_of(emotional_timeline((ANGER, ANGER, HAPPY, NEUTRAL)))
    assert len(coverage.transitions) == len(TRANSITIONS) == 42
    assert {change: n for change, n in coverage.transitions.items() if n} == {"anger -> happy": 1}
    assert coverage.worst_transition == ("anger -> happy", 42.0)


def test_user_hours_are_what_users_are_heard() -> None:
    timeline = emotional_timeline(aloud=True)
    heard = sum(len(s.span) for s in timeline.supervisions if s.speaker.value == "user")
    (row,) = coverage_of(timeline).tasks
    assert row.user_hours == pytest.approx(heard / timeline.sampling_rate / 3600, abs=1e-6)


def test_other_recipes_have_no_coverage() -> None:
    tally = CoverageTally()
    tally.add(scene_timeline(Scene.FOLLOW_UP_QUESTION))
    assert tally.coverage() is None


def test_tables_name_every_label_topic_and_change() -> None:
    coverage = coverage_of(emotional_timeline())
    tasks, labels, topics, genders, changes = coverage_tables(coverage)
    assert tasks[-1][0] == "total"
    assert labels[0][1:] == tuple(emotion.value for emotion in Emotion)
    assert len(topics[0]) == 13
    assert genders[1] == ("", "1", "0")
    assert len(changes) == 8
    assert "nobody judged" in coverage_note(coverage)

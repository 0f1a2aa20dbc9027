"""Who feels what, over a dataset."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.emotion_labels import LABELS, emotion_of
from pipeline.core.emotional_plan import TRANSITIONS, EmotionalConfig, EmotionalDealer, emotions_of
from pipeline.core.emotional_topics import topic_of
from pipeline.domain.emotional import EmotionalAssignment, EmotionalTask, Topic, check_trajectory
from pipeline.domain.labels import Emotion, Gender, Language
from pipeline.domain.seed import SeedDialogue
from tests.stages.doubles import seed_of

PLAIN = ("Something happened yesterday.", "What was it?")


def seeds(labels: list[str | None]) -> list[SeedDialogue]:
    """One seed per label, felt by who speaks first."""
    made = []
    for number, label in enumerate(labels):
        seed = seed_of(f"{number:04d}", PLAIN)
        first = seed.turns[0].model_copy(update={"emotion": label})
        made.append(seed.model_copy(update={"turns": (first, *seed.turns[1:])}))
    return made


def deal(labels: list[str | None], config: EmotionalConfig | None = None) -> list[EmotionalAssignment]:
    dealer = EmotionalDealer(config or EmotionalConfig())
    return [dealer.deal(seed) for seed in seeds(labels)]


def test_no_change_of_feeling_exceeds_its_share_by_more_than_half() -> None:
    counts = Counter(one.transition for one in deal([None] * 420))
    assert set(counts) == set(TRANSITIONS)
    assert max(counts.values()) <= 1.5 * 420 / len(TRANSITIONS)


def test_a_corpus_of_one_feeling_does_not_tip_the_balance() -> None:
    dealt = deal(["joy"] * 840)
    counts = Counter(one.transition for one in dealt)
    assert max(counts.values()) <= 1.5 * 840 / len(TRANSITIONS)


def test_a_seed_that_feels_something_starts_its_dialogue_where_the_balance_allows() -> None:
    labels: list[str | None] = ["anger", "joy", "fear", "sadness", "surprise", "disgust"] * 40
    dealt = deal(labels)
    kept = sum(
        one.transition is not None and one.transition[0] is emotion_of(label or "")
        for one, label in zip(dealt, labels, strict=True)
    )
    assert kept / len(dealt) > 0.6  # by chance: one in seven


@given(st.integers(1, 120), st.integers(0, 60))
def test_a_seed_appended_changes_no_other(count: int, more: int) -> None:
    labels: list[str | None] = [(None, "joy", "mad")[i % 3] for i in range(count + more)]
    assert deal(labels)[:count] == deal(labels[:count])


def test_tasks_turns_topics_and_genders_are_dealt_in_their_shares() -> None:
    dealt = deal([None] * 360)
    assert Counter(one.task for one in dealt) == {EmotionalTask.TRAJECTORY: 180, EmotionalTask.REASONING: 180}
    assert Counter(len(one.emotions) for one in dealt) == {3: 120, 4: 120, 5: 120}
    assert set(Counter(one.topic for one in dealt).values()) == {360 // len(Topic)}
    assert Counter(one.gender for one in dealt) == {Gender.FEMALE: 180, Gender.MALE: 180}


@given(
    st.sampled_from([EmotionalTask.TRAJECTORY, EmotionalTask.REASONING, EmotionalTask.EMPATHY]),
    st.integers(3, 5),
    st.sampled_from([pair for pair in TRANSITIONS if Emotion.NEUTRAL not in pair]),
)
def test_every_change_becomes_a_trajectory_that_can_be_scored(
    task: EmotionalTask, turns: int, pair: tuple[Emotion, Emotion]
) -> None:
    emotions = emotions_of(task, turns, *pair)
    assert len(emotions) == turns
    check_trajectory(task, emotions)
    if task is EmotionalTask.EMPATHY:
        assert sum(emotion is not Emotion.NEUTRAL for emotion in emotions) == 2


@pytest.mark.parametrize(
    ("task", "emotions", "named"),
    [
        (EmotionalTask.TRAJECTORY, "anger neutral", "3 to 5"),
        (EmotionalTask.TRAJECTORY, "anger happy sad", "neutral question"),
        (EmotionalTask.TRAJECTORY, "anger anger neutral", "nothing changes"),
        (EmotionalTask.REASONING, "neutral anger neutral", "fewer than two"),
        (EmotionalTask.EMPATHY, "neutral sad neutral", "fewer than two"),
        (EmotionalTask.RECOGNITION, "sad sad", "one turn"),
    ],
)
def test_a_trajectory_that_cannot_be_asked_about_is_refused(
    task: EmotionalTask, emotions: str, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        check_trajectory(task, tuple(Emotion(name) for name in emotions.split()))


def test_single_turn_tasks_have_one_turn() -> None:
    config = EmotionalConfig(tasks={EmotionalTask.RECOGNITION: 1.0, EmotionalTask.GENERATION: 1.0})
    dealt = deal([None] * 70, config)
    assert {len(one.emotions) for one in dealt} == {1}
    assert set(Counter(one.emotions[0] for one in dealt).values()) == {10}


@pytest.mark.parametrize(
    "keys", [{"turns": {2: 1.0}}, {"tasks": {"trajectory": 0.0}}, {"tasks": {"jokes": 1.0}}]
)
def test_an_impossible_mix_is_refused(keys: dict[str, dict[str, float]]) -> None:
    with pytest.raises(ValidationError):
        EmotionalConfig.model_validate(keys)


@pytest.mark.parametrize(
    ("label", "emotion"),
    [
        ("Joyful", Emotion.HAPPY),
        ("worried", Emotion.FEAR),
        ("ANGER", Emotion.ANGER),
        ("powerful", None),
        ("?", None),
    ],
)
def test_labels_of_corpora_are_mapped_or_left_alone(label: str, emotion: Emotion | None) -> None:
    assert emotion_of(label) is emotion


def test_every_mapped_label_is_one_that_could_be_looked_up() -> None:
    assert all(label == label.strip().lower() for label in LABELS)


@pytest.mark.parametrize(
    ("language", "text", "topic"),
    [
        (Language.EN, "My landlord raised the rent for the apartment.", Topic.HOME),
        (Language.ZH, "我们公司今天又要加班，老板真是的。", Topic.WORK),
        (Language.EN, "Hm, I see.", None),
        (Language.EN, "The dog is in the house.", None),
    ],
)
def test_a_topic_is_told_by_its_words_or_not_at_all(
    language: Language, text: str, topic: Topic | None
) -> None:
    assert topic_of(seed_of("a", (text, "Oh."), language)) is topic

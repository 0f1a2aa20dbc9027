"""The embedded author's emotional dialogues, made and judged as the script stage makes and judges them."""

import asyncio
import os
import re
from collections import Counter
from functools import cache
from itertools import chain, product, zip_longest
from pathlib import Path

import pytest

from pipeline.backends.offline.emotional_answer import as_told
from pipeline.backends.offline.emotional_bank import load_emotional_bank
from pipeline.backends.offline.emotional_outline import gendered
from pipeline.backends.offline.emotional_seed import own_words
from pipeline.backends.offline.emotional_sounds import SOUNDS
from pipeline.core.emotional_plan import TRANSITIONS, EmotionalConfig, emotions_of
from pipeline.core.scripting.emotional_checks import check_names
from pipeline.core.scripting.emotional_steps import (
    EmotionalDialogue,
    EmotionalOutline,
    EmotionalWriteInput,
    TurnToWrite,
)
from pipeline.core.scripting.steps import Line
from pipeline.domain.emotional import EmotionalAssignment, EmotionalTask, Intensity, Topic
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Gender, Language, Speaker
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora import CORPORA
from tests.backends.offline_conversations import Asking, demo_seeds
from tests.backends.offline_emotional import SMALL_TALK, Made, deal_and_make, make
from tests.stages.doubles import seed_of

_DEFAULT = Path(__file__).parents[2].parent / "shared" / "data"
TEXT = Path(os.environ.get("HUMDIAL_SHARED_DATA", _DEFAULT)) / "text"
LABELLED = {
    Language.EN: {
        "meld": "meld/dev_sent_emo.csv",
        "emorynlp": "emorynlp/emorynlp_dev_final.csv",
        "xdailydialog": "xdailydialog/en_dev_human.txt",
        "esconv": "esconv/FailedESConv.json",
    },
    Language.ZH: {"cped": "cped/valid_split.csv", "xdailydialog": "xdailydialog/zh_dev_human.txt"},
}
"""Slices of corpora whose turns or dialogues are labelled with feelings."""
RUN = 300
DIALOGUES = (EmotionalTask.TRAJECTORY, EmotionalTask.REASONING, EmotionalTask.EMPATHY)
ASKING = DIALOGUES[:2]
LANGUAGES = pytest.mark.parametrize("language", list(Language))


@cache
def run(language: Language) -> tuple[Made, ...]:
    """A run over the demo seeds; a dialogue that would be refused ends it."""
    return tuple(deal_and_make(demo_seeds(language), RUN))


def assignment(
    task: EmotionalTask,
    emotions: tuple[Emotion, ...],
    topic: Topic = Topic.HOME,
    gender: Gender = Gender.FEMALE,
) -> EmotionalAssignment:
    return EmotionalAssignment(task=task, topic=topic, gender=gender, emotions=emotions)


def able(task: EmotionalTask, turns: int) -> list[tuple[Emotion, Emotion]]:
    """Changes that a dialogue of this length can hold."""
    roomy = turns >= 4 and task is not EmotionalTask.EMPATHY
    return [pair for pair in TRANSITIONS if roomy or Emotion.NEUTRAL not in pair]


@LANGUAGES
@pytest.mark.parametrize(("task", "turns"), list(product(DIALOGUES, (3, 4, 5))))
def test_every_change_of_feeling_is_written_in_every_task_and_length(
    language: Language, task: EmotionalTask, turns: int
) -> None:
    topics = list(Topic)
    for number, pair in enumerate(able(task, turns)):
        if number % 3 != turns % 3:
            continue  # each change in one length and all tasks; the runs below add the others
        topic = topics[(number + turns) % len(topics)]
        emotions = emotions_of(task, turns, *pair)
        made = make(seed_of("talk", SMALL_TALK, language), assignment(task, emotions, topic), f"{pair}")
        assert len(made.user_turns) == len(made.responses) == turns
        assert made.script.arc is not None
        assert tuple(feeling.emotion for feeling in made.script.arc.feelings) == emotions


@LANGUAGES
@pytest.mark.parametrize("task", [EmotionalTask.RECOGNITION, EmotionalTask.GENERATION])
@pytest.mark.parametrize("emotion", list(Emotion))
def test_single_turns_have_no_response(language: Language, task: EmotionalTask, emotion: Emotion) -> None:
    made = make(seed_of("talk", SMALL_TALK, language), assignment(task, (emotion,)), "one")
    assert len(made.user_turns) == 1
    assert made.responses == ()


@LANGUAGES
def test_a_run_over_the_demo_seeds_is_written_without_a_refusal(language: Language) -> None:
    assert len(run(language)) == RUN
    assert len({made.user_turns + made.responses for made in run(language)}) == RUN


@LANGUAGES
def test_no_frame_is_in_more_than_a_tenth_of_the_dialogues(language: Language) -> None:
    shares = Counter(frame for made in run(language) for frame in made.frames)
    most, count = shares.most_common(1)[0]
    assert count <= 0.10 * RUN, (most, count)


@LANGUAGES
def test_feelings_are_named_by_the_user_only_where_that_was_drawn(language: Language) -> None:
    naming = 0
    for made in run(language):
        given = made.asking.given["emotional_write"]
        assert isinstance(given, EmotionalWriteInput)
        assert made.script.arc is not None
        try:
            check_names(made.user_turns, made.script.arc.feelings, language, allowed=0)
        except RecordError:
            naming += 1
            assert given.names_feeling
    assert 0 < naming <= 0.15 * RUN  # a tenth on average


@LANGUAGES
def test_answers_go_through_all_turns_in_order(language: Language) -> None:
    """Every label of the course stands in the trajectory's answer, in order, and no other one."""
    bank = load_emotional_bank(language)
    labels = {emotion: forms["label"] for emotion, forms in bank.labels.items()}
    found = 0
    for made in run(language):
        arc = made.script.arc
        assert arc is not None
        if arc.task is not EmotionalTask.TRAJECTORY:
            continue
        felt = [feeling.emotion for feeling in arc.feelings[:-1]]
        said = {feeling.said_as for feeling in arc.feelings if feeling.said_as is not None}
        answer = made.responses[-1]
        places = [answer.index(labels[emotion]) for emotion in dict.fromkeys(felt)]
        assert places == sorted(places), answer
        others = [label for emotion, label in labels.items() if emotion not in {*felt, *said}]
        assert [label for label in others if re.search(rf"\b{label}\b|{label}(?=[，。、到的])", answer)] == []
        found += 1
    assert found == RUN // 2


@LANGUAGES
def test_answers_name_every_event_that_was_told(language: Language) -> None:
    """Of feelings that went on, too."""
    bank = load_emotional_bank(language)
    for made in run(language):
        situation = bank.situation(made.script.topic)
        assert situation is not None
        groups = (*situation.beats.values(), *bank.dwell.values())
        told = [beat for group in groups for beat in group if beat.say.frame_id in made.frames]
        assert len(told) == len(made.user_turns) - 1
        answer = made.responses[-1].casefold()
        for beat in told:
            assert as_told(beat.cause, language).casefold() in answer, (beat.cause, answer)


@LANGUAGES
def test_the_reason_is_the_assistants_to_find(language: Language) -> None:
    """What is at stake is in the answer, and in nothing that the user says."""
    bank = load_emotional_bank(language)
    for made in run(language):
        assert made.script.arc is not None
        situation = bank.situation(made.script.topic)
        assert situation is not None
        if made.script.arc.task is EmotionalTask.REASONING:
            assert situation.stake in made.responses[-1]
            assert all(situation.stake not in turn for turn in made.user_turns)


@LANGUAGES
def test_sounds_fit_the_voice(language: Language) -> None:
    heard: Counter[Emotion] = Counter()
    for made in run(language):
        for utterance in made.script.utterances:
            for place in utterance.tags:
                assert place.tag in {tag for tag, _ in SOUNDS[utterance.emotion]}
                heard[utterance.emotion] += 1
    assert set(heard) == set(Emotion) - {Emotion.NEUTRAL}


@LANGUAGES
def test_words_in_conflict_say_the_other_feeling_in_the_same_situation(language: Language) -> None:
    bank = load_emotional_bank(language)
    config = EmotionalConfig(conflict_share=1.0)
    seeds = demo_seeds(language)
    for made in deal_and_make(seeds, 30, config):
        assert made.script.arc is not None
        situation = bank.situation(made.script.topic)
        assert situation is not None
        conflicts = [
            (feeling, text)
            for feeling, text in zip(made.script.arc.feelings, made.user_turns, strict=True)
            if feeling.said_as is not None
        ]
        assert len(conflicts) == 1
        feeling, text = conflicts[0]
        assert feeling.said_as is not None
        known = (*situation.beats[feeling.said_as], *bank.dwell[feeling.said_as])
        assert any(beat.say.text[:8] in text for beat in known), text


@LANGUAGES
def test_a_feeling_that_stays_brings_something_new_each_time(language: Language) -> None:
    """Three turns of one feeling: two events of the situation, and one that only dwells on them."""
    emotions = (*(Emotion.FEAR,) * 3, Emotion.NEUTRAL, Emotion.NEUTRAL)
    made = make(seed_of("talk", SMALL_TALK, language), assignment(EmotionalTask.TRAJECTORY, emotions), "stay")
    bank = load_emotional_bank(language)
    situation = bank.situation(made.script.topic)
    assert situation is not None
    ids = {beat.say.frame_id for beat in situation.beats[Emotion.FEAR]}
    dwelt = {beat.say.frame_id for beat in bank.dwell[Emotion.FEAR]}
    assert ids <= made.frames
    assert len(dwelt & made.frames) == 1


@LANGUAGES
def test_danger_is_never_mild(language: Language) -> None:
    bank = load_emotional_bank(language)
    for made in run(language):
        outlined = made.asking.replies["emotional_outline"]
        assert isinstance(outlined, EmotionalOutline)
        situation = bank.situation(outlined.matter)
        assert situation is not None
        mild = {turn.cause for turn in outlined.turns if turn.intensity is Intensity.MILD}
        for beat in situation.beats[Emotion.FEAR]:
            assert beat.mild or beat.cause not in mild


@LANGUAGES
def test_personas_fit_the_gender_of_the_voice(language: Language) -> None:
    bank = load_emotional_bank(language)
    for made in run(language):
        assert made.script.arc is not None
        situation = bank.situation(made.script.topic)
        gender = made.script.user_gender
        assert situation is not None
        assert gender is not None
        assert made.script.arc.persona in {gendered(text, gender) for text in situation.personas}


@pytest.mark.parametrize(
    ("language", "line", "topic", "emotion", "own"),
    [
        (
            Language.EN,
            "Hi. I miss the old kitchen and I cry at every box.",
            Topic.HOME,
            Emotion.SAD,
            "I miss the old kitchen and I cry at every box",
        ),
        (Language.EN, "I miss the kitchen that you had.", Topic.HOME, Emotion.SAD, None),
        (Language.EN, "I miss Barbara in the kitchen every day.", Topic.HOME, Emotion.SAD, None),
        (Language.EN, "I miss the old kitchen, and I enjoy the new one.", Topic.HOME, Emotion.SAD, None),
        (Language.EN, "I cry over 3 boxes in the kitchen.", Topic.HOME, Emotion.SAD, None),
        (Language.EN, "I cry about all and everything all day long.", Topic.HOME, Emotion.SAD, None),
        (Language.EN, "I miss the old kitchen and I am sad.", Topic.HOME, Emotion.SAD, None),
        (
            Language.ZH,
            "我一想到搬家就哭，舍不得老厨房。",
            Topic.HOME,
            Emotion.SAD,
            "我一想到搬家就哭，舍不得老厨房",
        ),
        (Language.ZH, "我一想到他搬家就哭得不行。", Topic.HOME, Emotion.SAD, None),
        (Language.ZH, "我一想到搬家就哭，很伤心。", Topic.HOME, Emotion.SAD, None),
    ],
)
def test_a_seeds_sentence_is_used_if_it_stands_on_its_own(
    language: Language, line: str, topic: Topic, emotion: Emotion, own: str | None
) -> None:
    lines = (Line(speaker=Speaker.USER, text=line), Line(speaker=Speaker.ASSISTANT, text=line))
    assert own_words(lines, emotion, topic, load_emotional_bank(language)) == own


@pytest.mark.parametrize(
    ("language", "line"),
    [
        (Language.EN, "I miss the old kitchen and I cry at every box."),
        (Language.ZH, "我一想到搬家就哭，舍不得老厨房。"),
    ],
)
@pytest.mark.parametrize("task", ASKING)
def test_a_seeds_own_words_open_the_dialogue_and_are_quoted_in_the_answer(
    language: Language, line: str, task: EmotionalTask
) -> None:
    seed = seed_of("own", (line, "Oh." if language is Language.EN else "哦。"), language)
    emotions = (Emotion.SAD, Emotion.HAPPY, Emotion.NEUTRAL)
    made = make(seed, assignment(task, emotions), "own", EmotionalConfig(conflict_share=0.0))
    words = line.rstrip(".。")
    assert made.user_turns[0].startswith(words)
    assert words in made.responses[-1]


def test_the_seeds_words_point_to_the_situation() -> None:
    seed = seed_of("leak", ("The roof of our house has a water leak, we need a repair.", "Oh no."))
    emotions = (Emotion.SAD, Emotion.HAPPY, Emotion.NEUTRAL)
    matters = {
        make(seed, assignment(EmotionalTask.TRAJECTORY, emotions), f"leak-{n}").script.topic for n in range(8)
    }
    assert matters == {"A water leak in an old house"}


@pytest.mark.parametrize("emotions", [(Emotion.ANGER, Emotion.HAPPY) * 2 + (Emotion.NEUTRAL,)])
@LANGUAGES
def test_a_feeling_that_comes_back_has_a_cause_of_its_own(
    language: Language, emotions: tuple[Emotion, ...]
) -> None:
    made = make(seed_of("talk", SMALL_TALK, language), assignment(EmotionalTask.TRAJECTORY, emotions), "back")
    assert made.script.arc is not None
    causes = [feeling.cause for feeling in made.script.arc.feelings[:-1]]
    assert None not in causes
    assert len(set(causes)) == 4


def test_the_same_request_is_answered_the_same_way() -> None:
    seed = demo_seeds(Language.EN)[0]
    given = assignment(EmotionalTask.REASONING, (Emotion.SAD, Emotion.ANGER, Emotion.NEUTRAL))
    first, second = (make(seed, given, "twice") for _ in range(2))
    other = make(seed, given, "twice", root_seed=2)
    assert first.script == second.script
    assert first.script != other.script


def test_an_outline_by_somebody_else_is_refused() -> None:
    given = EmotionalWriteInput(
        dialogue_id="x",
        language=Language.EN,
        task=EmotionalTask.TRAJECTORY,
        topic=Topic.HOME,
        persona="a tenant",
        matter="a flood on the moon",
        turns=tuple(
            TurnToWrite(
                turn=f"t{n}",
                emotion=Emotion.SAD,
                said_as=None,
                intensity=Intensity.CLEAR,
                cause=None,
                sound=False,
                question=False,
            )
            for n in (1, 2, 3)
        ),
        names_feeling=False,
    )
    with pytest.raises(RecordError, match="a flood on the moon") as refused:
        asyncio.run(Asking(1)("emotional_write", given, EmotionalDialogue, lambda reply: reply))
    assert refused.value.reason is Reason.INVALID_REPLY


def read(language: Language) -> tuple[SeedDialogue, ...]:
    """Seeds of the labelled slices, one corpus after the other."""
    pools = []
    for corpus, name in LABELLED[language].items():
        path = TEXT / language.value / name
        if not path.exists():
            pytest.skip(f"no {language.value}/{name} in {TEXT}: set HUMDIAL_SHARED_DATA to the real corpora")
        found = CORPORA[corpus].read(path, language)
        pools.append([seed for seed in found if not isinstance(seed, Refusal)])
    return tuple(seed for seed in chain(*zip_longest(*pools)) if seed is not None)


@LANGUAGES
def test_real_seeds_with_labels_are_written_without_a_refusal(language: Language) -> None:
    made = list(deal_and_make(read(language), 60))
    assert len({one.user_turns for one in made}) == 60

"""The prompts of the `emotional` recipe: their few-shots are accepted, their judges see what they will see."""

import asyncio
import json
import re
from collections.abc import Callable
from itertools import groupby
from typing import TypeVar

import pytest
from pydantic import JsonValue

from pipeline.core.emotional_plan import EmotionalConfig
from pipeline.core.scripting import emotional, emotional_review
from pipeline.core.scripting.emotional import (
    Manner,
    accept_outline,
    arc_of,
    compose_emotional,
    turns_to_write,
)
from pipeline.core.scripting.emotional_checks import check_question
from pipeline.core.scripting.emotional_review import review_emotional
from pipeline.core.scripting.emotional_steps import (
    EmotionalDialogue,
    EmotionalInput,
    EmotionalOutline,
    EmotionalWriteInput,
    Judged,
    JudgedTurn,
    JudgeInput,
    RubricInput,
    RubricScore,
)
from pipeline.core.scripting.tags import split_tags
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import EmotionalArc, EmotionalAssignment, EmotionalTask, Tag, Topic
from pipeline.domain.labels import Emotion, Language, Recipe, Split
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan, Script
from pipeline.io.prompts import Example
from pipeline.stages.author_config import ReviewConfig
from tests.io.test_prompts import HOSTILE
from tests.io.test_prompts_few_shots import LIBRARY, parsed, plan_of, shots
from tests.io.test_prompts_heads import OPENERS, examples_of, head_of, instructions_of, strings_of

T = TypeVar("T", bound=Record)
A = TypeVar("A")

NAMES = (*emotional.PROMPTS, *emotional_review.PROMPTS)
RUBRICS = tuple(name for name in NAMES if name.startswith("script/rubric_"))
TALKS = tuple(shots("emotional_write"))
QUOTED = re.compile("“(.+?)”")
CHINESE_LABELS = {
    Emotion.HAPPY: "开心",
    Emotion.SAD: "难过",
    Emotion.ANGER: "愤怒",
    Emotion.FEAR: "害怕",
    Emotion.NEUTRAL: "平静",
    Emotion.SURPRISE: "惊讶",
    Emotion.DISGUST: "厌恶",
}
"""What responses call the labels in Chinese: the prompt fixes one word for each."""


def told(dialogue_id: str) -> tuple[EmotionalInput, EmotionalOutline, EmotionalWriteInput, EmotionalDialogue]:
    """Question and answer of both steps of one dialogue."""
    first, second = shots("emotional_outline")[dialogue_id], shots("emotional_write")[dialogue_id]
    return (
        parsed(first.input, EmotionalInput),
        parsed(first.reply, EmotionalOutline),
        parsed(second.input, EmotionalWriteInput),
        parsed(second.reply, EmotionalDialogue),
    )


def talks_of(task: EmotionalTask) -> list[str]:
    return [name for name in TALKS if told(name)[0].task is task]


def arc_and_manner(dialogue_id: str) -> tuple[EmotionalArc, Manner, EmotionalAssignment]:
    given, outline, to_write, _ = told(dialogue_id)
    manner = Manner(
        said_as=tuple(turn.said_as for turn in to_write.turns),
        sound=tuple(turn.sound for turn in to_write.turns),
        names_feeling=to_write.names_feeling,
    )
    assigned = EmotionalAssignment(
        task=given.task, topic=given.topic, gender=given.gender, emotions=given.emotions
    )
    return arc_of(assigned, accept_outline(outline, assigned, given.language), manner), manner, assigned


def script_of(dialogue_id: str) -> Script:
    given, outline, _, written = told(dialogue_id)
    arc, manner, assigned = arc_and_manner(dialogue_id)
    seed = plan_of(dialogue_id, given.language, given.seed_topic, given.lines, None).seed
    plan = DialoguePlan(
        dialogue_id=dialogue_id,
        seed=seed,
        recipe=Recipe.EMOTIONAL,
        scene=None,
        split=Split.TRAIN,
        emotional=assigned,
    )
    return compose_emotional(plan, arc, written.turns, manner, outline.matter, spoken_responses=True)


# --- the two steps


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_few_shots_of_both_steps_are_one_dialogue_that_code_accepts(dialogue_id: str) -> None:
    given, outline, to_write, written = told(dialogue_id)
    arc, manner, _ = arc_and_manner(dialogue_id)
    assert to_write.turns == turns_to_write(arc, manner)
    assert (to_write.persona, to_write.matter) == (outline.persona, outline.matter)
    assert (to_write.task, to_write.topic) == (given.task, given.topic)
    script = script_of(dialogue_id)
    assert script.arc == arc
    assert len({utterance.turn for utterance in script.utterances}) == 2 * len(written.turns)


@pytest.mark.parametrize("language", list(Language))
def test_few_shots_show_every_task_of_several_turns_conflict_and_both_kinds_of_sound(
    language: Language,
) -> None:
    inputs = [told(name)[2] for name in TALKS if told(name)[2].language is language]
    assert {one.task for one in inputs} == {task for task in EmotionalTask if not task.single_turn}
    turns = [turn for one in inputs for turn in one.turns]
    assert sum(turn.said_as is not None for turn in turns) == 1
    assert {turn.sound for turn in turns} == {one.names_feeling for one in inputs} == {True, False}
    assert {turn.intensity.value for turn in turns} >= {"clear", "strong"}


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_few_shots_make_one_sound_exactly_where_one_is_wanted(dialogue_id: str) -> None:
    _, _, to_write, written = told(dialogue_id)
    sounds = [len(split_tags(turn.text)[1]) for turn in written.turns]
    assert sounds == [int(turn.sound) for turn in to_write.turns]
    assert not any("[" in turn.response for turn in written.turns)


ANSWER_LENGTHS = {
    (EmotionalTask.TRAJECTORY, Language.EN): (2, 4, 30, 80),
    (EmotionalTask.TRAJECTORY, Language.ZH): (2, 4, 45, 120),
    (EmotionalTask.REASONING, Language.EN): (3, 5, 40, 90),
    (EmotionalTask.REASONING, Language.ZH): (3, 5, 60, 150),
    (EmotionalTask.EMPATHY, Language.EN): (2, 3, 30, 70),
    (EmotionalTask.EMPATHY, Language.ZH): (2, 3, 40, 120),
}
"""Sentences from, to; words or characters from, to: of the one response that a task is scored by."""


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_few_shots_keep_the_lengths_that_the_prompts_ask_for(dialogue_id: str) -> None:
    given, outline, to_write, written = told(dialogue_id)
    zh = given.language is Language.ZH
    _check_count(outline.persona, (6, 25) if zh else (4, 15))
    _check_count(outline.matter, (12, 40) if zh else (8, 25))
    for row in outline.turns:
        if row.cause is not None:
            _check_count(row.cause, (5, 20) if zh else (4, 12))
    felt = [number for number, emotion in enumerate(given.emotions) if emotion is not Emotion.NEUTRAL]
    for number, (turn, line) in enumerate(zip(to_write.turns, written.turns, strict=True)):
        text = split_tags(line.text)[0]
        _check_count(text, ((8, 35) if zh else (5, 25)) if turn.question else ((12, 55) if zh else (8, 35)))
        fewest, most, shortest, longest = 1, 3, 15 if zh else 10, 80 if zh else 50
        if turn.question or (given.task is EmotionalTask.EMPATHY and number == felt[1]):
            fewest, most, shortest, longest = ANSWER_LENGTHS[given.task, given.language]
        _check_count(line.response, (shortest, longest))
        assert fewest <= len(_sentences(line.response)) <= most
        assert 1 <= len(_sentences(text)) <= 3
        for sentence in (*_sentences(text), *_sentences(line.response)):
            assert len(words_of(sentence)) <= (50 if zh else 30)
            allowed = "，。？！；：、" if zh else " ,;:.?!'-"
            assert all(c.isalpha() or c in allowed for c in sentence), sentence


def _sentences(text: str) -> list[str]:
    return [part for part in re.findall(r"[^.?!。？！]+[.?!。？！]", text) if words_of(part)]


def _check_count(text: str, bounds: tuple[int, int]) -> None:
    assert bounds[0] <= len(words_of(text)) <= bounds[1], text


@pytest.mark.parametrize("dialogue_id", talks_of(EmotionalTask.TRAJECTORY))
def test_a_trajectory_is_answered_with_its_labels_in_order_and_no_other(dialogue_id: str) -> None:
    given, _, _, written = told(dialogue_id)
    words = {(CHINESE_LABELS[e] if given.language is Language.ZH else e.value): e for e in Emotion}
    found = [words[word] for word in re.findall("|".join(words), written.turns[-1].response)]
    stations = [emotion for emotion, _ in groupby(given.emotions[:-1])]
    assert [emotion for emotion, _ in groupby(found)] == stations


@pytest.mark.parametrize("language", list(Language))
def test_the_label_words_of_answers_stand_in_the_authors_and_the_judges_head(language: Language) -> None:
    for name in ("script/emotional_write", "script/rubric_trajectory"):
        head = instructions_of(name, language)
        for emotion in Emotion:
            chinese = f" {CHINESE_LABELS[emotion]}" if language is Language.ZH else ""
            assert f"{emotion.value}{chinese}" in head, (name, emotion)


@pytest.mark.parametrize("dialogue_id", talks_of(EmotionalTask.EMPATHY))
def test_an_empathy_few_shot_has_exactly_two_turns_that_are_not_neutral(dialogue_id: str) -> None:
    emotions = told(dialogue_id)[0].emotions
    assert sum(emotion is not Emotion.NEUTRAL for emotion in emotions) == 2
    assert len(parsed(shots("rubric_empathy")[dialogue_id].input, RubricInput).lines) < len(emotions)


# --- the judges


class Judge:
    """Answers with the few-shots, and only where it is asked just what they are asked; else finds every label."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.asked: list[str] = []
        self.few_shots: list[str] = []

    async def __call__(self, step: str, record: Record, output: type[T], accept: Callable[[T], A]) -> A:
        self.asked.append(step)
        example = shots(step).get(self._script.dialogue_id)
        if example is None:
            assert step == "emotion_judge"
            assert self._script.arc is not None
            rows = tuple(JudgedTurn(reason="", emotion=one.emotion) for one in self._script.arc.feelings)
            return accept(output.model_validate_json(Judged(turns=rows).to_line()))
        self.few_shots.append(step)
        assert json.loads(record.to_line()) == json.loads(parsed(example.input, type(record)).to_line())
        return accept(parsed(example.reply, output))


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_judges_see_in_few_shots_what_they_will_see_of_a_script_and_pass_it(dialogue_id: str) -> None:
    script = script_of(dialogue_id)
    task = told(dialogue_id)[0].task
    judge = Judge(script)
    reviewed, fault = asyncio.run(
        review_emotional(script, judge, EmotionalConfig().min_agreement, ReviewConfig().min_score)
    )
    assert fault is None
    assert judge.asked == ["emotion_judge", f"rubric_{task.value}"]
    assert judge.few_shots[-1] == f"rubric_{task.value}"
    assert {axis.score for axis in reviewed.review} == {5}


@pytest.mark.parametrize("dialogue_id", shots("emotion_judge"))
def test_a_judge_who_only_reads_finds_what_the_words_say(dialogue_id: str) -> None:
    """In conflict, that is not what the voice says."""
    to_write = told(dialogue_id)[2]
    judged = parsed(shots("emotion_judge")[dialogue_id].reply, Judged)
    assert [turn.emotion for turn in judged.turns] == [
        turn.said_as or turn.emotion for turn in to_write.turns
    ]


@pytest.mark.parametrize("dialogue_id", shots("emotion_judge"))
def test_reasons_for_a_feeling_quote_their_turn_and_are_short(dialogue_id: str) -> None:
    example = shots("emotion_judge")[dialogue_id]
    record, judged = parsed(example.input, JudgeInput), parsed(example.reply, Judged)
    for text, turn in zip(record.turns, judged.turns, strict=True):
        quotes = QUOTED.findall(turn.reason)
        assert quotes
        assert all(quote in text for quote in quotes), turn.reason
        assert len(words_of(turn.reason)) <= (30 if record.language is Language.ZH else 20), turn.reason


def scores_of(example: Example) -> dict[str, RubricScore]:
    found = {}
    for axis, value in example.reply.items():
        assert isinstance(value, dict)
        found[axis] = parsed(value, RubricScore)
    return found


@pytest.mark.parametrize("name", RUBRICS)
@pytest.mark.parametrize("language", list(Language))
def test_few_shots_of_a_rubric_show_every_score_and_quote_what_was_said(
    name: str, language: Language
) -> None:
    examples = examples_of(name, language)
    shown = [score for example in examples for score in scores_of(example).values()]
    assert {score.score for score in shown} == {1, 3, 5}
    for example in examples:
        said = [t for line in parsed(example.input, RubricInput).lines for t in (line.text, line.response)]
        for axis, score in scores_of(example).items():
            quotes = QUOTED.findall(score.reason)
            assert quotes, axis
            assert all(any(quote in text for text in said) for quote in quotes), (axis, quotes)
            assert len(words_of(score.reason)) <= (50 if language is Language.ZH else 30), (
                axis,
                score.reason,
            )


@pytest.mark.parametrize("name", RUBRICS)
@pytest.mark.parametrize("language", list(Language))
def test_a_rubric_explains_every_dimension_with_all_three_scores(name: str, language: Language) -> None:
    head = instructions_of(name, language)
    axes = list(LIBRARY.current(name).output.model_fields)
    blocks = re.split(rf"^(?:{'|'.join(axes)})[: ]", head, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(axes)
    wrong = {Language.EN: "in another language than English, every dimension is 1"}
    assert wrong.get(language, "如果大部分不是中文，所有维度都给 1") in head
    colon = "：" if language is Language.ZH else ":"
    for block in blocks:
        assert re.findall(rf"^- ([135]){colon}", block, re.MULTILINE) == ["5", "3", "1"]


# --- heads and tails


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", list(Language))
def test_a_head_is_equal_for_all_dialogues_and_fully_rendered(name: str, language: Language) -> None:
    heads = {LIBRARY.render(name, language, e.input).system for e in examples_of(name, language)}
    assert heads == {head_of(name, language)}
    assert not re.search(r"\{[{%]|[%}]\}(?!\S)", instructions_of(name, language))


@pytest.mark.parametrize("language", list(Language))
def test_heads_tell_of_every_feeling_task_topic_and_sound(language: Language) -> None:
    outline, write, judge = (
        instructions_of(f"script/{step}", language)
        for step in ("emotional_outline", "emotional_write", "emotion_judge")
    )
    colon = "：" if language is Language.ZH else ":"
    for emotion in Emotion:
        assert f"- {emotion.value}{colon}" in judge
        assert (f"- {emotion.value}{colon}" in outline) == (emotion is not Emotion.NEUTRAL)
    for task in EmotionalTask:
        assert task.value in outline
        assert task.value in write
    assert set(re.findall(r"\[([a-z ]+)\]", write)) == {tag.value for tag in Tag}
    if language is Language.ZH:  # the values are English words
        assert all(f"{topic.value} " in outline for topic in Topic)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("task", sorted(emotional.ASKING))
def test_a_question_with_a_word_that_the_head_asks_for_is_accepted(
    task: EmotionalTask, language: Language
) -> None:
    write = instructions_of("script/emotional_write", language)
    if language is Language.EN:
        (listed,) = re.findall(rf"{task.value} (?:it holds one of the words|one of) ([^.;]+)", write)
        words = re.split(", | or ", listed)
    else:
        (listed,) = re.findall(rf"{task.value} 的提问里要有(.+?)中的一个", write)
        words = QUOTED.findall(listed)
    assert len(words) >= 5
    for word in words:
        check_question("the question", f"{word}?", task, language)


WRITTEN_BY_OTHERS = {"text", "seed_topic", "persona", "matter", "cause", "response", "turns"}
TAGS = {"script/emotional_outline": "seed", "script/emotional_write": "dialogue"}


def poisoned(value: JsonValue, text: str, written: bool = False) -> JsonValue:
    """The same input, with everything in it that a seed or a model wrote replaced."""
    if isinstance(value, dict):
        return {key: poisoned(part, text, key in WRITTEN_BY_OTHERS) for key, part in value.items()}
    if isinstance(value, list):
        return [poisoned(part, text, written) for part in value]
    return text if written and isinstance(value, str) else value


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", list(Language))
def test_hostile_text_stays_inside_the_delimiters(name: str, text: str, language: Language) -> None:
    variables = poisoned(examples_of(name, language)[0].input, text)
    assert isinstance(variables, dict)
    rendered = LIBRARY.render(name, language, variables)
    tag = TAGS.get(name, "transcript")
    (_, rest), (inside, _) = rendered.user.split(f"<{tag}>"), rendered.user.split(f"</{tag}>")
    assert rest.strip()
    found = list(strings_of(json.loads(inside.split(f"<{tag}>")[1])))
    wanted = [string for string in strings_of(variables) if string == text]
    assert found.count(text) == len(wanted) > 0
    for opener in OPENERS:
        assert opener not in rendered.user


@pytest.mark.parametrize("language", list(Language))
def test_a_rubric_is_shown_the_dialogue_in_the_order_in_which_it_was_spoken(language: Language) -> None:
    example = examples_of("script/rubric_trajectory", language)[0]
    user = LIBRARY.render("script/rubric_trajectory", language, example.input).user
    entries = json.loads(user.split("<transcript>")[1].split("</transcript>")[0])
    lines = parsed(example.input, RubricInput).lines
    assert [e["user"] for e in entries[::2]] == [line.text for line in lines]
    assert [(e["turn"], e["emotion"]) for e in entries[::2]] == [
        (f"t{number}", line.emotion) for number, line in enumerate(lines, start=1)
    ]
    assert entries[1::2] == [{"assistant": line.response} for line in lines]

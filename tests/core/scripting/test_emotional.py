"""Emotional dialogues: outlines, words, what is refused, and the script that comes of it."""

from collections.abc import Callable

import pytest

from pipeline.core.emotional_plan import EmotionalConfig
from pipeline.core.scripting.emotional import (
    Manner,
    accept_outline,
    arc_of,
    compose_emotional,
    draw_manner,
    turns_to_write,
)
from pipeline.core.scripting.emotional_steps import EmotionalOutline, EmotionalTurn, OutlinedTurn
from pipeline.domain.emotional import EmotionalAssignment, EmotionalTask, Intensity, Tag, TagPlace, Topic
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import DialoguePlan, Script
from tests.stages.doubles import FERRY, seed_of

ASSIGNED = EmotionalAssignment(
    task=EmotionalTask.TRAJECTORY,
    topic=Topic.HOME,
    gender=Gender.FEMALE,
    emotions=(Emotion.ANGER, Emotion.SURPRISE, Emotion.NEUTRAL),
)
OUTLINE = EmotionalOutline(
    persona="a student who has just moved out",
    matter="The deposit for the old flat.",
    turns=(
        OutlinedTurn(cause="The landlord kept the deposit.", intensity=Intensity.STRONG),
        OutlinedTurn(cause="The bank has the money after all.", intensity=Intensity.CLEAR),
        OutlinedTurn(cause=None, intensity=Intensity.CLEAR),
    ),
)
MANNER = Manner((None, None, None), (True, False, False), names_feeling=False)
TURNS = (
    EmotionalTurn(
        text="The landlord kept my deposit. [sigh] Two years of rent and nothing back!",
        response="Losing that after two clean years is hard to take.",
    ),
    EmotionalTurn(text="Oh, hold on, the bank says it is all there!", response="What a turn that is!"),
    EmotionalTurn(
        text="Can you tell me how my feelings changed while we talked?",
        response="You went from anger over the deposit to surprise when it came back.",
    ),
)


def plan_of(assigned: EmotionalAssignment = ASSIGNED) -> DialoguePlan:
    return DialoguePlan(
        dialogue_id="en-emotional-1",
        seed=seed_of("1", FERRY),
        recipe=Recipe.EMOTIONAL,
        scene=None,
        split=Split.TRAIN,
        emotional=assigned,
    )


def compose(
    turns: tuple[EmotionalTurn, ...] = TURNS, manner: Manner = MANNER, *, aloud: bool = False
) -> Script:
    arc = arc_of(ASSIGNED, OUTLINE, manner)
    return compose_emotional(plan_of(), arc, turns, manner, OUTLINE.matter, spoken_responses=aloud)


def instead(turn: int, **changed: str) -> tuple[EmotionalTurn, ...]:
    return tuple(one.model_copy(update=changed) if i == turn else one for i, one in enumerate(TURNS))


def test_user_turns_carry_their_feeling_and_sounds_by_sentence() -> None:
    script = compose()
    user = [u for u in script.utterances if u.speaker is Speaker.USER]
    assert [(u.text, u.emotion, u.intensity) for u in user][:2] == [
        ("The landlord kept my deposit.", Emotion.ANGER, Intensity.STRONG),
        ("Two years of rent and nothing back!", Emotion.ANGER, Intensity.STRONG),
    ]
    assert [u.tags for u in user][:2] == [(), (TagPlace(tag=Tag.SIGH, words=0),)]
    assert script.user_gender is Gender.FEMALE
    assert script.arc is not None
    assert script.arc.feelings[1].cause == "The bank has the money after all."


@pytest.mark.parametrize("aloud", [False, True])
def test_responses_are_text_unless_they_are_asked_for_aloud(aloud: bool) -> None:
    script = compose(aloud=aloud)
    responses = {u.utterance_id for u in script.utterances if u.speaker is Speaker.ASSISTANT}
    assert len(responses) == 3
    assert script.unspoken() == (frozenset() if aloud else responses)


@pytest.mark.parametrize(
    ("turns", "reason", "named"),
    [
        (TURNS[:2], Reason.INVALID_REPLY, "2 turns"),
        (instead(0, response=""), Reason.INVALID_REPLY, "no response"),
        (instead(0, text="The deposit [whistle] is gone, all of it!"), Reason.INVALID_REPLY, "whistle"),
        (instead(0, text="The depo[sigh]sit is gone, all of it!"), Reason.INVALID_REPLY, "inside a word"),
        (instead(0, text="I am so angry about the deposit!"), Reason.LEAKED_INSTRUCTION, "names its feeling"),
        (instead(1, text="Well, look who is here again today!"), Reason.INVALID_REPLY, "cause"),
        (instead(2, text="The weather is nice today."), Reason.INVALID_REPLY, "does not ask"),
        (instead(2, text="Why is the sky so blue in June?"), Reason.INVALID_REPLY, "does not ask"),
        (instead(2, response="You went from anger to joy, I think."), Reason.INVALID_REPLY, "name surprise"),
        (instead(0, text="My deposit!"), Reason.WRONG_LENGTH, "words"),
        (instead(0, text="押金一分都没退，两年的房租。"), Reason.WRONG_LANGUAGE, "letters"),
        (instead(1, response="押金退了，太好了，恭喜你。"), Reason.WRONG_LANGUAGE, "letters"),
    ],
)
def test_what_cannot_be_used_is_refused(turns: tuple[EmotionalTurn, ...], reason: Reason, named: str) -> None:
    with pytest.raises(RecordError, match=named) as caught:
        compose(turns)
    assert caught.value.reason is reason


@pytest.mark.parametrize("text", ["Tell me how my mood changed.", "describe my feelings so far"])
def test_a_request_is_a_question_too(text: str) -> None:
    assert compose(instead(2, text=text))


def test_a_feeling_may_be_named_where_that_was_drawn() -> None:
    manner = Manner((None,) * 3, (False,) * 3, names_feeling=True)
    assert compose(instead(0, text="I am so angry about the deposit!"), manner)


def test_words_in_conflict_with_the_voice_are_marked_and_owe_no_cause() -> None:
    manner = Manner((None, Emotion.HAPPY, None), (False,) * 3, names_feeling=False)
    script = compose(instead(1, text="Well, look who has come home again!"), manner)
    assert script.arc is not None
    assert script.arc.feelings[1].said_as is Emotion.HAPPY
    assert turns_to_write(script.arc, manner)[1].said_as is Emotion.HAPPY


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda turns: turns[:2], "2 turns"),
        (lambda turns: (turns[0].model_copy(update={"cause": None}), *turns[1:]), "without a cause"),
        (lambda turns: (turns[0], turns[1].model_copy(update={"cause": " "}), turns[2]), "without a cause"),
    ],
)
def test_an_outline_has_a_cause_for_every_new_feeling(
    change: Callable[[tuple[OutlinedTurn, ...]], tuple[OutlinedTurn, ...]], named: str
) -> None:
    outline = OUTLINE.model_copy(update={"turns": change(OUTLINE.turns)})
    with pytest.raises(RecordError, match=named):
        accept_outline(outline, ASSIGNED, Language.EN)


def test_sounds_and_conflicts_come_in_their_shares() -> None:
    config = EmotionalConfig(tag_share=0.4, conflict_share=0.1, max_label_share=0.1)
    drawn = [draw_manner(ASSIGNED, config, 0, f"en-{i}") for i in range(3_000)]
    sounds = [sound for one in drawn for sound in one.sound[:2]]
    assert sum(sounds) / len(sounds) == pytest.approx(0.4, abs=0.03)
    assert not any(one.sound[2] or one.said_as[2] for one in drawn)  # never in the neutral question
    assert sum(any(one.said_as) for one in drawn) / len(drawn) == pytest.approx(0.1, abs=0.02)
    assert sum(one.names_feeling for one in drawn) / len(drawn) == pytest.approx(0.1, abs=0.02)

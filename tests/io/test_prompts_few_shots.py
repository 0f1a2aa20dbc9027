"""The few-shots of `conversation`, `single` and `review`: code accepts them as it accepts a model's answers."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TypeVar

import pytest
from pydantic import JsonValue

from pipeline.core.scripting.conversation import write_conversation, write_conversation_at_once
from pipeline.core.scripting.conversation_steps import (
    Conversation,
    ConversationInput,
    ConversationPlacement,
    ConversationWriteInput,
    WrittenEvents,
)
from pipeline.core.scripting.event_plan import EventPlan
from pipeline.core.scripting.full_duplex import write_full_duplex_at_once
from pipeline.core.scripting.review import Review, ReviewInput, find_fault, review_input
from pipeline.core.scripting.steps import AdaptInput, Line
from pipeline.core.scripting.validators import check_repetition, check_sentences
from pipeline.core.tokens import words_of
from pipeline.domain.events import EventType, FloorEffect, event_definition
from pipeline.domain.labels import Language, Recipe, Speaker, Split
from pipeline.domain.licence import Licence
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene
from pipeline.domain.script import DialoguePlan, Script
from pipeline.domain.seed import SeedDialogue, SeedSpeaker, SeedTurn
from pipeline.io.prompts import Example, load_prompts

T = TypeVar("T", bound=Record)
A = TypeVar("A")
R = TypeVar("R", bound=Record)

LICENCE = Licence(id="x", non_commercial=False, share_alike=False, redistributable=True, attribution="")
LIBRARY = load_prompts()


def shots(step: str) -> dict[str, Example]:
    """The examples of a prompt by the dialogue that they are about."""
    front = LIBRARY.current(f"script/{step}").front
    return {str(example.input["dialogue_id"]): example for example in front.examples}


TALKS = tuple(shots("conversation_adapt"))


def parsed(data: Mapping[str, JsonValue], record: type[R]) -> R:
    return record.model_validate_json(json.dumps(data), strict=True)


def plan_of(
    dialogue_id: str,
    language: Language,
    topic: str | None,
    lines: tuple[Line, ...],
    scene: Scene | None,
) -> DialoguePlan:
    """The plan whose seed is a few-shot's: A is the user, B the assistant."""
    seed = SeedDialogue(
        seed_id=dialogue_id,
        corpus="few-shots",
        language=language,
        speakers=tuple(
            SeedSpeaker(label=label, name=None, gender=None, is_system=label == "B") for label in ("A", "B")
        ),
        turns=tuple(
            SeedTurn(
                speaker="B" if line.speaker is Speaker.ASSISTANT else "A",
                text=line.text,
                raw=(line.text,),
                emotion=None,
            )
            for line in lines
        ),
        topic=topic,
        licence=LICENCE,
    )
    recipe = Recipe.CONVERSATION if scene is None else Recipe.FULL_DUPLEX
    return DialoguePlan(dialogue_id=dialogue_id, seed=seed, recipe=recipe, scene=scene, split=Split.TRAIN)


class Author:
    """Answers with the few-shots, and only where it is asked just what they are asked."""

    def __init__(self, dialogue_id: str) -> None:
        self._dialogue_id = dialogue_id
        self.asked: list[str] = []

    async def __call__(self, step: str, record: Record, output: type[T], accept: Callable[[T], A]) -> A:
        example = shots(step)[self._dialogue_id]
        assert json.loads(record.to_line()) == json.loads(parsed(example.input, type(record)).to_line())
        self.asked.append(step)
        return accept(parsed(example.reply, output))


def conversation_of(dialogue_id: str, at_once: bool = False) -> tuple[Script, list[str]]:
    record = parsed(shots("conversation_adapt")[dialogue_id].input, ConversationInput)
    plan = plan_of(dialogue_id, record.language, record.topic, record.lines, None)
    events = EventPlan(turns=record.turns, events=record.events)
    author = Author(dialogue_id)
    write = write_conversation_at_once if at_once else write_conversation
    return asyncio.run(write(plan, events, author)), author.asked


def spoken(script: Script) -> list[str]:
    return [utterance.text for utterance in script.utterances]


# --- conversation


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_the_steps_few_shots_make_a_script_when_asked_in_turn(dialogue_id: str) -> None:
    script, asked = conversation_of(dialogue_id)
    assert asked == ["conversation_adapt", "conversation_place", "conversation_write"]
    planned = parsed(shots("conversation_adapt")[dialogue_id].input, ConversationInput).events
    assert sorted(event.type for event in script.events) == sorted(event.type for event in planned)
    check_sentences(spoken(script), script.language)
    check_repetition(script)


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_one_question_and_three_make_the_same_script(dialogue_id: str) -> None:
    script, asked = conversation_of(dialogue_id, at_once=True)
    assert asked == ["conversation_single"]
    assert script == conversation_of(dialogue_id)[0]


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_few_shots_plan_what_the_event_table_allows(dialogue_id: str) -> None:
    for event in parsed(shots("conversation_adapt")[dialogue_id].input, ConversationInput).events:
        row = event_definition(event.type)
        assert event.initiator in row.initiators
        assert event.effect in row.effects


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_few_shots_of_conversation_adapt_keep_the_lengths_that_it_asks_for(dialogue_id: str) -> None:
    example = shots("conversation_adapt")[dialogue_id]
    zh = example.language is Language.ZH
    bounds = {  # sentences from, to; words or characters from, to
        Speaker.USER: (1, 3, 8 if zh else 5, 75 if zh else 50),
        Speaker.ASSISTANT: (2, 5, 35 if zh else 25, 120 if zh else 80),
    }
    turns = parsed(example.reply, Conversation).turns
    for turn in turns:
        fewest, most, shortest, longest = bounds[turn.speaker]
        assert fewest <= len(turn.sentences) <= most
        assert shortest <= len(words_of(" ".join(turn.sentences))) <= longest
        for sentence in turn.sentences:
            assert len(words_of(sentence)) <= (40 if zh else 25)
            assert sentence[-1] in "。？！.?!"
    longer = [len(turn.sentences) > 1 for turn in turns[::2]]
    assert all(one or other for one, other in pairwise(longer))


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_few_shots_of_conversation_place_quote_as_they_are_told(dialogue_id: str) -> None:
    example = shots("conversation_place")[dialogue_id]
    zh = example.language is Language.ZH
    sites = parsed(shots("conversation_write")[dialogue_id].input, ConversationWriteInput).sites
    quotes = {p.event_id: p.quote for p in parsed(example.reply, ConversationPlacement).places}
    for site in sites:
        count = len(words_of(quotes[site.event_id]))
        assert (4 if zh else 3) <= count <= (12 if zh else 8)
        heard, left = len(words_of(site.heard[-1])), len(words_of(site.unsaid[0]))
        assert heard >= (4 if zh else 3)
        if not site.type.is_backchannel:
            assert left >= (3 if zh else 2)
        if site.effect is FloorEffect.FINISHES:
            assert heard >= 2 * left
        if site.type is EventType.COOPERATIVE_COMPLETION:
            assert left <= (8 if zh else 5)


@pytest.mark.parametrize("dialogue_id", TALKS)
def test_few_shots_of_conversation_write_are_as_short_as_they_are_told(dialogue_id: str) -> None:
    example = shots("conversation_write")[dialogue_id]
    longest = 40 if example.language is Language.ZH else 25
    types = {s.event_id: s.type for s in parsed(example.input, ConversationWriteInput).sites}
    written = parsed(example.reply, WrittenEvents).events
    assert [event.event_id for event in written] == list(types)
    for event in written:
        assert len(event.reaction) <= (1 if types[event.event_id] is EventType.STOP_REQUEST else 3)
        for sentence in event.reaction:
            assert len(words_of(sentence)) <= longest
            assert sentence[-1] in "。？！.?!"


def test_few_shots_show_both_initiators_and_every_floor_effect() -> None:
    for language in Language:
        events = [
            event
            for example in shots("conversation_adapt").values()
            if example.language is language
            for event in parsed(example.input, ConversationInput).events
        ]
        assert {event.effect for event in events} == set(FloorEffect)
        interrupters = {event.initiator for event in events if event.type.is_interruption}
        assert interrupters == {Speaker.USER, Speaker.ASSISTANT}


# --- single


@pytest.mark.parametrize("dialogue_id", shots("single"))
def test_few_shots_of_single_make_a_script(dialogue_id: str) -> None:
    record = parsed(shots("single")[dialogue_id].input, AdaptInput)
    plan = plan_of(dialogue_id, record.language, record.topic, record.lines, record.scene)
    author = Author(dialogue_id)
    script = asyncio.run(write_full_duplex_at_once(plan, author))
    assert author.asked == ["single"]
    assert script.scene is record.scene
    check_sentences(spoken(script), script.language)
    check_repetition(script)


# --- review


REVIEWS = tuple(shots("review"))
QUOTED = re.compile("“(.+?)”")


def review_of(dialogue_id: str) -> tuple[Language, ReviewInput, Review]:
    example = shots("review")[dialogue_id]
    return example.language, parsed(example.input, ReviewInput), parsed(example.reply, Review)


@pytest.mark.parametrize("language", list(Language))
def test_a_judge_sees_in_few_shots_what_it_will_see_of_a_script(language: Language) -> None:
    """The good dialogue of each language is a few-shot of the steps before, told as `review_input` tells it."""
    by_topic = {script.topic: review_input(script) for script in (conversation_of(name)[0] for name in TALKS)}
    seen = [record for own, record, _ in map(review_of, REVIEWS) if own is language]
    known = [record for record in seen if record.topic in by_topic]
    assert len(seen) == 2
    assert len(known) == 1
    assert known[0].lines == by_topic[known[0].topic].lines


@pytest.mark.parametrize("language", list(Language))
def test_few_shots_of_review_pass_one_dialogue_and_refuse_one(language: Language) -> None:
    faults = [find_fault(review, 3, 4.0) for own, _, review in map(review_of, REVIEWS) if own is language]
    assert sorted(fault is None for fault in faults) == [False, True]


@pytest.mark.parametrize("dialogue_id", REVIEWS)
def test_reasons_are_short_and_quote_what_was_heard_word_for_word(dialogue_id: str) -> None:
    language, record, review = review_of(dialogue_id)
    heard = [line.text for line in record.lines if line.mark != "left unsaid"]
    for axis, judgement in review.axes():
        quotes = QUOTED.findall(judgement.reason)
        assert quotes, axis
        assert all(any(quote in text for text in heard) for quote in quotes), (axis, quotes)
        assert len(words_of(judgement.reason)) <= (50 if language is Language.ZH else 30), axis

"""Long dialogues: places, words and composition."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.scripting.conversation import (
    Site,
    accept_conversation,
    accept_events,
    describe_site,
    find_sites,
)
from pipeline.core.scripting.conversation_steps import Conversation, EventPlace, PlannedEvent, WrittenEvent
from pipeline.core.scripting.steps import AdaptedTurn
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Emotion, Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AfterWords, Script, ScriptedEvent
from tests.core.scripting.conversations import made_up_conversation, talk_of

NUMBERS = st.integers(0, 5_000)

TALK = Conversation(
    topic="soup",
    turns=(
        AdaptedTurn(
            speaker=Speaker.USER,
            sentences=("I am making soup for six people tonight.", "How much water do I need for it?"),
        ),
        AdaptedTurn(
            speaker=Speaker.ASSISTANT,
            sentences=("Take two litres of water for six.", "Salt it only at the very end."),
        ),
    ),
)


def planned(
    event: EventType,
    initiator: Speaker = Speaker.USER,
    effect: FloorEffect = FloorEffect.YIELDS,
    name: str = "e1",
) -> PlannedEvent:
    return PlannedEvent(event_id=name, type=event, initiator=initiator, effect=effect)


def at(turn: str, quote: str, name: str = "e1") -> EventPlace:
    return EventPlace(event_id=name, turn=turn, quote=quote, why="")


@given(NUMBERS)
def test_every_planned_event_is_in_the_script_once(number: int) -> None:
    made = made_up_conversation(number)
    planned = sorted((e.type, e.effect) for e in made.events.events)
    assert sorted((e.type, e.effect) for e in made.script.events) == planned


@given(NUMBERS)
def test_an_event_starts_after_the_quoted_words_of_its_host(number: int) -> None:
    made = made_up_conversation(number)
    wanted = sorted((place.event_id, words_of(place.quote)) for place in made.places)
    types = {event.event_id: event.type for event in made.events.events}
    heard = [(event.type, _heard(made.script, event)) for event in made.script.events]
    assert sorted(heard) == sorted((types[event_id], quote) for event_id, quote in wanted)


def _heard(script: Script, event: ScriptedEvent) -> tuple[str, ...]:
    """What its host has said of the sentence when an event starts."""
    assert event.host is not None
    host, anchor = words_of(script.utterance(event.host).text), script.utterance(event.utterance_id).anchor
    return host[: anchor.words] if isinstance(anchor, AfterWords) else host


@given(NUMBERS)
def test_parties_take_turns_but_for_what_lies_on_top(number: int) -> None:
    script = made_up_conversation(number).script
    on_top = {
        script.utterance(event.utterance_id).turn
        for event in script.events
        if isinstance(script.utterance(event.utterance_id).anchor, AfterWords)
        and not event.effect.takes_floor
    }
    floor = {u.turn: u.speaker for u in script.utterances if u.turn not in on_top}
    assert list(floor.values()) == [(Speaker.USER, Speaker.ASSISTANT)[i % 2] for i in range(len(floor))]


@given(NUMBERS)
def test_what_follows_an_interruption_in_its_hosts_turn_is_never_said(number: int) -> None:
    script = made_up_conversation(number).script
    unsaid = script.unsaid()
    for event in script.events:
        assert event.utterance_id not in unsaid
        assert event.host not in unsaid


@pytest.mark.parametrize(
    ("event", "place", "reason"),
    [
        (planned(EventType.CORRECTION), at("t7", "two litres"), Reason.INVALID_REPLY),
        (planned(EventType.CORRECTION), at("t0", "soup for six"), Reason.WRONG_SPEAKER_ROLES),
        (planned(EventType.WARNING, Speaker.ASSISTANT), at("t1", "two litres"), Reason.WRONG_SPEAKER_ROLES),
        (planned(EventType.CORRECTION), at("t1", "three litres"), Reason.QUOTE_NOT_FOUND),
        (planned(EventType.CORRECTION), at("t1", "of water for six"), Reason.ANCHOR_AT_EDGE),
        (
            planned(EventType.HESITATION_PAUSE, effect=FloorEffect.CONTINUES),
            at("t1", "two litres"),
            Reason.WRONG_SPEAKER_ROLES,
        ),
        (
            planned(EventType.THIRD_PARTY_SPEECH, Speaker.THIRD_PARTY, FloorEffect.CONTINUES),
            at("t0", "making soup"),
            Reason.WRONG_SPEAKER_ROLES,
        ),
    ],
)
def test_a_place_that_cannot_be_is_refused(event: PlannedEvent, place: EventPlace, reason: Reason) -> None:
    with pytest.raises(RecordError) as caught:
        find_sites(TALK, (event,), (place,))
    assert caught.value.reason is reason


def test_what_ends_a_dialogue_belongs_into_its_last_turn() -> None:
    talk = Conversation(topic="soup", turns=(*TALK.turns, *talk_of(2, random.Random(0)).turns))
    with pytest.raises(RecordError, match="last turn"):
        find_sites(talk, (planned(EventType.STOP_REQUEST),), (at("t1", "Take two litres"),))


@pytest.mark.parametrize(
    "quotes",
    [
        (("Take two", "two litres of")),  # one sentence
        (("Take two", "Salt it")),  # the first takes the floor
    ],
)
def test_events_that_stand_in_each_others_way_are_refused(quotes: tuple[str, str]) -> None:
    events = (planned(EventType.CORRECTION), planned(EventType.URGENCY, name="e2"))
    with pytest.raises(RecordError) as caught:
        find_sites(TALK, events, tuple(at("t1", q, f"e{i}") for i, q in enumerate(quotes, start=1)))
    assert caught.value.reason is Reason.EVENTS_COLLIDE


@pytest.mark.parametrize(
    "places", [(), (at("t1", "Take two"), at("t1", "Salt it")), (at("t1", "Take two", "e9"),)]
)
def test_every_event_wants_one_place(places: tuple[EventPlace, ...]) -> None:
    with pytest.raises(RecordError) as caught:
        find_sites(TALK, (planned(EventType.CORRECTION),), places)
    assert caught.value.reason is Reason.INVALID_REPLY


def test_a_writer_is_told_what_was_heard_and_what_was_not() -> None:
    (site,) = find_sites(TALK, (planned(EventType.CORRECTION),), (at("t1", "Take two litres"),))
    shown = describe_site(TALK, site)
    assert shown.heard == ("Take two litres",)
    assert shown.unsaid == ("of water for six.", "Salt it only at the very end.")


SITE = find_sites(TALK, (planned(EventType.CORRECTION),), (at("t1", "Take two litres"),))
NOD = find_sites(
    TALK, (planned(EventType.CONTINUER, effect=FloorEffect.CONTINUES),), (at("t1", "Take two litres"),)
)


def said(text: str | None, *reaction: str, name: str = "e1") -> WrittenEvent:
    return WrittenEvent(event_id=name, text=text, emotion=Emotion.NEUTRAL, reaction=reaction)


@pytest.mark.parametrize(
    ("sites", "words", "reason"),
    [
        (SITE, (said(None, "Fine."),), Reason.INVALID_REPLY),
        (SITE, (said("It is for eight."),), Reason.INVALID_REPLY),
        (SITE, (said("It is for 8.", "Three litres then."),), Reason.UNSPEAKABLE_TEXT),
        (SITE, (said("一共八个人。", "那就三升水。"),), Reason.WRONG_LANGUAGE),
        (SITE, (), Reason.INVALID_REPLY),
        (NOD, (said("Right.", "Go on."),), Reason.INVALID_REPLY),
        (NOD, (said("Right, I have never done it like that."),), Reason.INVALID_REPLY),
    ],
)
def test_words_that_do_not_fit_their_event_are_refused(
    sites: tuple[Site, ...], words: tuple[WrittenEvent, ...], reason: Reason
) -> None:
    with pytest.raises(RecordError) as caught:
        accept_events(words, sites, Language.EN)
    assert caught.value.reason is reason


@pytest.mark.parametrize("turns", [1, 3, 4])
def test_another_number_of_turns_is_refused(turns: int) -> None:
    talk = talk_of(turns, random.Random(1))
    with pytest.raises(RecordError) as caught:
        accept_conversation(talk, 2, Language.EN)
    assert caught.value.reason is Reason.WRONG_SPEAKER_ROLES

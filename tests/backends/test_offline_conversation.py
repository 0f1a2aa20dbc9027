"""Conversations by the embedded author: every event has a place, words, and a dialogue that goes on after it."""

from collections import Counter
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.backends.offline.banks import load_bank
from pipeline.backends.offline.planted import PLANTED_FILES
from pipeline.core.scripting.conversation import MAX_BACKCHANNEL_WORDS, find_sites
from pipeline.core.scripting.conversation_steps import (
    Conversation,
    ConversationPlaceInput,
    ConversationPlacement,
    ConversationWriteInput,
    EventSite,
    LabelledTurn,
    PlannedEvent,
    WrittenEvents,
)
from pipeline.core.scripting.event_plan import CLOSING, ConversationConfig, EventPlan, TurnRange
from pipeline.core.scripting.validators import check_repetition
from pipeline.core.speakable import speakable
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EVENTS, EventType, FloorEffect
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import DialoguePlan, Script
from tests.backends.offline_conversations import (
    CASES,
    Asking,
    converse,
    demo_seeds,
    drawn,
    plan_for,
    planned,
    said,
)
from tests.backends.offline_dialogues import ask
from tests.stages.doubles import seed_of

LANGUAGES = tuple(Language)
RUN = 200
USER, ASSISTANT = Speaker.USER, Speaker.ASSISTANT
_ids = [f"{kind.value}-{initiator.value}-{effect.value}" for kind, initiator, effect in CASES]


def converse_or_refuse(
    plan: DialoguePlan, events: EventPlan, seed: int
) -> tuple[Script, Asking] | RecordError:
    try:
        return converse(plan, events, seed)
    except RecordError as error:
        return error


@cache
def run(language: Language) -> tuple[tuple[tuple[Script, Asking], ...], tuple[RecordError, ...]]:
    """Two hundred conversations over the demo seeds with the default rates, and what was refused."""
    made = [converse_or_refuse(*drawn(language, number), number) for number in range(RUN)]
    refused = tuple(one for one in made if isinstance(one, RecordError))
    return tuple(one for one in made if not isinstance(one, RecordError)), refused


def talk_of(asking: Asking) -> Conversation:
    talk = asking.replies["conversation_adapt"]
    assert isinstance(talk, Conversation)
    return talk


def one_event(
    language: Language, case: tuple[EventType, Speaker, FloorEffect], number: int
) -> tuple[Script, Asking]:
    seeds = demo_seeds(language)
    plan = plan_for(seeds[number % len(seeds)], f"one-{number}")
    return converse(plan, planned(8, case), 31 * number)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES, ids=_ids)
def test_every_event_is_placed_written_and_composed(
    language: Language, case: tuple[EventType, Speaker, FloorEffect]
) -> None:
    kind, initiator, effect = case
    texts = set()
    for number in range(3):
        script, _ = one_event(language, case, number)
        check_repetition(script)
        (event,) = script.events
        own = script.utterance(event.utterance_id)
        assert (event.type, event.effect, own.speaker) == (kind, effect, initiator)
        assert event.host is not None
        host = script.utterance(event.host)
        assert (host.speaker is initiator) is (kind is EventType.HESITATION_PAUSE)
        if effect.takes_floor:
            position = script.utterances.index(own)
            after = next(u for u in script.utterances[position:] if u.turn > own.turn)
            assert after.speaker is host.speaker
        texts.add(own.text)
    assert len(texts) >= 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", [case for case in CASES if case[2] is FloorEffect.RESUMES], ids=str)
def test_a_host_that_resumes_ends_in_what_it_had_left_to_say(
    language: Language, case: tuple[EventType, Speaker, FloorEffect]
) -> None:
    for number in range(3):
        _, asking = one_event(language, case, number)
        reply = asking.replies["conversation_write"]
        assert isinstance(reply, WrittenEvents)
        talk = talk_of(asking)
        last_words = reply.events[0].reaction[-1].casefold()
        ends = [sentence for turn in talk.turns for sentence in turn.sentences]
        found = [sentence for sentence in ends if last_words.endswith(sentence.casefold()[-20:])]
        planted_at_the_end = case[1] is ASSISTANT and number_of_the_host(asking) == 0
        assert found or planted_at_the_end, reply.events[0].reaction


def number_of_the_host(asking: Asking) -> int:
    placement = asking.replies["conversation_place"]
    assert isinstance(placement, ConversationPlacement)
    return int(placement.places[0].turn[1:])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finished_sentence_is_broken_into_in_its_last_third(language: Language) -> None:
    for case in CASES:
        if case[2] is FloorEffect.FINISHES:
            for number in range(4):
                script, _ = one_event(language, case, number)
                (event,) = script.events
                assert event.host is not None
                anchor = script.utterance(event.utterance_id).anchor
                assert anchor.kind == "after_words"
                assert anchor.words >= 2 / 3 * len(words_of(script.utterance(event.host).text))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("effect", [FloorEffect.FINISHES, FloorEffect.YIELDS])
def test_a_completion_says_the_words_that_were_left(language: Language, effect: FloorEffect) -> None:
    for number in range(8):
        script, _ = one_event(language, (EventType.COOPERATIVE_COMPLETION, USER, effect), number)
        (event,) = script.events
        assert event.host is not None
        own, host = script.utterance(event.utterance_id), script.utterance(event.host)
        assert own.anchor.kind == "after_words"
        left = [word.casefold() for word in words_of(host.text)[own.anchor.words :]]
        heard = [word.casefold() for word in words_of(own.text)]
        assert 2 <= len(left) <= 6
        assert any(heard[start : start + len(left)] == left for start in range(len(heard)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_after_a_run_of_the_user_the_user_comes_back(language: Language) -> None:
    returns = load_bank(language).returns
    case = (EventType.URGENCY, USER, FloorEffect.YIELDS)
    for number in range(8):
        script, asking = one_event(language, case, number)
        number_of_turn = number_of_the_host(asking)
        following = talk_of(asking).turns[number_of_turn + 1].sentences[0]
        assert following.lower() in returns
        assert following in said(script, USER)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stops_a_user_is_told_with_the_reason_before_the_question_is_asked_again(
    language: Language,
) -> None:
    bank = load_bank(language)
    for number in range(8):
        _, asking = one_event(language, (EventType.WARNING, ASSISTANT, FloorEffect.YIELDS), number)
        host = talk_of(asking).turns[number_of_the_host(asking)]
        announced = [found for found in map(bank.find_planted, host.sentences) if found]
        assert [one.file for one in announced] == ["announcements"]
        reply = asking.replies["conversation_write"]
        assert isinstance(reply, WrittenEvents)
        event = reply.events[0]
        assert event.text in announced[0].said.variants()
        assert reply.events[0].reaction[-1].casefold().endswith(host.sentences[-1].casefold()[-12:])


@pytest.mark.parametrize("language", LANGUAGES)
def test_nineteen_in_twenty_plans_are_placeable(language: Language) -> None:
    _, refused = run(language)
    assert all(error.reason is Reason.NO_SUITABLE_TURN for error in refused)
    assert len(refused) <= RUN // 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_types_of_the_table_come_up_in_two_hundred_conversations(language: Language) -> None:
    made, _ = run(language)
    seen = {
        (event.type, script.utterance(event.utterance_id).speaker)
        for script, _ in made
        for event in script.events
    }
    wanted = {(row.type, party) for row in EVENTS for party in row.initiators}
    # A generic backchannel is for a scene of the other recipe: no conversation draws it.
    assert wanted - seen == {(EventType.BACKCHANNEL, USER), (EventType.BACKCHANNEL, ASSISTANT)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_frame_is_in_more_than_a_tenth_of_the_dialogues_events(language: Language) -> None:
    made, _ = run(language)
    uses = Counter(frame for _, one in made for frame in set(one.frames.get("conversation_write", ())))
    frame, count = uses.most_common(1)[0]
    assert count <= len(made) // 10, frame
    assert all(name.startswith(f"{language.value}/") for name in uses)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_in_a_conversation_can_be_said(language: Language) -> None:
    made, _ = run(language)
    for text in {utterance.text for script, _ in made for utterance in script.utterances}:
        assert speakable(text, language) == text
        assert not {"{", "}", "/"} & set(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_turns_have_room_for_events(language: Language) -> None:
    made, _ = run(language)
    turns = [turn for _, asking in made for turn in talk_of(asking).turns]
    length = {
        party: [sum(map(len, map(words_of, turn.sentences))) for turn in turns if turn.speaker is party]
        for party in (USER, ASSISTANT)
    }
    assert sum(words >= 12 for words in length[USER]) >= 0.8 * len(length[USER])
    low, high = {Language.EN: (35, 80), Language.ZH: (45, 115)}[language]
    answers = length[ASSISTANT]
    assert sum(low <= words <= high for words in answers) >= 0.9 * len(answers)
    assert all(2 <= len(turn.sentences) <= 8 for turn in turns if turn.speaker is ASSISTANT)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_tip_is_given_twice(language: Language) -> None:
    bank = load_bank(language)
    for _, asking in run(language)[0]:
        sentences = [sentence for turn in talk_of(asking).turns for sentence in turn.sentences]
        given = [found[0].say.frame_id for found in map(bank.find_tip, sentences) if found]
        assert len(given) == len(set(given))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("turns", [2, 4, 8, 18])
def test_a_conversation_has_the_turns_it_was_asked_for(language: Language, turns: int) -> None:
    for number, seed in enumerate(demo_seeds(language)[:5]):
        _, asking = converse(plan_for(seed, f"long-{number}"), planned(turns), number)
        assert len(talk_of(asking).turns) == turns


@pytest.mark.parametrize("language", LANGUAGES)
def test_signals_are_short(language: Language) -> None:
    for key, frames in load_bank(language).frames.items():
        if key.startswith(("events/signals", "backchannel/")):
            for frame in frames:
                for text in frame.variants():
                    assert len(words_of(text)) <= MAX_BACKCHANNEL_WORDS[language], frame.frame_id


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_plan_gets_a_valid_script_or_a_reason(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(LANGUAGES))
    turns = data.draw(st.sampled_from((2, 4, 6, 10)))
    cases = data.draw(st.lists(st.sampled_from(CASES), max_size=turns))
    plan = plan_for(data.draw(st.sampled_from(demo_seeds(language))), "any")
    made = converse_or_refuse(plan, planned(turns, *cases), data.draw(st.integers(0, 2**31 - 1)))
    if isinstance(made, RecordError):
        assert made.reason is Reason.NO_SUITABLE_TURN
        assert "wanted" in made.detail
        assert len(cases) > 1 or turns == 2  # there is room for one event
        return
    script, asking = made
    assert len(script.events) == len(cases)
    assert len(talk_of(asking).turns) == turns


@pytest.mark.parametrize("language", LANGUAGES)
def test_higher_rates_and_more_assistant_events_are_still_mostly_placeable(language: Language) -> None:
    config = ConversationConfig(turns=TurnRange(min=16, max=20), assistant_share=0.6)
    made = [converse_or_refuse(*drawn(language, number, config), number) for number in range(20)]
    refused = [one for one in made if isinstance(one, RecordError)]
    assert all(error.reason is Reason.NO_SUITABLE_TURN for error in refused)
    assert len(refused) <= 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_answer_is_the_three_steps_together(language: Language) -> None:
    for number in (0, 3, 8):
        plan, events = drawn(language, number)
        steps, _ = converse(plan, events, 5)
        at_once, asking = converse(plan, events, 5, at_once=True)
        assert at_once == steps
        assert tuple(asking.replies) == ("conversation_single",)
        assert asking.frames["conversation_single"]


def test_the_same_request_gets_the_same_conversation() -> None:
    first, again, other = (converse(*drawn(Language.EN, 1), seed)[0] for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_seed_without_a_question_is_refused_with_its_reason() -> None:
    plan = plan_for(seed_of("empty", ("Yes.", "Right.", "No, not at all.", "Well.")), "empty")
    with pytest.raises(RecordError, match="no_suitable_turn"):
        converse(plan, planned(6), 1)


def test_more_interruptions_than_turns_are_refused_by_name() -> None:
    plan = plan_for(demo_seeds(Language.EN)[0], "crowded")
    too_many = [(EventType.WARNING, ASSISTANT, FloorEffect.YIELDS)] * 3
    with pytest.raises(RecordError, match=r"no turn is left for e3 \(warning by the assistant\)"):
        converse(plan, planned(4, *too_many), 1)


TALK = (
    ("user", ("My kitchen tap drips all night.", "What can I do about that noise?")),
    ("assistant", ("Turn off the water under the sink before you open anything.", "Then look at the seal.")),
    ("user", ("I have never done a thing like that before.", "Is it hard to change the seal myself?")),
    ("assistant", ("Not at all, it takes a quarter of an hour.", "You only need a screwdriver for it.")),
)


def foreign_turns() -> tuple[LabelledTurn, ...]:
    """A dialogue of which the banks know no sentence."""
    return tuple(
        LabelledTurn.model_validate({"turn": f"t{number}", "speaker": party, "sentences": sentences})
        for number, (party, sentences) in enumerate(TALK)
    )


def event_of(kind: EventType, initiator: Speaker, effect: FloorEffect) -> PlannedEvent:
    return PlannedEvent(event_id="e1", type=kind, initiator=initiator, effect=effect)


@pytest.mark.parametrize("case", CASES, ids=_ids)
def test_a_dialogue_by_somebody_else_gets_every_event_but_those_that_need_a_cause(
    case: tuple[EventType, Speaker, FloorEffect],
) -> None:
    turns, event = foreign_turns(), event_of(*case)
    asked = ConversationPlaceInput(
        dialogue_id="d", language=Language.EN, topic="a tap", turns=turns, events=(event,)
    )
    if case[:2] in PLANTED_FILES:
        with pytest.raises(RecordError, match="no place for e1"):
            ask("conversation_place", asked, 1)
        return
    for seed in range(8):
        placement = ConversationPlacement.from_line(ask("conversation_place", asked, seed).content)
        (site,) = find_sites(Conversation(topic="a tap", turns=turns), (event,), placement.places)
        assert site.event.type not in CLOSING or site.turn == len(turns) - 1


@pytest.mark.parametrize("case", [case for case in CASES if case[:2] in PLANTED_FILES], ids=str)
def test_no_words_are_invented_for_a_correction_that_has_no_cause(
    case: tuple[EventType, Speaker, FloorEffect],
) -> None:
    host = 2 if case[1] is ASSISTANT else 1
    turn = foreign_turns()[host]
    site = EventSite(
        event_id="e1",
        type=case[0],
        initiator=case[1],
        effect=case[2],
        turn=turn.turn,
        heard=(turn.sentences[0][:20],),
        unsaid=(turn.sentences[0][20:], turn.sentences[1]),
    )
    request = ConversationWriteInput(
        dialogue_id="d", language=Language.EN, topic="a tap", turns=foreign_turns(), sites=(site,)
    )
    with pytest.raises(RecordError, match="no cause for a"):
        ask("conversation_write", request, 1)
    unknown = request.model_copy(update={"sites": (site.model_copy(update={"turn": "t9"}),)})
    with pytest.raises(RecordError, match="wanted one of t0, t1, t2, t3"):
        ask("conversation_write", unknown, 1)

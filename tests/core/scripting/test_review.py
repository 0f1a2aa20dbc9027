"""The judge reads what is heard, in order; what it finds is said so that it can be mended."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.prompting import parse_reply, schema_text
from pipeline.core.scripting.review import (
    LEFT_UNSAID,
    Judgement,
    Review,
    ReviewInput,
    find_fault,
    review_input,
    scores_of,
)
from pipeline.core.tokens import words_of
from pipeline.domain.chat import ChatReply
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.scene import Scene
from pipeline.domain.script import AfterSeconds, AfterWords, Anchor, AxisScore, Follows, Script, ScriptedEvent
from tests.core.scripting.conversations import made_up_conversation
from tests.spoken import ANSWER, QUERY, Line, backchannel, bystander, hesitation, interruption, script_of

USER, ASSISTANT = Speaker.USER, Speaker.ASSISTANT
AXES = ("naturalness", "consistency", "specificity", "role_fidelity", "scene_fidelity")


def told(script: Script) -> list[str]:
    """`speaker: text [mark]`"""
    lines = review_input(script).lines
    return [f"{line.speaker.value}: {line.text}" + (f" [{line.mark}]" if line.mark else "") for line in lines]


def event(event_type: EventType, name: str, host: str | None, effect: FloorEffect) -> ScriptedEvent:
    return ScriptedEvent(type=event_type, utterance_id=name, host=host, effect=effect)


def with_event(effect: FloorEffect, anchor: Anchor, event_type: EventType = EventType.CORRECTION) -> Script:
    """The tram's answer, met in its second sentence."""
    lines: tuple[Line, ...] = (
        QUERY,
        *ANSWER,
        (USER, 2, "The new one.", anchor),
        (USER, 2, "Not the old one.", Follows()),
        (ASSISTANT, 3, "I see.", Follows()),
    )
    return script_of(lines, (event(event_type, "u04", "u02", effect),))


ASKED = "user: Which tram goes to the old harbour?"
GREEN = "assistant: The green line goes there every ten minutes."
RIDE = "The ride takes a quarter of an hour."
HERE = AfterWords(host="u02", words=6)


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        pytest.param(
            with_event(FloorEffect.YIELDS, HERE),
            [
                f"{GREEN} You can board it at the—",
                f"assistant: market, right beside the fountain. {RIDE} [left unsaid]",
                "user: The new one. Not the old one. [breaks in (correction); the other one falls silent]",
                "assistant: I see.",
            ],
            id="yields",
        ),
        pytest.param(
            with_event(FloorEffect.RESUMES, AfterWords(host="u02", words=7)),
            [
                f"{GREEN} You can board it at the market—",
                f"assistant: right beside the fountain. {RIDE} [left unsaid]",
                "user: The new one. Not the old one. "
                "[breaks in (correction); the other one falls silent, and comes back to it]",
                "assistant: I see.",
            ],
            id="resumes, at a comma",
        ),
        pytest.param(
            with_event(FloorEffect.FINISHES, HERE, EventType.COOPERATIVE_COMPLETION),
            [
                f"{GREEN} You can board it at the…",
                "user: The new one. Not the old one. "
                "[breaks in (cooperative completion); the other one finishes the sentence]",
                "assistant: …market, right beside the fountain.",
                f"assistant: {RIDE} [left unsaid]",
                "assistant: I see.",
            ],
            id="finishes",
        ),
        pytest.param(
            with_event(FloorEffect.CONTINUES, HERE, EventType.SPEECH_DIRECTED_AT_OTHERS),
            [
                f"{GREEN} You can board it at the…",
                "user: The new one. Not the old one. "
                "[turns to somebody else in the room (speech directed at others); the other one goes on]",
                f"assistant: …market, right beside the fountain. {RIDE}",
                "assistant: I see.",
            ],
            id="continues",
        ),
        pytest.param(
            with_event(FloorEffect.YIELDS, AfterWords(host="u02", words=11)),
            [
                f"{GREEN} You can board it at the market, right beside the fountain.",
                f"assistant: {RIDE} [left unsaid]",
                "user: The new one. Not the old one. [breaks in (correction); the other one falls silent]",
                "assistant: I see.",
            ],
            id="after the last word",
        ),
        pytest.param(
            with_event(FloorEffect.YIELDS, AfterSeconds(host="u02", seconds=1.5)),
            [
                f"{GREEN} You can board it at the market, right beside the fountain.",
                f"assistant: {RIDE} [left unsaid]",
                "user: The new one. Not the old one. "
                "[breaks in 1.5 s into the sentence (correction); the other one falls silent]",
                "assistant: I see.",
            ],
            id="seconds name no word",
        ),
    ],
)
def test_a_transcript_tells_what_an_event_does_to_its_host(script: Script, lines: list[str]) -> None:
    assert told(script) == [ASKED, *lines]


def test_scenes_without_an_interruption_read_as_they_sound() -> None:
    assert told(backchannel())[1:3] == [
        f"{GREEN} You can board it…",
        "user: Right. [shows attention (backchannel); the other one goes on]",
    ]
    assert told(bystander())[2] == (
        "third_party: Your parcel is here. I left it in the hall. "
        "[is heard nearby, speaking to neither (third party speech); the other one goes on]"
    )
    before, after, *_ = told(hesitation())
    assert before.startswith("user: ")
    assert after.startswith("user: ")
    assert after.endswith(" [goes on after a hesitation]")


def test_a_bystander_before_the_query_has_no_host() -> None:
    lines: tuple[Line, ...] = ((Speaker.THIRD_PARTY, 0, "Your parcel is here.", Follows()), QUERY)
    script = script_of(
        lines,
        (event(EventType.THIRD_PARTY_SPEECH, "u00", None, FloorEffect.CONTINUES),),
        scene=Scene.THIRD_PARTY_BEFORE,
    )
    assert told(script)[0].endswith(" [is heard nearby, speaking to neither (third party speech)]")


def test_several_events_in_one_turn_are_told_where_they_fall() -> None:
    lines: tuple[Line, ...] = (
        QUERY,
        *ANSWER,
        (USER, 2, "Stop.", AfterWords(host="u03", words=3)),
        (USER, 3, "Right.", AfterWords(host="u01", words=5)),
        (USER, 4, "Mhm.", AfterWords(host="u01", words=2)),
        (ASSISTANT, 5, "Okay.", Follows()),
    )
    events = (
        event(EventType.STOP_REQUEST, "u04", "u03", FloorEffect.YIELDS),
        event(EventType.ACKNOWLEDGEMENT, "u05", "u01", FloorEffect.CONTINUES),
        event(EventType.CONTINUER, "u06", "u01", FloorEffect.CONTINUES),
    )
    assert told(script_of(lines, events)) == [
        ASKED,
        "assistant: The green…",
        "user: Mhm. [shows attention (continuer); the other one goes on]",
        "assistant: …line goes there…",
        "user: Right. [shows attention (acknowledgement); the other one goes on]",
        "assistant: …every ten minutes. You can board it at the market, right beside the fountain. "
        "The ride takes—",
        "assistant: a quarter of an hour. [left unsaid]",
        "user: Stop. [breaks in (stop request); the other one falls silent]",
        "assistant: Okay.",
    ]


def test_chinese_sentences_stand_without_a_space_and_break_at_a_character() -> None:
    lines: tuple[Line, ...] = (
        (ASSISTANT, 0, "坐绿线就行。", Follows()),
        (ASSISTANT, 0, "在市场上车，就在喷泉旁边。", Follows()),
        (USER, 1, "等等。", AfterWords(host="u01", words=5)),
    )
    script = script_of(lines, (event(EventType.STOP_REQUEST, "u02", "u01", FloorEffect.YIELDS),))
    assert told(script.model_copy(update={"language": Language.ZH}))[:2] == [
        "assistant: 坐绿线就行。在市场上车—",
        "assistant: 就在喷泉旁边。 [left unsaid]",
    ]


def test_the_judge_is_told_what_the_script_is() -> None:
    script = interruption()
    given_to = review_input(script)
    assert given_to == ReviewInput(
        dialogue_id=script.dialogue_id,
        language=script.language,
        recipe=script.recipe,
        scene=script.scene,
        topic="trams",
        lines=given_to.lines,
    )


@pytest.mark.parametrize("number", range(25))
def test_every_word_of_a_conversation_is_told_once_and_what_is_unsaid_is_marked(number: int) -> None:
    script = made_up_conversation(number).script
    lines = review_input(script).lines
    written = Counter(word for u in script.utterances for word in words_of(u.text))
    assert Counter(word for line in lines for word in words_of(line.text)) == written
    silent = script.unsaid()
    never = Counter(w for u in script.utterances if u.utterance_id in silent for w in words_of(u.text))
    marked = Counter(w for line in lines if line.mark == LEFT_UNSAID for w in words_of(line.text))
    assert never <= marked
    assert len([line for line in lines if line.mark not in ("", LEFT_UNSAID)]) == len(script.events)


@pytest.mark.parametrize("number", range(25))
def test_what_falls_into_an_utterance_does_not_shuffle_its_words(number: int) -> None:
    script = made_up_conversation(number).script
    for speaker in Speaker:
        lines = review_input(script).lines
        spoken = " ".join(w for line in lines if line.speaker is speaker for w in words_of(line.text))
        for utterance in (u for u in script.utterances if u.speaker is speaker):
            assert " ".join(words_of(utterance.text)) in spoken


# --- the verdict


def verdict(*scores: int, reason: str = "Fine.") -> Review:
    judgements = {
        axis: {"reason": f"{reason} ({axis})" if reason else "", "score": score}
        for axis, score in zip(AXES, scores, strict=True)
    }
    return Review.model_validate(judgements)


@pytest.mark.parametrize(
    ("scores", "finding"),
    [
        ((5, 5, 5, 5, 5), None),
        ((3, 4, 4, 3, 4), None),
        (
            (5, 2, 5, 5, 5),
            "consistency scored 2 of 5 (Fine. (consistency)); wanted 3 or more",
        ),
        (
            (2, 5, 5, 5, 1),
            "scene_fidelity scored 1 of 5 (Fine. (scene_fidelity)); wanted 3 or more; "
            "naturalness scored 2 of 5 (Fine. (naturalness)); wanted 3 or more",
        ),
        (
            (3, 3, 4, 4, 3),
            "the axes' mean is 3.40 of 5; wanted 3.6 or more; naturalness scored 3 of 5 (Fine. (naturalness))",
        ),
    ],
)
def test_a_finding_names_what_is_below_the_threshold_worst_first(
    scores: tuple[int, ...], finding: str | None
) -> None:
    assert find_fault(verdict(*scores), min_score=3, min_mean=3.6) == finding


def test_a_reason_that_ran_away_is_cut_and_a_missing_one_is_named() -> None:
    long = find_fault(verdict(1, 5, 5, 5, 5, reason="so\n" * 900), 3, 1)
    assert long is not None
    assert len(long) < 320
    assert "\n" not in long
    assert "…" in long
    assert find_fault(verdict(1, 5, 5, 5, 5, reason=""), 3, 1) == (
        "naturalness scored 1 of 5 (no reason given); wanted 3 or more"
    )


@given(st.lists(st.integers(1, 5), min_size=5, max_size=5), st.integers(1, 5), st.floats(1, 5))
def test_nothing_is_found_exactly_where_all_scores_and_their_mean_reach(
    scores: list[int], min_score: int, min_mean: float
) -> None:
    good = min(scores) >= min_score and sum(scores) / 5 >= min_mean
    assert (find_fault(verdict(*scores), min_score, min_mean) is None) is good


def test_scores_are_kept_by_axis() -> None:
    assert scores_of(verdict(1, 2, 3, 4, 5)) == tuple(
        AxisScore(axis=axis, score=score) for axis, score in zip(AXES, range(1, 6), strict=True)
    )


# --- the reply


def reply_of(content: str) -> ChatReply:
    return ChatReply(
        model="judge",
        content=content,
        finish_reason="stop",
        prompt_tokens=0,
        cached_tokens=0,
        completion_tokens=0,
        frames=(),
    )


def test_a_server_that_holds_to_the_schema_can_only_give_scores_that_exist() -> None:
    schema = json.loads(schema_text(Review))
    assert set(schema["properties"]) == set(AXES)
    for axis in AXES:
        assert schema["properties"][axis]["properties"]["score"]["enum"] == [1, 2, 3, 4, 5]
        assert list(schema["properties"][axis]["properties"]) == ["reason", "score"]  # reasons come first


def test_a_reply_is_read_and_a_score_that_does_not_exist_is_refused() -> None:
    review = verdict(5, 4, 3, 2, 1)
    assert parse_reply(reply_of(review.to_line()), Review) == review
    for wrong in ("0", "6", '"4"', "4.5", "null"):
        with pytest.raises(RecordError, match=r"naturalness\.score"):
            parse_reply(reply_of(review.to_line().replace('"score":5', f'"score":{wrong}')), Review)


def test_a_kept_score_lies_on_the_scale() -> None:
    for wrong in (0, 6):
        with pytest.raises(ValidationError):
            AxisScore(axis="naturalness", score=wrong)


def test_a_judgement_gives_its_reason_first() -> None:
    assert list(Judgement.model_fields) == ["reason", "score"]

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exports.exchanges import exchanges_of
from pipeline.core.exports.tagged_text import with_tags
from pipeline.core.scripting.tags import split_tags
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import EmotionalTask, Tag, TagPlace
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.timeline import Timeline
from tests.core.exports.emotional import ANGER, emotional_timeline

EN = ("It's well-known, isn't it?", "Two years of rent!", "No.")
ZH = ("我知道。", "两年一分都不退！", "他说，好吧。")


@given(st.sampled_from(EN + ZH), st.dictionaries(st.integers(0, 9), st.sampled_from(list(Tag)), max_size=4))
def test_tags_come_back_with_their_places(text: str, placed: dict[int, Tag]) -> None:
    count = len(words_of(text))
    tags = tuple(TagPlace(tag=tag, words=words) for words, tag in sorted(placed.items()) if words <= count)
    written = with_tags(text, tags)
    assert written.count("[") == len(tags)
    words, places = split_tags(written)
    assert words_of(words) == words_of(text)
    assert places == tags


@pytest.mark.parametrize("text", ["[sigh] no", "no]", "a [b"])
def test_brackets_in_words_are_refused_as_readers_take_them_for_tags(text: str) -> None:
    with pytest.raises(RecordError, match="readers take for tags") as caught:
        with_tags(text, ())
    assert caught.value.reason is Reason.NOT_EXPORTABLE


def test_a_tag_beyond_the_last_word_is_refused() -> None:
    with pytest.raises(RecordError, match=r"\[sob\] after word 3 of 'No, no.', which has 2"):
        with_tags("No, no.", (TagPlace(tag=Tag.SOB, words=3),))


def test_an_exchange_holds_a_user_turn_and_its_response() -> None:
    first, second, third = exchanges_of(emotional_timeline())
    assert [len(one.supervisions) for one in (first, second, third)] == [2, 1, 1]
    assert first.feeling.emotion is ANGER
    assert first.span.start == first.supervisions[0].span.start
    assert first.span.end == first.supervisions[1].span.end
    assert first.response is not None
    assert first.response.text.startswith("Losing that money")
    assert first.response.span is None


def test_a_spoken_response_has_a_span() -> None:
    timeline = emotional_timeline(aloud=True)
    for exchange in exchanges_of(timeline):
        assert exchange.response is not None
        span = exchange.response.span
        assert span is not None
        assert span.start > exchange.span.end


def without_last_response(timeline: Timeline) -> Timeline:
    return timeline.model_copy(update={"unsaid": timeline.unsaid[:-1]})


def interrupted(timeline: Timeline) -> Timeline:
    first = timeline.unsaid[0].model_copy(update={"why": "interrupted"})
    return timeline.model_copy(update={"unsaid": (first, *timeline.unsaid[1:])})


def half_spoken(timeline: Timeline) -> Timeline:
    extra = timeline.unsaid[0].model_copy(update={"turn": 0, "speaker": Speaker.USER})
    return timeline.model_copy(update={"unsaid": (*timeline.unsaid, extra)})


def user_twice(timeline: Timeline) -> Timeline:
    rest = tuple(u for u in timeline.unsaid if u.turn != 1)
    return timeline.model_copy(update={"unsaid": rest})


def two_speakers(timeline: Timeline) -> Timeline:
    extra = timeline.unsaid[0].model_copy(update={"turn": 0})
    return timeline.model_copy(update={"unsaid": (*timeline.unsaid, extra)})


def mislabelled(timeline: Timeline) -> Timeline:
    assert timeline.arc is not None
    feelings = timeline.arc.feelings
    return timeline.model_copy(
        update={"arc": timeline.arc.model_copy(update={"feelings": (feelings[1], *feelings[1:])})}
    )


def one_feeling_less(timeline: Timeline) -> Timeline:
    assert timeline.arc is not None
    return timeline.model_copy(
        update={"arc": timeline.arc.model_copy(update={"feelings": timeline.arc.feelings[1:]})}
    )


def empty_response(timeline: Timeline) -> Timeline:
    blank = timeline.unsaid[0].model_copy(update={"text": "  "})
    return timeline.model_copy(update={"unsaid": (blank, *timeline.unsaid[1:])})


def partly_spoken(_: Timeline) -> Timeline:
    timeline = emotional_timeline(aloud=True)
    silent = emotional_timeline().unsaid[:1]
    return timeline.model_copy(update={"unsaid": silent})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (without_last_response, "no response to user turn 3; wanted one to every turn"),
        (interrupted, "turn 1 loses the floor"),
        (half_spoken, "user turn 1 is not heard as a whole"),
        (user_twice, "turns by user, user, assistant.*; wanted user and assistant by turns"),
        (two_speakers, "turn 0 has 2 speakers"),
        (mislabelled, "user turn 1 is labelled surprise and was spoken as anger"),
        (one_feeling_less, "3 user turns and 2 feelings"),
        (empty_response, "response 1 is empty; wanted words"),
        (partly_spoken, "response 1 is heard in part"),
    ],
)
def test_what_is_not_made_of_exchanges_is_refused(change: Callable[[Timeline], Timeline], why: str) -> None:
    with pytest.raises(RecordError, match=why) as caught:
        exchanges_of(change(emotional_timeline()))
    assert caught.value.reason is Reason.NOT_EXPORTABLE
    assert "e-1: " in caught.value.detail


def test_a_single_turn_needs_no_response() -> None:
    timeline = emotional_timeline((ANGER,), EmotionalTask.RECOGNITION, responses=False)
    (only,) = exchanges_of(timeline)
    assert only.response is None

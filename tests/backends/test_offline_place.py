"""Where an event may fall: properties of every place the embedded author names."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.backends.offline.boundaries import LIMITS, find_boundaries, quote_for
from pipeline.core.scripting.steps import Adapted, AdaptedTurn, PlaceInput, Placement
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene, scene_definition
from tests.backends.offline_dialogues import ask, divide

SENTENCES = {
    Language.EN: (
        "You can take the early train, because it's usually half empty.",
        "Leave a little earlier when it rains, and keep your ticket ready.",
        "Ask John Smith from New York City about the two hundred and twenty seats he sold.",
        "Yes.",
        "It's a long way.",
        "You can take the early train if you like, so think about it.",
        "Put the lid on before you stir the rice with a wooden spoon.",
        "Nobody minds a short silence at the start.",
    ),
    Language.ZH: (
        "出门最好提前一刻钟，路上但凡有一点耽误，后面就全乱了。",
        "这趟车每天早上七点二十五分从北京南站出发，别迟到。",
        "好的。",
        "你可以先把窗户打开，然后再擦桌子。",
        "盐要一点一点地加，边做边尝，这样不容易咸。",
        "我觉得你应该早点睡因为明天还要赶飞机。",
        "别着急。",
    ),
}
PLACED = tuple(scene for scene in Scene if scene is not Scene.THIRD_PARTY_BEFORE)
NUMBER_WORDS = {"two", "hundred", "twenty", "seven"}


def place(language: Language, scene: Scene, host: tuple[str, ...], seed: int) -> str:
    user = host if scene is Scene.PAUSE_HANDLING else ("What can I do about it?",)
    turns = (
        AdaptedTurn(speaker=Speaker.USER, sentences=user),
        AdaptedTurn(speaker=Speaker.ASSISTANT, sentences=host),
    )
    request = PlaceInput(
        dialogue_id="d",
        language=language,
        scene=scene,
        event=scene_definition(scene).event,
        adapted=Adapted(topic="topic", turns=turns),
    )
    return Placement.from_line(ask("place", request, seed).content).quote


@st.composite
def hosts(draw: st.DrawFn) -> tuple[Language, tuple[str, ...]]:
    language = draw(st.sampled_from(tuple(Language)))
    return language, tuple(draw(st.lists(st.sampled_from(SENTENCES[language]), min_size=1, max_size=6)))


def _check_reason(error: RecordError) -> None:
    assert error.reason is Reason.NO_SUITABLE_TURN
    assert "wanted" in error.detail


@settings(max_examples=150, deadline=None)
@given(hosts(), st.sampled_from(PLACED), st.integers(0, 2**31 - 1))
def test_a_quote_is_exact_unique_and_away_from_the_edges(
    case: tuple[Language, tuple[str, ...]], scene: Scene, seed: int
) -> None:
    language, host = case
    try:
        quote = place(language, scene, host, seed)
    except RecordError as error:
        _check_reason(error)
        return
    assert [quote in sentence for sentence in host].count(True) == 1
    assert "\n".join(host).count(quote) == 1
    heard, unsaid = divide(host, quote)
    limits = LIMITS[language]
    assert len(words_of(heard[-1])) >= min(limits.before, len(words_of(host[len(heard) - 1])))
    at_end = not words_of(unsaid[0])
    assert at_end is False or scene is Scene.USER_BACKCHANNEL
    assert at_end or len(words_of(unsaid[0])) >= limits.after
    if scene_definition(scene).event.is_interruption:
        assert len(unsaid) > 1 or len(words_of(unsaid[0])) >= limits.after


@settings(max_examples=200, deadline=None)
@given(hosts())
def test_no_place_is_inside_a_name_or_a_number(case: tuple[Language, tuple[str, ...]]) -> None:
    language, host = case
    for sentence in host:
        words = words_of(sentence)
        for boundary in find_boundaries(sentence, language):
            left, right = words[boundary.words - 1], words[boundary.words]
            assert not (left[0].isupper() and right[0].isupper())
            assert not {left, right} <= NUMBER_WORDS
            assert not (left in "一二三四五六七八九十" and right in "一二三四五六七八九十点分")


@pytest.mark.parametrize(
    ("sentence", "language", "words"),
    [
        ("You can take the early train, because it's usually half empty.", Language.EN, 6),
        ("Keep an eye on the pot and stir it now.", Language.EN, 6),
        ("你可以先把窗户打开，然后再擦桌子。", Language.ZH, 9),
    ],
)
def test_commas_and_conjunctions_rank_before_anything_else(
    sentence: str, language: Language, words: int
) -> None:
    best = min(find_boundaries(sentence, language), key=lambda boundary: boundary.rank)
    assert best.words == words
    assert best.rank < 2


@pytest.mark.parametrize(
    ("sentence", "language"),
    [("Yes.", Language.EN), ("It's a way.", Language.EN), ("好的。", Language.ZH), ("", Language.EN)],
)
def test_short_sentences_have_no_place(sentence: str, language: Language) -> None:
    assert find_boundaries(sentence, language) == ()


def test_a_quote_grows_until_it_occurs_only_once() -> None:
    turn = (
        "First take the bread out of the oven, then wait.",
        "Now take the bread out of the oven, but slowly.",
    )
    quote = quote_for(turn, 1, 8, Language.EN)
    assert quote is not None
    assert len(quote.split()) > LIMITS[Language.EN].quote
    assert "\n".join(turn).count(quote) == 1


def test_a_repeated_sentence_is_never_quoted() -> None:
    sentence = SENTENCES[Language.EN][0]
    assert quote_for((sentence, sentence), 1, 6, Language.EN) is None


@pytest.mark.parametrize("language", tuple(Language))
def test_interruptions_mostly_fall_after_the_first_sentence_and_after_a_clause(language: Language) -> None:
    host = SENTENCES[language][:2] + SENTENCES[language][5:7]
    quotes = [place(language, Scene.TOPIC_SWITCHING, host, seed) for seed in range(40)]
    later = [quote for quote in quotes if quote not in host[0]]
    assert len(later) >= 30
    at_comma = [quote for quote in quotes if re.search(re.escape(quote) + "[,，]", "\n".join(host))]
    assert len(at_comma) >= 15


def test_a_turn_without_a_place_is_refused_with_the_reason() -> None:
    with pytest.raises(RecordError, match="wanted a sentence long enough") as caught:
        place(Language.EN, Scene.FOLLOW_UP_QUESTION, ("Yes.", "No."), 1)
    assert caught.value.reason is Reason.NO_SUITABLE_TURN

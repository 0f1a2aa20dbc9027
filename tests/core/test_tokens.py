import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.tokens import head, tokenize, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's a well-known fact.", ("It's", "a", "well-known", "fact")),
        ("don’t stop", ("don’t", "stop")),
        ("今天天气不错。", ("今", "天", "天", "气", "不", "错")),
        ("用iPhone拍的", ("用", "iPhone", "拍", "的")),
        ("the dogs' bowls", ("the", "dogs'", "bowls")),
        ("... !? ，。", ()),
        ("", ()),
    ],
)
def test_words_are_what_people_count(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@given(st.text())
def test_positions_point_at_the_words(text: str) -> None:
    for word, start, end in tokenize(text):
        assert text[start:end] == word


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Take the green line, then walk.", 4, "Take the green line,"),
        ("Take the green line, then walk.", 6, "Take the green line, then walk."),
        ("先坐地铁，再走路。", 4, "先坐地铁，"),
    ],
)
def test_a_head_ends_with_the_word_and_its_punctuation(text: str, words: int, expected: str) -> None:
    assert head(text, words) == expected

"""Sounds beside words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.scripting.tags import insert_tags, split_tags
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import Tag, TagPlace
from pipeline.domain.errors import RecordError

TEXTS = st.sampled_from(
    [
        "The landlord kept my deposit. Two years of rent and nothing back!",
        "房东不退我押金。两年的房租，一分都没退！",
        "Oh, hold on, the bank says it's there.",
        "等等，my bank 说钱到了。",
    ]
)


@pytest.mark.parametrize(
    ("text", "clean", "places"),
    [
        ("[sigh] Two years!", "Two years!", [(Tag.SIGH, 0)]),
        ("Two years! [sigh]", "Two years!", [(Tag.SIGH, 2)]),
        ("Nothing [clears throat], really.", "Nothing, really.", [(Tag.CLEARS_THROAT, 1)]),
        ("两年的房租，[sigh]一分都没退！", "两年的房租，一分都没退！", [(Tag.SIGH, 5)]),
        ("[Laughter][cough] Well.", "Well.", [(Tag.LAUGHTER, 0), (Tag.COUGH, 0)]),
        ("【sigh】算了。", "算了。", [(Tag.SIGH, 0)]),
        ("Plain words.", "Plain words.", []),
    ],
)
def test_sounds_are_taken_out_and_kept_by_place(text: str, clean: str, places: list[tuple[Tag, int]]) -> None:
    assert split_tags(text) == (clean, tuple(TagPlace(tag=tag, words=n) for tag, n in places))


@pytest.mark.parametrize(
    ("text", "named"),
    [("A [whistle] here.", "whistle"), ("wo[sigh]rd", "inside a word"), ("Wait [] now.", "known sound")],
)
def test_an_unknown_or_misplaced_sound_is_refused(text: str, named: str) -> None:
    with pytest.raises(RecordError, match=named):
        split_tags(text)


@pytest.mark.parametrize(
    "text",
    [
        "Two years! [sigh] [cough] Nothing back!",
        "[gasp] Two years!",
        "Two years! [sigh]",
        "两年的房租，[sigh][cough]一分都没退！",
        "等等，[gasp] my bank 说钱到了。",
    ],
)
def test_a_text_is_put_together_as_it_was_written(text: str) -> None:
    assert insert_tags(*split_tags(text)) == text


@given(TEXTS, st.lists(st.tuples(st.sampled_from(Tag), st.integers(0, 25)), max_size=3))
def test_what_is_put_back_comes_out_again(text: str, places: list[tuple[Tag, int]]) -> None:
    most = len(words_of(text))
    tags = tuple(
        sorted((TagPlace(tag=tag, words=min(n, most)) for tag, n in places), key=lambda one: one.words)
    )
    clean, found = split_tags(insert_tags(text, tags))
    assert words_of(clean) == words_of(text)
    assert sorted((t.words, t.tag) for t in found) == sorted((t.words, t.tag) for t in tags)

"""A text in parts that an engine says well."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.speakable.clauses import LONGEST, for_engine, split_clauses
from pipeline.core.tokens import words_of
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from tests.core.speakable import english, mandarin

EN, ZH = Language.EN, Language.ZH


@pytest.mark.parametrize(
    ("language", "text", "ended"),
    [
        (ZH, "嗯", "嗯。"),
        (ZH, "是吗？", "是吗？"),
        (ZH, "真的！", "真的！"),
        (ZH, "你好，", "你好。"),
        (ZH, "等一下——", "等一下。"),
        (ZH, "我不知道……", "我不知道……"),
        (ZH, "他说“好。”", "他说“好。”"),
        (ZH, "他说“好”", "他说“好”。"),
        (ZH, "我用iPhone", "我用iPhone。"),
        (EN, "Uh-huh", "Uh-huh."),
        (EN, " Really? ", "Really?"),
        (EN, "Well,", "Well."),
        (EN, "I was going to -", "I was going to -."),
        (EN, 'She said "yes."', 'She said "yes."'),
        (EN, 'She said "yes"', 'She said "yes".'),
    ],
)
def test_every_item_ends_with_a_stop(language: Language, text: str, ended: str) -> None:
    assert for_engine(text, language) == ended
    assert for_engine(ended, language) == ended


@pytest.mark.parametrize(
    ("text", "longest", "parts"),
    [
        ("Yes. I know.", 45, ("Yes. I know.",)),
        ("I came home. She was out. I slept.", 6, ("I came home.", "She was out. I slept.")),
        (
            "I came home late, and she was out; so I slept well.",
            8,
            ("I came home late, and she was out.", "so I slept well."),
        ),
        (
            "When I came home that night, she was out with the dog.",
            8,
            ("When I came home that night.", "she was out with the dog."),
        ),
        (
            "I wanted to go there on Monday but the shop was shut",
            8,
            ("I wanted to go there on Monday.", "but the shop was shut."),
        ),
        ("one two three four five six seven eight", 5, ("one two three four.", "five six seven eight.")),
        ("Oh, I think so, he will come to see us today.", 9, ("Oh, I think so.", "he will come to see us today.")),
        ("It's a well-known fact", 2, ("It's a.", "well-known fact.")),
        ("He said (on Monday) “never again” to me", 4, ("He said (on Monday).", "“never again” to me.")),
    ],
)  # fmt: skip
def test_english_is_cut_where_it_hurts_least(text: str, longest: int, parts: tuple[str, ...]) -> None:
    assert split_clauses(text, EN, longest) == parts


@pytest.mark.parametrize(
    ("text", "longest", "parts"),
    [
        ("好的，我知道了。", 60, ("好的，我知道了。",)),
        ("我回家了。她不在。我睡了。", 8, ("我回家了。", "她不在。我睡了。")),
        ("我先去超市买菜，然后回家做饭；你早点回来。", 14, ("我先去超市买菜，然后回家做饭。", "你早点回来。")),
        ("苹果、梨和香蕉都很好吃，你要哪个？", 12, ("苹果、梨和香蕉都很好吃。", "你要哪个？")),
        ("这个方案总体来说非常不错但是有几个细节要讨论", 14, ("这个方案总体来说非常不错。", "但是有几个细节要讨论。")),
        ("我喜欢用iPhone拍好照片", 5, ("我喜欢用。", "iPhone拍好照片。")),
        ("甲乙丙丁戊己庚辛", 4, ("甲乙丙丁。", "戊己庚辛。")),
    ],
)  # fmt: skip
def test_mandarin_is_cut_where_it_hurts_least(text: str, longest: int, parts: tuple[str, ...]) -> None:
    assert split_clauses(text, ZH, longest) == parts


def test_a_sentence_of_commas_is_cut_as_well() -> None:
    """143 characters without a full stop: the case that CosyVoice's own front end leaves in one chunk."""
    clause = "我们昨天去了那个公园，"
    parts = split_clauses(clause * 13, ZH)
    assert len(parts) == 3
    assert all(len(words_of(part)) <= LONGEST[ZH] and part.endswith("园。") for part in parts)


@pytest.mark.parametrize(("longest", "max_chars"), [(0, None), (None, 0), (-1, 5)])
def test_a_part_of_nothing_is_no_part(longest: int | None, max_chars: int | None) -> None:
    with pytest.raises(ConfigError, match="1 word"):
        split_clauses("Hello.", EN, longest, max_chars)


@pytest.mark.parametrize("text", ["", " ", "...", "？！"])
def test_without_words_there_are_no_parts(text: str) -> None:
    assert split_clauses(text, EN) == ()


SPOKEN = {
    language: tuple(spoken for _, spoken in table.CASES)
    for language, table in ((EN, english), (ZH, mandarin))
}
MARKS = {
    EN: (" ", ", ", ". ", "; ", " and ", '" ', " (", ") ", " - ", ""),
    ZH: ("", "，", "。", "；", "但是", "“", "”", "、"),
}


@settings(max_examples=200, deadline=None)
@given(
    data=st.data(),
    language=st.sampled_from(Language),
    longest=st.integers(1, 30),
    max_chars=st.one_of(st.none(), st.integers(1, 60)),
)
def test_parts_keep_every_word_and_both_bounds(
    data: st.DataObject, language: Language, longest: int, max_chars: int | None
) -> None:
    spoken = st.one_of(st.sampled_from(SPOKEN[language]), st.text(max_size=12))
    pieces = data.draw(st.lists(st.one_of(spoken, st.sampled_from(MARKS[language])), max_size=10))
    text = "".join(pieces)
    parts = split_clauses(text, language, longest, max_chars)
    assert tuple(word for part in parts for word in words_of(part)) == words_of(text)
    for part in parts:
        assert 1 <= len(words_of(part)) <= longest
        assert for_engine(part, language) == part
        assert max_chars is None or len(part) <= max_chars or len(words_of(part)) == 1

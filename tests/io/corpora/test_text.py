import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.labels import Language
from pipeline.io.corpora.text import clean_text, join_texts

EN, ZH = Language.EN, Language.ZH


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("I ' m here .", "I'm here."),
        ("I ' Ve seen it", "I've seen it"),
        ("DON ' T SHOUT", "DON'T SHOUT"),
        ("It ’ s late , isn't it ?", "It's late, isn't it?"),
        ("That does n't matter , I wo n't go", "That doesn't matter, I won't go"),
        ("You 're welcome .", "You're welcome."),
        ("seven o ' clock , Ma ' am .", "seven o'clock, Ma'am."),
        ("I 'm gon na go", "I'm gonna go"),
        ("my parents ' house", "my parents' house"),
        ("a copy of ' New York Daily ' , please", "a copy of 'New York Daily', please"),
        ('she said " stop " twice', 'she said "stop" twice'),
        ("It's the dogs' dinner. ‘Fine’, “he” said", "It's the dogs' dinner. 'Fine', \"he\" said"),
        ("well ,it rains", "well, it rains"),
        ("( so ) they say ...", "(so) they say..."),
        ("$ 20 , 15 %", "$20, 15%"),
        ("Really ? !", "Really?!"),
        ("at 3:30, no. 5", "at 3:30, no. 5"),
    ],
)
def test_english_tokenisation_is_undone(raw: str, clean: str) -> None:
    assert clean_text(raw, EN) == clean


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("你 好 吗 ？", "你好吗？"),
        ("我 用 iPhone 15 打 字", "我用iPhone 15打字"),
        ("听 Let it be 吧", "听Let it be吧"),
        ("瘦 了 . . . .", "瘦了...."),
        ("有的, 在镇上. ", "有的，在镇上。"),
        ("下午3:45到, 10,000人", "下午3:45到，10,000人"),
        ("B. 戴米尔", "B.戴米尔"),
        ("1.5小时 - 2小时", "1.5小时-2小时"),
    ],
)
def test_chinese_spacing_and_stops_are_mended(raw: str, clean: str) -> None:
    assert clean_text(raw, ZH) == clean


@pytest.mark.parametrize("language", [EN, ZH])
@pytest.mark.parametrize(
    "noise",
    [
        "\x00",
        "\x07",
        "\u200b",
        "\ufeff",
        "\u202e",
        "<b>",
        "</span>",
        "<br/>",
        "<!-- no -->",
        '<a href="x">',
        "😀",
        "👩‍👩‍👧",
        "❤️",
        "🇨🇳",
        " https://example.org/a?b=c#d ",
        " www.example.org/x ",
        " :-) ",
        "(^_^)",
        "**",
        "&nbsp;",
        "&#8203;",
        "&amp;#8203;",
        "\ue000",
    ],
)
def test_what_cannot_be_spoken_is_left_out(noise: str, language: Language) -> None:
    words = "yes yes" if language is EN else "好的好的"
    middle = len(words) // 2

    assert clean_text(noise + words + noise, language) == words
    assert clean_text(f"{words[:middle]}{noise}{words[middle:]}", language).replace(" ", "") == words.replace(
        " ", ""
    )


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("salt &amp; pepper &lt;3", "salt & pepper"),
        ("AT&T and R&B", "AT&T and R&B"),
        ("2 < 3 > 1, a <b", "2 < 3 > 1, a <b"),
        ("line one\nline two\tthree", "line one line two three"),
        ("cafe\u0301", "café"),
        ("see https://example.org.", "see."),
    ],
)
def test_entities_are_read_and_ordinary_signs_stay(raw: str, clean: str) -> None:
    assert clean_text(raw, EN) == clean


@given(st.text(), st.sampled_from([EN, ZH]))
def test_clean_text_is_one_normalised_line_without_invisible_characters(raw: str, language: Language) -> None:
    clean = clean_text(raw, language)

    assert clean == " ".join(clean.split())
    assert not any(unicodedata.category(c).startswith("C") for c in clean)


@given(st.text(alphabet="abc 你好,.!'", max_size=30), st.sampled_from([EN, ZH]))
def test_cleaning_never_changes_the_letters(raw: str, language: Language) -> None:
    def letters(text: str) -> str:
        return "".join(filter(str.isalpha, text))

    assert letters(clean_text(raw, language)) == letters(raw)


@pytest.mark.parametrize(
    ("parts", "language", "joined"),
    [
        (("hello", "how are you"), EN, "hello, how are you"),
        (("Hello.", "How are you?"), EN, "Hello. How are you?"),
        (("thanks", "?"), EN, "thanks?"),
        (('He said "no."', "Then he left"), EN, 'He said "no." Then he left'),
        (("", "alone", ""), EN, "alone"),
        (("好", "走吧"), ZH, "好，走吧"),
        (("好。", "走吧"), ZH, "好。走吧"),
        ((), ZH, ""),
    ],
)
def test_parts_of_a_turn_are_joined_with_a_stop(
    parts: tuple[str, ...], language: Language, joined: str
) -> None:
    assert join_texts(parts, language) == joined

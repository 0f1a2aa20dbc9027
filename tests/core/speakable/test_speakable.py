"""What seed text turns into before it is spoken."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.scripting.speakable import check_speakable
from pipeline.core.speakable import speakable
from pipeline.core.speakable.english_numerals import read_roman
from pipeline.core.speakable.mandarin_numerals import read_integer
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from tests.core.speakable import english, mandarin

CASES = [(Language.EN, *case) for case in english.CASES] + [(Language.ZH, *case) for case in mandarin.CASES]
REFUSED = [(Language.EN, text) for text in english.REFUSED] + [
    (Language.ZH, text) for text in mandarin.REFUSED
]
INTERJECTIONS = {Language.EN: english.INTERJECTIONS, Language.ZH: mandarin.INTERJECTIONS}


@pytest.mark.parametrize(("language", "written", "spoken"), CASES)
def test_text_is_written_as_it_is_said(language: Language, written: str, spoken: str) -> None:
    assert speakable(written, language) == spoken
    check_speakable(spoken)


@pytest.mark.parametrize("cases", [english.CASES, mandarin.CASES], ids=["en", "zh"])
def test_a_table_holds_150_different_texts(cases: tuple[tuple[str, str], ...]) -> None:
    assert len({written for written, _ in cases}) == len(cases) >= 150


@pytest.mark.parametrize(("language", "text"), REFUSED)
def test_what_would_be_a_guess_is_refused(language: Language, text: str) -> None:
    with pytest.raises(RecordError) as refusal:
        speakable(text, language)
    assert refusal.value.reason is Reason.UNSPEAKABLE_TEXT
    assert repr(text) in refusal.value.detail


@pytest.mark.parametrize(
    ("digits", "spoken"),
    [
        ("0", "零"),
        ("10", "十"),
        ("111", "一百一十一"),
        ("1001", "一千零一"),
        ("200", "两百"),
        ("2200", "两千二百"),
        ("12000", "一万两千"),
        ("20020", "两万零二十"),
        ("100010", "十万零一十"),
        ("220000", "二十二万"),
        ("10000001", "一千万零一"),
        ("120003400", "一亿两千万三千四百"),
        ("100000000", "一亿"),
        ("007", "零零七"),
    ],
)
def test_integers_are_read_in_groups_of_four(digits: str, spoken: str) -> None:
    assert read_integer(digits) == spoken


@pytest.mark.parametrize(
    ("numeral", "value"), [("II", "2"), ("IV", "4"), ("IX", "9"), ("XIV", "14"), ("XXXIX", "39")]
)
def test_roman_numerals_have_a_value(numeral: str, value: str) -> None:
    assert read_roman(numeral) == value


PIECES = (
    *(written for _, written, _ in CASES),
    *" .,?!;:'\"-\u2014\u2026()[]*_~/&%$#@+=<>\u2019\u201c，。？！、：；《》0123456789abcXYZ你好",
)
ALLOWED = {
    Language.EN: re.compile(r"(?:[^\W\d_]|['\-,.?!;: ])+"),
    Language.ZH: re.compile(r"(?:[^\W\d_]|[\u3007'\-，。？！；：、 ])+"),
}
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=6).map("".join))


def said(text: str, language: Language) -> str | None:
    try:
        return speakable(text, language)
    except RecordError:
        return None


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, language=st.sampled_from(Language))
def test_speakable_text_is_words_and_punctuation_and_stays_as_it_is(text: str, language: Language) -> None:
    once = said(text, language)
    assert once == said(text, language)
    if once is not None:
        assert words_of(once)
        assert ALLOWED[language].fullmatch(once)
        assert speakable(once, language) == once


@settings(max_examples=100, deadline=None)
@given(data=st.data(), language=st.sampled_from(Language), before=TEXTS, after=TEXTS)
def test_interjections_survive(data: st.DataObject, language: Language, before: str, after: str) -> None:
    stop = "。" if language is Language.ZH else ". "
    interjection = data.draw(st.sampled_from(INTERJECTIONS[language]))
    alone = f"{interjection}{stop}"
    spoken = said(f"{alone}{before.strip()}", language)
    if spoken is not None:
        assert words_of(spoken)[: len(words_of(interjection))] == words_of(interjection)
    spoken = said(f"{after.strip()}\n{stop}{alone}", language)
    if spoken is not None:
        assert words_of(spoken)[-len(words_of(interjection)) :] == words_of(interjection)

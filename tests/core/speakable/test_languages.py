"""Which language a text is in, and whose voice says it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.speakable.languages import language_runs, route_sentences, voice_language
from pipeline.domain.labels import Language

EN, ZH = Language.EN, Language.ZH


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("你好，再见。", ((ZH, "你好，再见。"),)),
        ("It's fine.", ((EN, "It's fine."),)),
        ("用iPhone拍。", ((ZH, "用"), (EN, "iPhone"), (ZH, "拍。"))),
        ("“OK”，走吧", ((EN, "“OK”，"), (ZH, "走吧"))),
        ("Let's eat 麻婆豆腐 now", ((EN, "Let's eat "), (ZH, "麻婆豆腐 "), (EN, "now"))),
        ("5 café", ((EN, "5 café"),)),
        ("123 ...", ()),
        ("", ()),
    ],
)
def test_a_text_is_cut_where_its_script_changes(text: str, runs: tuple[tuple[Language, str], ...]) -> None:
    assert language_runs(text) == runs


@pytest.mark.parametrize(
    ("declared", "sentence", "voice"),
    [
        (ZH, "我用iPhone。", ZH),
        (ZH, "OK。", ZH),
        (ZH, "Thank you!", ZH),
        (ZH, "Have a nice day!", EN),
        (ZH, "我really love this song！", ZH),
        (ZH, "三W点example点com", ZH),
        (ZH, "……", ZH),
        (EN, "I bought an iPhone.", EN),
        (EN, "Let's eat 麻婆豆腐 today.", EN),
        (EN, "你好！", ZH),
        (EN, "我觉得这个idea很好。", ZH),
        (EN, "...", EN),
    ],
)
def test_a_sentence_goes_to_the_voice_that_can_say_it(
    declared: Language, sentence: str, voice: Language
) -> None:
    assert voice_language(sentence, declared) is voice


@pytest.mark.parametrize(
    ("declared", "text", "routed"),
    [
        (ZH, "好的。再见。", ((ZH, "好的。再见。"),)),
        (
            ZH,
            "好的。See you next week! 再见。",
            ((ZH, "好的。"), (EN, "See you next week! "), (ZH, "再见。")),
        ),
        (ZH, "It is late. You should sleep. 晚安", ((EN, "It is late. You should sleep. "), (ZH, "晚安"))),
        (ZH, "他说“I do not know.”然后走了。", ((ZH, "他说“I do not know.”然后走了。"),)),
        (EN, "It costs 3.5 dollars... 好吧。", ((EN, "It costs 3.5 dollars... "), (ZH, "好吧。"))),
        (EN, "!!! Go.", ((EN, "!!! Go."),)),
        (EN, "", ()),
    ],
)
def test_whole_sentences_are_routed_and_neighbours_joined(
    declared: Language, text: str, routed: tuple[tuple[Language, str], ...]
) -> None:
    assert route_sentences(text, declared) == routed


@given(text=st.text("你好世界ab cdé.。!？,，“”3か", max_size=40), declared=st.sampled_from(Language))
def test_joined_parts_are_the_text(text: str, declared: Language) -> None:
    runs, routed = language_runs(text), route_sentences(text, declared)
    assert "".join(part for _, part in routed) == text
    assert not runs or "".join(part for _, part in runs) == text
    for parts in (runs, routed):
        assert all(a is not b for (a, _), (b, _) in pairwise(parts))

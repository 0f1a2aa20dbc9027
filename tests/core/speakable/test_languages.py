"""Whose voice says an utterance."""

import pytest

from pipeline.core.speakable.languages import voice_language
from pipeline.domain.labels import Language

EN, ZH = Language.EN, Language.ZH


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

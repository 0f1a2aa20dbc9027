"""Addresses bring Latin letters into Mandarin: the embedded engine says them, and times every word."""

import asyncio
from collections.abc import Iterator

import pytest

from pipeline.backends.espeak import EspeakSynthesizer
from pipeline.core.speakable import speakable
from pipeline.core.tokens import words_of
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.voice import SpeechRequest
from pipeline.io.voices import load_catalogue

pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[EspeakSynthesizer]:
    with EspeakSynthesizer(workers=1) as made:
        yield made


@pytest.mark.parametrize(
    ("language", "written"),
    [
        (Language.EN, "www.example.co.uk"),
        (Language.EN, "jane.doe@bbc.com"),
        (Language.ZH, "请看www.example.com"),
        (Language.ZH, "发到jane_99@mail.example.cn"),
        (Language.ZH, "打开report.pdf"),
    ],
)
def test_an_address_is_said_word_by_word(
    synthesizer: EspeakSynthesizer, language: Language, written: str
) -> None:
    text = speakable(written, language)
    voice = next(
        voice
        for voice in load_catalogue()
        if voice.backend == synthesizer.backend and voice.language is language
    )
    request = SpeechRequest(
        text=text, language=language, voice=voice, emotion=Emotion.NEUTRAL, style=Style.PLAIN, seed=0
    )
    take = asyncio.run(synthesizer.synthesize(request))
    assert tuple(word.text for word in take.words) == words_of(text)

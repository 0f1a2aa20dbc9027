"""What the engine misreads is spelled for it, and nobody else notices."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backends.espeak import EspeakSynthesizer
from pipeline.backends.espeak.spelling import spell
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.voice import SpeechRequest
from pipeline.domain.words import TimeSource
from pipeline.io.voices import load_catalogue


@pytest.mark.parametrize(
    ("language", "text", "spelled"),
    [
        (Language.EN, "Mm-hmm.", "[[m'mh@m]]."),
        (Language.EN, "Mhm, mhmm!", "[[m'mh@m]], [[m'mh@m]]!"),
        (Language.EN, "Hmm... hm", "[[h'm-]]... [[h'm-]]"),
        (Language.EN, "Mm, ham", "[[m'm-]], ham"),
        (Language.EN, "Shhh!", "[[S:]]!"),
        (Language.EN, "Uhh, aww, eww", "uh, aw, ew"),
        (Language.EN, "Sooo goooood", "So good"),
        (Language.EN, "I don\u2019t", "I don't"),
        (Language.EN, "one\ntwo", "one two"),
        (Language.ZH, "熊猫很穷。", "[[S;j'ong35]]猫很[[tS;hj'ong35]]。"),
        (Language.ZH, "嗯，hmm", "嗯，hmm"),
    ],
)
def test_words_are_spelled_for_the_engine(language: Language, text: str, spelled: str) -> None:
    assert spell(text, language).text == spelled


@given(
    text=st.lists(st.sampled_from(["Mm-hmm", "so", "sooo", "熊", "猫", " ", ", ", "don\u2019t", "shh"])).map(
        "".join
    ),
    language=st.sampled_from(Language),
)
def test_every_place_leads_back_to_its_word(text: str, language: Language) -> None:
    spelled = spell(text, language)
    assert len(spelled.origin) == len(spelled.text) + 1
    assert list(spelled.origin) == sorted(spelled.origin)
    assert (spelled.position(0), spelled.position(10**6), spelled.position(-1)) == (0, len(text), 0)
    for place, char in enumerate(spelled.text):
        if char in " ,猫":
            assert text[spelled.position(place)] == char


@pytest.mark.parametrize(
    ("voice_id", "text", "longest_s"),
    [("en-f01", "Mm-hmm.", 0.6), ("en-m01", "Hmm.", 0.4), ("en-f02", "Shh!", 0.4), ("zh-f01", "熊猫。", 0.8)],
)
def test_what_was_spelled_out_letter_by_letter_is_a_word_now(
    voice_id: str, text: str, longest_s: float
) -> None:
    pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")
    voice = next(v for v in load_catalogue() if v.voice_id == voice_id)
    request = SpeechRequest(
        text=text, language=voice.language, voice=voice, emotion=Emotion.NEUTRAL, style=Style.PLAIN, seed=0
    )
    with EspeakSynthesizer(workers=1) as synthesizer:
        clip = asyncio.run(synthesizer.synthesize(request))
    assert 0.1 < len(clip.samples) / clip.sampling_rate < longest_s
    assert "".join(word.text for word in clip.words) in text
    assert {word.source for word in clip.words} == {TimeSource.ENGINE}

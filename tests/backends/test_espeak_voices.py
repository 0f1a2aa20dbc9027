"""The catalogue says what the voices sound like, and the prosody table what emotion does to them."""

import asyncio
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from pipeline.backends.espeak import EspeakSynthesizer
from pipeline.backends.espeak.calibration import TEST_SENTENCES, measure_median_f0_hz
from pipeline.backends.espeak.prosody import EMOTIONS, STYLES, prosody
from pipeline.core.speakable import speakable
from pipeline.core.voice_measures import median_f0_hz
from pipeline.domain.labels import Emotion, Gender, Language, Style
from pipeline.domain.takes import Take
from pipeline.domain.voice import SpeechRequest, Voice
from pipeline.io.voices import load_catalogue

VOICES = tuple(voice for voice in load_catalogue() if voice.backend == "espeak")
PARAMETERS = Path(__file__).resolve().parents[2] / "voices" / "espeak"


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[EspeakSynthesizer]:
    pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")
    with EspeakSynthesizer(workers=2) as shared:
        yield shared


def speak(synthesizer: EspeakSynthesizer, voice: Voice, emotion: Emotion, style: Style = Style.PLAIN) -> Take:
    request = SpeechRequest(
        text=TEST_SENTENCES[voice.language],
        language=voice.language,
        voice=voice,
        emotion=emotion,
        style=style,
        seed=0,
    )
    return asyncio.run(synthesizer.synthesize(request))


@pytest.mark.parametrize("voice", VOICES[::3], ids=lambda voice: voice.voice_id)
def test_median_f0_is_what_the_catalogue_says(synthesizer: EspeakSynthesizer, voice: Voice) -> None:
    measured_hz = asyncio.run(measure_median_f0_hz(synthesizer, voice))
    assert measured_hz == pytest.approx(voice.median_f0_hz, rel=0.05)


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.voice_id)
def test_formant_scale_and_gender_are_those_of_the_parameter_file(voice: Voice) -> None:
    base, _, variant = voice.backend_voice.partition("+humdial-")
    lines = [line.split() for line in (PARAMETERS / variant).read_text().splitlines() if line]
    assert base == {Language.EN: "en-us", Language.ZH: "cmn"}[voice.language]
    assert {int(line[2]) / 100 for line in lines if line[0] == "formant"} == {voice.formant_scale}
    assert ["gender", voice.gender.value] in lines
    assert ["flutter", "0"] in lines
    assert voice.speaker == f"espeak-{variant}"


def test_every_parameter_file_is_in_the_catalogue_in_both_languages() -> None:
    names = sorted(path.name for path in PARAMETERS.iterdir())
    for language in Language:
        assert sorted(v.speaker.removeprefix("espeak-") for v in VOICES if v.language is language) == names


@pytest.mark.parametrize("language", list(Language))
def test_any_two_voices_can_be_told_apart(language: Language) -> None:
    """By 12 % in pitch or by 6 % in formants: about the differences that listeners take for another person."""
    close = [
        (one.voice_id, other.voice_id)
        for one, other in combinations([v for v in VOICES if v.language is language], 2)
        if _ratio(one.median_f0_hz, other.median_f0_hz) < 1.12
        and _ratio(one.formant_scale, other.formant_scale) < 1.06
    ]
    assert close == []


def _ratio(one: float, other: float) -> float:
    return max(one, other) / min(one, other)


@pytest.mark.parametrize("language", list(Language))
def test_pitch_separates_the_genders(language: Language) -> None:
    pitch = {
        gender: [v.median_f0_hz for v in VOICES if v.language is language and v.gender is gender]
        for gender in Gender
    }
    assert max(pitch[Gender.MALE]) < 165
    assert min(pitch[Gender.FEMALE]) > 150


DIRECTIONS = [
    # emotion, style, pitch, length
    (Emotion.HAPPY, Style.PLAIN, 1, -1),
    (Emotion.SAD, Style.PLAIN, -1, 1),
    (Emotion.ANGER, Style.PLAIN, 1, -1),
    (Emotion.FEAR, Style.PLAIN, 1, -1),
    (Emotion.SURPRISE, Style.PLAIN, 1, -1),
    (Emotion.DISGUST, Style.PLAIN, -1, 1),
    (Emotion.NEUTRAL, Style.CALM, -1, 1),
    (Emotion.NEUTRAL, Style.EXCITED, 1, -1),
    (Emotion.NEUTRAL, Style.SERIOUS, -1, 1),
]


@pytest.mark.parametrize("voice_id", ["en-f01", "en-m04", "zh-f02", "zh-m06"])
def test_emotion_and_style_move_pitch_and_rate_as_documented(
    synthesizer: EspeakSynthesizer, voice_id: str
) -> None:
    voice = next(v for v in VOICES if v.voice_id == voice_id)
    plain = speak(synthesizer, voice, Emotion.NEUTRAL)
    plain_hz = median_f0_hz(plain.samples, plain.sampling_rate)
    for emotion, style, higher, longer in DIRECTIONS:
        clip = speak(synthesizer, voice, emotion, style)
        pitch = median_f0_hz(clip.samples, clip.sampling_rate) / plain_hz - 1
        length = len(clip.samples) / len(plain.samples) - 1
        assert pitch * higher > 0.01, (emotion, style)
        assert length * longer > 0.03, (emotion, style)


def test_style_counts_only_where_the_emotion_is_neutral() -> None:
    for emotion in Emotion:
        settings = {prosody(Language.EN, emotion, style) for style in Style}
        assert len(settings) == (len(Style) if emotion is Emotion.NEUTRAL else 1)


def test_every_setting_stays_inside_what_the_engine_takes() -> None:
    assert set(EMOTIONS) == set(Emotion)
    assert set(STYLES) == set(Style)
    for language in Language:
        for emotion in Emotion:
            for style in Style:
                settings = prosody(language, emotion, style)
                assert 80 <= settings.rate_wpm <= 400
                assert 0 <= settings.pitch <= 99
                assert 0 <= settings.pitch_range <= 99
                assert 0 < settings.volume <= 100


@pytest.mark.parametrize("emotion", [Emotion.ANGER, Emotion.SURPRISE])
@pytest.mark.parametrize("language", list(Language))
def test_no_voice_clips(synthesizer: EspeakSynthesizer, language: Language, emotion: Emotion) -> None:
    for voice in VOICES:
        if voice.language is language:
            clip = speak(synthesizer, voice, emotion)
            peak = float(np.abs(clip.samples).max())
            assert 0.2 < peak < 0.95, voice.voice_id


@pytest.mark.parametrize("language", list(Language))
def test_the_test_sentences_are_speakable_as_they_are(language: Language) -> None:
    assert speakable(TEST_SENTENCES[language], language) == TEST_SENTENCES[language]

"""Emotions are heard in pitch, its range, rate and level as the prosody table promises, in both languages.

Pitch is Praat's to tell: a tracker of others, and the one that phoneticians use.
"""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.backends.espeak import EspeakSynthesizer
from pipeline.backends.espeak.prosody import EMOTIONS, INTENSITIES, RANKS, Measure, prosody
from pipeline.core.loudness import integrated_loudness_lufs
from pipeline.core.speakable import speakable
from pipeline.domain.emotional import Intensity
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.takes import Take
from pipeline.domain.voice import SpeechRequest
from pipeline.io.voices import load_catalogue
from tests.backends.said_in_any_mood import SENTENCES

VOICES = {voice.voice_id: voice for voice in load_catalogue() if voice.backend == "espeak"}
SPEAKERS = ("f01", "m04")
OUTERMOST = ("f01", "f04", "m01", "m05")
"""Of each gender one in the middle, and the highest and the lowest of all voices."""
WANTED_SHARE = 0.95

Figures = dict[Measure, float]


class Case(NamedTuple):
    """The same text by the same voice; everything else is compared."""

    language: Language
    speaker: str
    text: str


Measured = dict[tuple[Case, Emotion], Figures]


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[EspeakSynthesizer]:
    pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")
    with EspeakSynthesizer(workers=2) as shared:
        yield shared


def cases(language: Language, speakers: Sequence[str], sentences: Sequence[str]) -> list[Case]:
    return [Case(language, *one) for one in product(speakers, sentences)]


def speak(
    synthesizer: EspeakSynthesizer,
    asked: Sequence[Case],
    emotions: Sequence[Emotion] = tuple(Emotion),
    intensity: Intensity = Intensity.CLEAR,
) -> dict[tuple[Case, Emotion], Take]:
    keys = list(product(asked, emotions))
    requests = [
        SpeechRequest(
            text=case.text,
            language=case.language,
            voice=VOICES[f"{case.language.value}-{case.speaker}"],
            emotion=emotion,
            style=Style.PLAIN,
            intensity=intensity,
            seed=0,
        )
        for case, emotion in keys
    ]

    async def gather() -> list[Take]:
        return list(await asyncio.gather(*(synthesizer.synthesize(request) for request in requests)))

    return dict(zip(keys, asyncio.run(gather()), strict=True))


def measured(clips: dict[tuple[Case, Emotion], Take]) -> Measured:
    pytest.importorskip("parselmouth", reason="praat-parselmouth is not installed")
    return {key: figures(clip) for key, clip in clips.items()}


def figures(clip: Take) -> Figures:
    """Pitch in semitones above 100 Hz, its range from the 10th to the 90th percentile, words (in Mandarin:
    syllables) per second without pauses, and loudness before any gain."""
    pitch_st = 12 * np.log2(f0_track_hz(clip) / 100)
    low, middle, high = (float(value) for value in np.percentile(pitch_st, (10, 50, 90)))
    return {
        Measure.MEDIAN_F0: middle,
        Measure.F0_RANGE: high - low,
        Measure.RATE: len(clip.words) / audible_s(clip),
        Measure.LEVEL: integrated_loudness_lufs(clip.samples, clip.sampling_rate),
    }


def f0_track_hz(clip: Take) -> npt.NDArray[np.float64]:
    """Voiced frames, tracked twice: the second time within what the first one found (De Looze and Hirst)."""
    import parselmouth

    sound = parselmouth.Sound(clip.samples.astype(np.float64), sampling_frequency=clip.sampling_rate)
    first = sound.to_pitch_ac(time_step=0.01, pitch_floor=50, pitch_ceiling=600).selected_array["frequency"]
    lower, upper = np.percentile(first[first > 0], (25, 75))
    pitch = sound.to_pitch_ac(time_step=0.01, pitch_floor=0.7 * lower, pitch_ceiling=2.0 * upper)
    track = pitch.selected_array["frequency"]
    return np.asarray(track[track > 0], dtype=np.float64)


def audible_s(clip: Take) -> float:
    """Seconds that are no pause: frames of 10 ms within 40 dB of the loudest one."""
    frame = clip.sampling_rate // 100
    count = len(clip.samples) // frame
    power = np.square(clip.samples[: count * frame].reshape(count, frame), dtype=np.float64).mean(axis=1)
    return float(np.count_nonzero(power > power.max() * 1e-4)) / 100


def claims(measure: Measure) -> Iterator[tuple[Emotion, Emotion]]:
    """(lower, higher) of every pair of emotions that the table ranks."""
    for below, above in combinations(RANKS[measure], 2):
        yield from product(below, above)


def share_held(found: Measured, measure: Measure, low: Emotion, high: Emotion) -> float:
    """Of the paired renderings, those that differ in the documented direction."""
    held = [found[case, low][measure] < found[case, high][measure] for case, e in found if e is low]
    return sum(held) / len(held)


def test_any_two_emotions_differ_in_rank_somewhere() -> None:
    ranked = {frozenset(pair) for measure in Measure for pair in claims(measure)}
    assert ranked == {frozenset(pair) for pair in combinations(Emotion, 2)}


@pytest.mark.parametrize("language", list(Language))
def test_emotions_are_heard_in_the_documented_directions(
    synthesizer: EspeakSynthesizer, language: Language
) -> None:
    found = measured(speak(synthesizer, cases(language, SPEAKERS, SENTENCES[language][:2])))
    wrong = [
        (measure.value, low.value, high.value)
        for measure in Measure
        for low, high in claims(measure)
        if share_held(found, measure, low, high) < WANTED_SHARE
    ]
    assert wrong == []


@pytest.mark.parametrize("speaker", SPEAKERS)
@pytest.mark.parametrize("language", list(Language))
def test_a_stronger_emotion_is_heard_further_from_neutral(
    synthesizer: EspeakSynthesizer, language: Language, speaker: str
) -> None:
    (case,) = cases(language, (speaker,), SENTENCES[language][:1])
    by_intensity = [measured(speak(synthesizer, [case], intensity=how)) for how in Intensity]
    neutral = by_intensity[0][case, Emotion.NEUTRAL]
    for measure in Measure:
        for low, high in claims(measure):
            if Emotion.NEUTRAL in (low, high):
                felt = high if low is Emotion.NEUTRAL else low
                off = [abs(found[case, felt][measure] - neutral[measure]) for found in by_intensity]
                assert off == sorted(off), (measure, felt)
                assert off[0] < 0.8 * off[-1], (measure, felt)


def test_intensity_moves_nothing_where_nothing_is_felt() -> None:
    for language, style in product(Language, Style):
        assert len({prosody(language, Emotion.NEUTRAL, style, how) for how in Intensity}) == 1


def test_no_setting_is_cut_off_at_the_ends_of_the_engines_scales() -> None:
    """A clamped one would make strong feelings sound like clear ones, and the ranks above would not tell."""
    assert set(INTENSITIES) == set(Intensity)
    for language, emotion in product(Language, EMOTIONS):
        if emotion is not Emotion.NEUTRAL:
            mild, clear, strong = (prosody(language, emotion, Style.PLAIN, how) for how in Intensity)
            assert len({mild, clear, strong}) == 3
            row = EMOTIONS[emotion]
            assert strong.pitch == round(50 + 1.4 * row.pitch)
            assert strong.pitch_range == round(50 + 1.4 * row.pitch_range)


@pytest.mark.parametrize("language", list(Language))
def test_no_voice_clips_in_the_strongest_anger(synthesizer: EspeakSynthesizer, language: Language) -> None:
    speakers = [
        v.voice_id.removeprefix(f"{language.value}-") for v in VOICES.values() if v.language is language
    ]
    asked = cases(language, speakers, SENTENCES[language][-2:])
    clips = speak(synthesizer, asked, (Emotion.ANGER,), Intensity.STRONG)
    assert max(float(np.abs(clip.samples).max()) for clip in clips.values()) < 0.99


@pytest.mark.parametrize("language", list(Language))
def test_the_sentences_are_forty_and_speakable_as_they_are(language: Language) -> None:
    assert len(set(SENTENCES[language])) == 40
    for text in SENTENCES[language]:
        assert speakable(text, language) == text


@pytest.mark.slow
@pytest.mark.parametrize("language", list(Language))
def test_forty_sentences_by_four_voices_hold_every_direction(
    synthesizer: EspeakSynthesizer, language: Language
) -> None:
    """160 pairs for each claim. The table's doc-string has the figures; `-rP` shows them."""
    found = measured(speak(synthesizer, cases(language, OUTERMOST, SENTENCES[language])))
    print_table(found)
    shares = {
        (measure.value, low.value, high.value): share_held(found, measure, low, high)
        for measure in Measure
        for low, high in claims(measure)
    }
    print("lowest shares:", sorted((round(share, 3), claim) for claim, share in shares.items())[:5])
    assert {claim: share for claim, share in shares.items() if share < WANTED_SHARE} == {}


def print_table(found: Measured) -> None:
    """Medians over all renderings of the difference to neutral; rates as a quotient."""
    for emotion in Emotion:
        row = []
        for measure in Measure:
            pairs = [
                (found[c, emotion][measure], found[c, Emotion.NEUTRAL][measure])
                for c, e in found
                if e is emotion
            ]
            quotient = measure is Measure.RATE
            row.append(float(np.median([a / b if quotient else a - b for a, b in pairs])))
        print(f"{emotion.value:9}", "  ".join(f"{value:+6.2f}" for value in row))

"""Events of the engine become one span per word."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.backends.espeak import EspeakSynthesizer
from pipeline.backends.espeak.alignment import EngineEvent, align
from pipeline.core.tokens import words_of
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.span import Span
from pipeline.domain.voice import SpeechRequest
from pipeline.domain.words import TimeSource, Word, ordered_inside
from pipeline.io.voices import load_catalogue

RATE_HZ = 1000
"""One sample per millisecond, so that the tables below read as milliseconds."""


def word(position: int, sample: int) -> EngineEvent:
    return EngineEvent("word", position, sample)


def pause(sample: int) -> EngineEvent:
    return EngineEvent("pause", 0, sample)


def end(position: int, sample: int) -> EngineEvent:
    return EngineEvent("end", position, sample)


def phoneme(sample: int) -> EngineEvent:
    return EngineEvent("phoneme", 0, sample)


def rows(words: tuple[Word, ...]) -> list[tuple[str, int, int, str]]:
    return [(w.text, w.span.start, w.span.end, w.source.value) for w in words]


CASES = {
    "a word runs to the next": (
        "one two",
        [word(0, 0), word(4, 300), pause(600), end(7, 700)],
        [(5, 595)],
        [("one", 5, 300, "engine"), ("two", 300, 595, "engine")],
    ),
    "a word before a pause ends where the sound does": (
        "well, yes",
        [word(0, 0), pause(300), end(5, 400), word(6, 400), phoneme(410), pause(800), end(9, 900)],
        [(0, 290), (405, 790)],
        [("well", 0, 290, "engine"), ("yes", 405, 790, "engine")],
    ),
    "a closure that is no pause splits nothing": (
        "at ten",
        [word(0, 0), word(3, 200), pause(500), end(6, 600)],
        [(0, 150), (240, 500)],
        [("at", 0, 200, "engine"), ("ten", 200, 500, "engine")],
    ),
    "characters of one dictionary word share its span": (
        "我不知道",
        [word(0, 0), word(1, 100), pause(400), end(4, 500)],
        [(0, 400)],
        [
            ("我", 0, 100, "engine"),
            ("不", 100, 200, "engine"),
            ("知", 200, 300, "estimate"),
            ("道", 300, 400, "estimate"),
        ],
    ),
    "of two events for one word the first counts": (
        "我用iPhone",
        [word(0, 0), word(1, 100), word(2, 200), word(3, 250), pause(600), end(8, 600)],
        [(0, 600)],
        [("我", 0, 100, "engine"), ("用", 100, 200, "engine"), ("iPhone", 200, 600, "engine")],
    ),
    "words without an event share by syllables": (
        "a banana",
        [word(0, 0), pause(410), end(8, 500)],
        [(0, 450)],
        [("a", 0, 100, "engine"), ("banana", 100, 450, "estimate")],
    ),
    "a clause whose first word has no event still starts after the pause": (
        "well, a bit",
        [word(0, 0), pause(200), end(5, 300), phoneme(300), word(8, 400), pause(600), end(11, 700)],
        [(0, 200), (300, 600)],
        [("well", 0, 200, "engine"), ("a", 300, 400, "estimate"), ("bit", 400, 600, "engine")],
    ),
    "no events at all": (
        "one two",
        [],
        [(10, 210)],
        [("one", 10, 110, "estimate"), ("two", 110, 210, "estimate")],
    ),
    "events that run backwards are not believed": (
        "one two six",
        [word(0, 0), word(4, 500), word(8, 200), pause(600), end(11, 600)],
        [(0, 600)],
        [("one", 0, 500, "engine"), ("two", 500, 550, "engine"), ("six", 550, 600, "estimate")],
    ),
    "an event after the sound is not believed": (
        "one two",
        [word(0, 0), word(4, 900)],
        [(0, 600)],
        [("one", 0, 300, "engine"), ("two", 300, 600, "estimate")],
    ),
    "positions on punctuation count for the next word": (
        "'one, two",
        [word(0, 0), word(5, 300), pause(600)],
        [(0, 600)],
        [("one", 0, 300, "engine"), ("two", 300, 600, "engine")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_events_become_spans(name: str) -> None:
    text, events, runs, wanted = CASES[name]
    assert rows(align(text, events, runs, RATE_HZ)) == wanted


def test_more_words_than_samples_is_an_error() -> None:
    with pytest.raises(ValueError, match="span"):
        align("one two six", [], [(0, 2)], RATE_HZ)


EVENTS = st.lists(
    st.builds(
        EngineEvent,
        st.sampled_from(["word", "end", "pause", "phoneme"]),
        st.integers(-1, 40),
        st.integers(0, 3000),
    ),
    max_size=30,
)
RUNS = st.lists(st.integers(0, 3000), min_size=2, max_size=10, unique=True).map(
    lambda edges: list(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@settings(max_examples=300)
@given(
    text=st.lists(
        st.sampled_from(["one", "banana", "不", "知道", ", ", " ", "。"]), min_size=1, max_size=12
    ).map("".join),
    events=EVENTS,
    runs=RUNS,
)
def test_no_events_whatever_break_the_order_of_words(
    text: str, events: list[EngineEvent], runs: list[tuple[int, int]]
) -> None:
    tokens = words_of(text)
    if not tokens or runs[-1][1] - runs[0][0] < 10 * len(text):
        return
    words = align(text, events, runs, RATE_HZ)
    assert tuple(w.text for w in words) == tokens
    assert ordered_inside(words, Span(start=runs[0][0], end=runs[-1][1]))
    assert (words[0].span.start, words[-1].span.end) == (runs[0][0], runs[-1][1])


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[EspeakSynthesizer]:
    pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")
    with EspeakSynthesizer(workers=1) as shared:
        yield shared


VOICES = tuple(voice for voice in load_catalogue() if voice.backend == "espeak")
ENGLISH = [
    "I",
    "don't",
    "know",
    "a",
    "bit",
    "of",
    "it",
    "going",
    "to",
    "the",
    "well-known",
    "OK",
    "café",
    "sixths",
    "uh",
]
MANDARIN = [
    "我",
    "你们",
    "觉得",
    "不知道",
    "怎么样",
    "服务",
    "今天",
    "一个",
    "好的",
    "嗯",
    "iPhone",
    "OK",
    "了",
    "儿子",
    "这儿",
]


def sentences(words: list[str], separators: list[str], stops: list[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(st.sampled_from(words), st.sampled_from(separators))
    return st.tuples(st.lists(pair, min_size=1, max_size=12), st.sampled_from(stops)).map(
        lambda drawn: (
            "".join(word + separator for word, separator in drawn[0][:-1]) + drawn[0][-1][0] + drawn[1]
        )
    )


@settings(max_examples=60)
@given(
    drawn=st.one_of(
        sentences(ENGLISH, [" ", " ", " ", ", ", "; ", "! "], [".", "?", ""]).map(lambda t: (Language.EN, t)),
        sentences(MANDARIN, ["", "", "", "，", "、", "。"], ["。", "？", ""]).map(lambda t: (Language.ZH, t)),
    ),
    emotion=st.sampled_from(Emotion),
    pick=st.integers(0, 15),
)
def test_every_word_of_a_sentence_has_its_time(
    synthesizer: EspeakSynthesizer, drawn: tuple[Language, str], emotion: Emotion, pick: int
) -> None:
    language, text = drawn
    voice = [v for v in VOICES if v.language is language][pick]
    request = SpeechRequest(
        text=text, language=language, voice=voice, emotion=emotion, style=Style.PLAIN, seed=1
    )
    clip = asyncio.run(synthesizer.synthesize(request))
    assert tuple(w.text for w in clip.words) == words_of(text)
    assert min(len(w.span) for w in clip.words) >= 0.02 * clip.sampling_rate
    assert clip.words[0].span.start <= 0.006 * clip.sampling_rate
    assert clip.words[-1].span.end >= len(clip.samples) - 0.011 * clip.sampling_rate
    from_engine = sum(w.source is TimeSource.ENGINE for w in clip.words)
    assert from_engine >= len(clip.words) * (0.25 if language is Language.ZH else 0.5)

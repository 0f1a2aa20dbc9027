"""Estimated word times: every word, in order, inside, and near to what an engine that knows says."""

import asyncio

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.tokens import words_of
from pipeline.core.word_times import RESOLUTION_MS, check_words, estimate_words
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.quarantine import Reason
from pipeline.domain.span import Span
from pipeline.domain.takes import Take
from pipeline.domain.voice import SpeechRequest
from pipeline.domain.words import TimeSource, Word, ordered_inside
from pipeline.io.voices import load_catalogue

RATE = 8000
Wave = npt.NDArray[np.float32]


def talk(*spans_ms: tuple[int, int], total_ms: int) -> Wave:
    """A hum in some stretches, silence elsewhere."""
    samples = np.zeros(total_ms * RATE // 1000, np.float32)
    for start, end in spans_ms:
        samples[start * RATE // 1000 : end * RATE // 1000] = 0.1
    return samples


def milliseconds(words: tuple[Word, ...]) -> list[tuple[str, int, int]]:
    return [(w.text, w.span.start * 1000 // RATE, w.span.end * 1000 // RATE) for w in words]


PLACES: dict[str, tuple[str, Language, Wave, list[tuple[str, int, int]]]] = {
    "characters share alike": (
        "三十六岁",
        Language.ZH,
        talk((100, 900), total_ms=1000),
        [("三", 100, 300), ("十", 300, 500), ("六", 500, 700), ("岁", 700, 900)],
    ),
    "a comma is where the silence is": (
        "三十，六十岁",
        Language.ZH,
        talk((0, 600), (900, 1500), total_ms=1500),
        [("三", 0, 300), ("十", 300, 600), ("六", 900, 1100), ("十", 1100, 1300), ("岁", 1300, 1500)],
    ),
    "a comma without a silence is no border": (
        "三十，六岁",
        Language.ZH,
        talk((0, 800), total_ms=800),
        [("三", 0, 200), ("十", 200, 400), ("六", 400, 600), ("岁", 600, 800)],
    ),
    "a long silence without a comma lies between two words": (
        "三十六岁",
        Language.ZH,
        talk((0, 210), (800, 1390), total_ms=1390),
        [("三", 0, 210), ("十", 800, 996), ("六", 996, 1193), ("岁", 1193, 1390)],
    ),
    "of two marks the silence belongs to the one where it fits": (
        "三，十六七八，岁",
        Language.ZH,
        talk((0, 1000), (1300, 1500), total_ms=1500),
        [
            ("三", 0, 200),
            ("十", 200, 400),
            ("六", 400, 600),
            ("七", 600, 800),
            ("八", 800, 1000),
            ("岁", 1300, 1500),
        ],
    ),
    "a closure inside a word is no border": (
        "wonderful",
        Language.EN,
        talk((0, 200), (250, 700), total_ms=800),
        [("wonderful", 0, 700)],
    ),
    "a particle takes less than a full syllable": (
        "三的六",
        Language.ZH,
        talk((0, 530), total_ms=600),
        [("三", 0, 200), ("的", 200, 330), ("六", 330, 530)],
    ),
    "where nothing is heard the words fill the clip": (
        "三十",
        Language.ZH,
        talk(total_ms=400),
        [("三", 0, 200), ("十", 200, 400)],
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_words_lie_where_silences_and_marks_say(name: str) -> None:
    text, language, samples, wanted = PLACES[name]
    words = estimate_words(samples, RATE, text, language)
    assert [word for word, _, _ in milliseconds(words)] == [word for word, _, _ in wanted]
    found = [edge for _, start, end in milliseconds(words) for edge in (start, end)]
    assert found == pytest.approx([edge for _, start, end in wanted for edge in (start, end)], abs=11)
    assert {word.source for word in words} == {TimeSource.ESTIMATE}


def test_a_long_word_takes_longer_than_a_function_word() -> None:
    words = estimate_words(talk((0, 1000), total_ms=1000), RATE, "the responsibility of a cat", Language.EN)
    lengths = {word.text: len(word.span) for word in words}
    assert lengths["responsibility"] > 3 * lengths["of"] > 0
    assert lengths["a"] < lengths["cat"]


@pytest.mark.parametrize(
    ("text", "samples", "reason"),
    [
        ("……！", talk((0, 100), total_ms=100), Reason.NO_WORDS),
        ("三十六", np.zeros(2, np.float32), Reason.BAD_AUDIO),
        ("三", np.zeros(0, np.float32), Reason.BAD_AUDIO),
    ],
)
def test_no_times_are_made_up_for_what_has_no_room(text: str, samples: Wave, reason: Reason) -> None:
    with pytest.raises(RecordError, match="word times") as caught:
        estimate_words(samples, RATE, text, Language.ZH)
    assert caught.value.reason is reason


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(
            ["one", "banana", "GPS", "2026", "don't", "不", "知道", "的", ", ", " ", "。", "…", "? "]
        ),
        min_size=1,
        max_size=40,
    ).map("".join),
    edges=st.lists(st.integers(0, 4000), max_size=12).map(sorted),
    total=st.integers(1, 4000),
    language=st.sampled_from(Language),
)
def test_every_word_has_a_place_whatever_is_heard(
    text: str, edges: list[int], total: int, language: Language
) -> None:
    samples = np.zeros(total, np.float32)
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        samples[start:end] = 0.2
    wanted = words_of(text)
    if not wanted or len(wanted) > total:
        return
    words = estimate_words(samples, RATE, text, language)
    assert check_words(words, text, total, RATE) is None
    assert ordered_inside(words, Span(start=0, end=total))


def told(*rows: tuple[str, int, int]) -> tuple[Word, ...]:
    return tuple(Word(text, Span(start, end), TimeSource.ALIGNER) for text, start, end in rows)


PROBLEMS: dict[str, tuple[tuple[Word, ...], str | None]] = {
    "good": (told(("Well", 0, 900), ("yes", 1000, 2000)), None),
    "one is missing": (told(("Well", 0, 900)), "1 words, wanted 2; the first that differs is 'yes'"),
    "one too many": (
        told(("Well", 0, 900), ("yes", 1000, 2000), ("sir", 2000, 2100)),
        "3 words, wanted 2; the first that differs is 'sir'",
    ),
    "another word": (
        told(("Well", 0, 900), ("no", 1000, 2000)),
        "2 words, wanted 2; the first that differs is 'yes'",
    ),
    "one before another has ended": (
        told(("Well", 0, 1001), ("yes", 1000, 2000)),
        "'yes' starts before 'Well' has ended",
    ),
    "outside": (told(("Well", 0, 900), ("yes", 1000, 30_001)), "'yes' ends after the audio"),
    "too long": (
        told(("Well", 0, 20_008), ("yes", 20_010, 21_000)),
        "'Well' lasts 2.5 s, wanted 2.5 s or less",
    ),
    "as long as can be": (told(("Well", 0, 20_000), ("yes", 20_000, 21_000)), None),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_not_to_be_believed_is_named(name: str) -> None:
    words, wanted = PROBLEMS[name]
    assert check_words(words, "Well, yes.", 30_000, RATE) == wanted


SENTENCES: dict[Language, tuple[str, ...]] = {
    Language.EN: (
        "I was going to ask you, is the museum open on Sunday, or only during the week?",
        "The green line goes there every ten minutes.",
        "Well, I suppose that we could take the earlier train. It leaves at half past seven.",
        "Unfortunately the restaurant is closed today, but there is a little bakery around the corner.",
        "Could you remind me to call my grandmother tomorrow afternoon?",
        "She said that nobody had told her about the change, and she was rather annoyed.",
        "Right. Put everything into the refrigerator before it gets warm.",
        "My brother bought a second hand bicycle, which turned out to be far too small for him.",
    ),
    Language.ZH: (
        "我想问一下，博物馆星期天开门吗？",
        "绿色的那条线每十分钟有一班车。",
        "那我们坐早一点的火车吧，七点半就出发。",
        "不好意思，今天餐厅休息，不过拐角那边有一家小面包店。",
        "你能不能提醒我明天下午给奶奶打电话？",
        "她说没有人告诉她时间改了，所以有点生气。",
        "好的。把这些东西都放进冰箱里。",
        "我弟弟买了一辆旧自行车，结果对他来说太小了。",
    ),
}


def spoken(language: Language) -> list[tuple[str, Take]]:
    from pipeline.backends.espeak import EspeakSynthesizer

    voices = [voice for voice in load_catalogue() if voice.language is language and voice.backend == "espeak"]
    with EspeakSynthesizer(workers=1) as synthesizer:
        return [
            (
                text,
                asyncio.run(
                    synthesizer.synthesize(
                        SpeechRequest(
                            text=text,
                            language=language,
                            voice=voices[number % len(voices)],
                            emotion=Emotion.NEUTRAL,
                            style=Style.PLAIN,
                            seed=number,
                        )
                    )
                ),
            )
            for number, text in enumerate(SENTENCES[language])
        ]


def known_ends(words: tuple[Word, ...], take: Take) -> list[float]:
    """How far word ends are from those that the engine told, in ms: of words before one with an event of its own."""
    known = [after.source is TimeSource.ENGINE for after in take.words[1:]] + [True]
    return [
        abs(ours.span.end - theirs.span.end) / take.sampling_rate * 1000
        for ours, theirs, is_known in zip(words, take.words, known, strict=True)
        if is_known
    ]


@pytest.mark.parametrize("language", Language)
def test_estimates_are_near_to_what_an_engine_knows(language: Language) -> None:
    pytest.importorskip("espeakng_loader", reason="the extra `espeak` is not installed")
    errors_ms: list[float] = []
    for text, take in spoken(language):
        assert check_words(take.words, text, len(take.samples), take.sampling_rate) is None
        words = estimate_words(take.samples, take.sampling_rate, text, language)
        errors_ms += known_ends(words, take)
    median_ms, p95_ms = np.quantile(errors_ms, [0.5, 0.95])
    print(f"{language.value}: {len(errors_ms)} word ends, median {median_ms:.0f} ms, p95 {p95_ms:.0f} ms")
    assert len(errors_ms) > 60
    assert median_ms < 50
    assert p95_ms < 1.2 * RESOLUTION_MS

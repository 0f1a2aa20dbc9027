import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backends.speech_servers.word_times import Unit, words_from_units
from pipeline.core.tokens import words_of
from pipeline.domain.span import Span
from pipeline.domain.words import TimeSource, ordered_inside


def spans(units: list[Unit], text: str, num_samples: int = 10_000) -> list[tuple[str, int, int]] | None:
    words = words_from_units(units, text, num_samples, 1000, TimeSource.ENGINE)
    return None if words is None else [(word.text, word.span.start, word.span.end) for word in words]


@pytest.mark.parametrize(
    ("units", "text", "wanted"),
    [
        ([("Hello,", 0.1, 0.5), ("you", 0.5, 0.8)], "Hello, you.", [("Hello", 100, 500), ("you", 500, 800)]),
        (
            [("well", 0.0, 0.2), ("-", 0.2, 0.25), ("known", 0.25, 0.6)],
            "Well-known!",
            [("Well-known", 0, 600)],
        ),
        (
            [("I", 0.0, 0.1), ("'m", 0.1, 0.2), ("in", 0.3, 0.4)],
            "I'm in",
            [("I'm", 0, 200), ("in", 300, 400)],
        ),
        (
            [("你好", 0.0, 0.4), ("吗", 0.4, 0.7)],
            "你好吗？",
            [("你", 0, 200), ("好", 200, 400), ("吗", 400, 700)],
        ),
        ([("用", 0.0, 0.1), ("iPhone", 0.1, 0.7)], "用iPhone。", [("用", 0, 100), ("iPhone", 100, 700)]),
        ([("a bit", 0.0, 0.4)], "a bit", [("a", 0, 100), ("bit", 100, 400)]),
        ([("ok", 0.16, 0.16), ("then", 0.16, 0.4)], "OK then", [("OK", 160, 161), ("then", 161, 400)]),
        ([("so", 0.5, 0.7), ("what", 0.6, 0.9)], "So what", [("So", 500, 700), ("what", 700, 900)]),
    ],
    ids=["comma", "split", "clitic", "word of characters", "mixed", "merged", "empty time", "overlap"],
)
def test_a_servers_units_become_our_words(
    units: list[tuple[str, float, float]], text: str, wanted: list[tuple[str, int, int]]
) -> None:
    assert spans([Unit(*unit) for unit in units], text) == wanted


@pytest.mark.parametrize(
    "units",
    [
        [],
        [("Hello", 0.0, 0.5)],
        [("Hello", 0.0, 0.5), ("ewe", 0.5, 0.8)],
        [("Hello", 0.0, 0.5), ("you", 0.5, 0.8), ("too", 0.8, 0.9)],
        [("Hello", 10.0, 10.5), ("you", 10.5, 11.0)],
    ],
    ids=["none", "too few", "others", "too many", "behind the end"],
)
def test_units_of_something_else_have_no_times_for_us(units: list[tuple[str, float, float]]) -> None:
    assert spans([Unit(*unit) for unit in units], "Hello, you.") is None


@given(st.data())
def test_words_are_all_there_ordered_and_inside_or_there_are_none(data: st.DataObject) -> None:
    text = data.draw(st.text("abc' -我们。,", min_size=1, max_size=20))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    edges = [0, *cuts, len(text)]
    times = st.floats(-1, 3, allow_nan=False)
    units = [Unit(text[a:b], data.draw(times), data.draw(times)) for a, b in itertools.pairwise(edges)]
    words = words_from_units(units, text, 1500, 1000, TimeSource.ENGINE)
    if words is not None:
        assert tuple(word.text for word in words) == words_of(text)
        assert ordered_inside(words, Span(0, 1500))

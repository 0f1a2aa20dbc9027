"""Spans and words: what their constructors refuse, and that records read and write them."""

from dataclasses import FrozenInstanceError
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.domain.span import Span
from pipeline.domain.voice import ClipRef
from pipeline.domain.words import TimeSource, Word, ordered_inside, shift_words


def spans(latest: int, longest: int) -> st.SearchStrategy[Span]:
    return st.builds(
        lambda start, length: Span(start, start + length), st.integers(0, latest), st.integers(1, longest)
    )


def clip_line(words: str) -> str:
    return f'{{"digest":"ab","num_samples":9,"sampling_rate":8,"words":[{words}],"engine":"noise-1"}}'


def word_line(span: str = '{"start":0,"end":4}', more: str = "") -> str:
    return f'{{"text":"tea","span":{span},"source":"engine","cut":false{more}}}'


@pytest.mark.parametrize(
    ("start", "end"), [(3, 3), (4, 3), (-1, 3), (0.0, 4), (0, 4.5), (0, np.int64(4)), (False, 4)]
)
def test_a_span_is_two_whole_numbers_in_order(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="a span wants whole numbers with 0 <= start < end"):
        Span(start=start, end=end)


def test_a_span_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Span(0, 4).end = 0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("word", "place"),
    [
        (word_line('{"start":4,"end":4}'), "words.0.span"),
        (word_line('{"start":0}'), "words.0.span.end"),
        (word_line('{"start":0,"end":4,"unit":"s"}'), "words.0.span.unit"),
        (word_line('{"start":0,"end":4.5}'), "words.0.span.end"),
        (word_line(more=',"loud":true'), "words.0.loud"),
    ],
)
def test_a_line_with_a_faulty_word_is_refused_at_its_place(word: str, place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ClipRef.from_line(clip_line(word))
    assert place in {".".join(map(str, error["loc"])) for error in caught.value.errors()}


def test_words_are_written_as_they_were_read() -> None:
    second = word_line('{"start":4,"end":9}')
    line = clip_line(f"{word_line()},{second}")
    clip = ClipRef.from_line(line)
    assert clip.words[1] == Word("tea", Span(4, 9), TimeSource.ENGINE)
    assert clip.to_line().startswith(line.removesuffix("}") + ",")  # and how the clip was made


@given(st.lists(spans(10**9, 10**6), max_size=5), st.integers(0, 10**9))
def test_moved_words_keep_their_lengths_and_distances(places: list[Span], samples: int) -> None:
    words = tuple(Word("tea", span, TimeSource.ALIGNER, cut=True) for span in places)
    moved = shift_words(words, samples)
    assert [(w.span.start - samples, w.span.end - samples) for w in moved] == [
        (s.start, s.end) for s in places
    ]
    assert all((w.text, w.source, w.cut) == ("tea", TimeSource.ALIGNER, True) for w in moved)


@given(st.lists(spans(9, 3), max_size=4), spans(2, 12))
def test_words_in_order_are_those_that_no_pair_and_no_bound_contradicts(
    places: list[Span], bounds: Span
) -> None:
    words = tuple(Word("tea", span, TimeSource.ENGINE) for span in places)
    inside = all(bounds.covers(span) for span in places)
    ordered = all(a.end <= b.start for a, b in pairwise(places))
    assert ordered_inside(words, bounds) == (inside and ordered)

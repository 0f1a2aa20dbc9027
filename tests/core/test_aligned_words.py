"""Whatever an aligner says, words come out ordered and inside, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.aligned_words import Piece, lay_words, straighten, times_of_words
from pipeline.core.tokens import words_of
from pipeline.core.word_times import check_words
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason

RATE = 1000

PIECES: dict[str, tuple[str, list[Piece], list[tuple[float, float]]]] = {
    "two characters share a piece": ("你好", [Piece(0, 2, 0.0, 0.4)], [(0.0, 0.2), (0.2, 0.4)]),
    "three bytes make a character": (
        "啊",
        [Piece(0, 1, 0.0, 0.1), Piece(0, 1, 0.1, 0.2), Piece(0, 1, 0.2, 0.5)],
        [(0.0, 0.5)],
    ),
    "parts make a word": (
        "well-known",
        [Piece(0, 4, 0.1, 0.2), Piece(4, 5, 0.2, 0.3), Piece(5, 10, 0.3, 0.6)],
        [(0.1, 0.6)],
    ),
    "a blank has no share": ("a b", [Piece(0, 1, 0.0, 0.1), Piece(1, 3, 0.1, 0.3)], [(0.0, 0.1), (0.1, 0.3)]),
    "punctuation keeps its own": (
        "no, I",
        [Piece(0, 2, 0.0, 0.2), Piece(2, 3, 0.2, 0.9), Piece(3, 5, 0.9, 1.0)],
        [(0.0, 0.2), (0.9, 1.0)],
    ),
}


@pytest.mark.parametrize("name", PIECES)
def test_pieces_become_words(name: str) -> None:
    text, pieces, wanted = PIECES[name]
    found = times_of_words(text, pieces)
    assert [edge for times in found for edge in times] == pytest.approx(
        [e for times in wanted for e in times]
    )


LAID: dict[str, tuple[list[tuple[float, float]], list[tuple[int, int]]]] = {
    "good times stay": ([(0.1, 0.3), (0.3, 0.5), (0.7, 0.9)], [(100, 300), (300, 500), (700, 900)]),
    "an empty word takes the least": (
        [(0.1, 0.3), (0.3, 0.3), (0.3, 0.5)],
        [(100, 300), (300, 320), (320, 500)],
    ),
    "an overlap goes to the word before": (
        [(0.1, 0.3), (0.2, 0.4), (0.5, 0.6)],
        [(100, 300), (300, 400), (500, 600)],
    ),
    "what lies outside comes in": (
        [(0.8, 0.9), (0.95, 1.2), (1.2, 1.3)],
        [(800, 900), (950, 980), (980, 1000)],
    ),
}


@pytest.mark.parametrize("name", LAID)
def test_words_are_moved_no_more_than_need_be(name: str) -> None:
    times_s, wanted = LAID[name]
    assert [(w.span.start, w.span.end) for w in lay_words("一二三", times_s, 1000, RATE)] == wanted


@pytest.mark.parametrize(
    ("times_s", "num_samples"),
    [
        ([(0.1, 0.2)], 1000),
        ([(0.1, 0.2)] * 4, 1000),
        ([(0.5, 0.5), (0.5, 0.5), (0.5, 0.9)], 1000),
        ([(0.0, 0.1), (0.1, 0.2), (0.2, 0.3)], 2),
    ],
    ids=["a word without times", "times without a word", "most words in no time", "no room"],
)
def test_times_are_not_made_up_for_most_words(times_s: list[tuple[float, float]], num_samples: int) -> None:
    with pytest.raises(RecordError) as caught:
        lay_words("一二三", times_s, num_samples, RATE)
    assert caught.value.reason is Reason.BAD_AUDIO


@given(
    text=st.lists(st.sampled_from(["one", "don't", "不", "知道", "，", " "]), min_size=1, max_size=20).map(
        "".join
    ),
    shares=st.lists(st.tuples(st.floats(0, 0.9), st.floats(0.001, 0.5)), min_size=40, max_size=40),
    num_samples=st.integers(40, 3000),
)
def test_any_times_become_words_in_order(
    text: str, shares: list[tuple[float, float]], num_samples: int
) -> None:
    length_s, count = num_samples / RATE, len(words_of(text))
    times_s = [(start * length_s, (start + length) * length_s) for start, length in shares[:count]]
    if count:
        assert check_words(lay_words(text, times_s, num_samples, RATE), text, num_samples, RATE) is None


@given(steps=st.lists(st.integers(0, 30), max_size=40))
def test_a_straightened_clock_runs_forward_and_moves_few(steps: list[int]) -> None:
    straight = straighten(steps)
    assert len(straight) == len(steps)
    assert list(straight) == sorted(straight)
    if steps == sorted(steps):
        assert list(straight) == steps
    longest = [0] * len(steps)  # by the book, against the quick way of the code
    for index, step in enumerate(steps):
        longest[index] = 1 + max((longest[i] for i in range(index) if steps[i] <= step), default=0)
    assert sum(a == b for a, b in zip(straight, steps, strict=True)) >= max(longest, default=0)

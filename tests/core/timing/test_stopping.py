import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.timing.stopping import choose_stop, heard_text, stopping_points, syllables
from tests.spoken import WORD, clip_of

WORDS = clip_of("Take a restaurant table").words


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("restaurant", ("res", "tau", "rant")),
        ("make", ("make",)),
        ("I", ("I",)),
        ("rhythm", ("rhythm",)),
        ("站", ("站",)),
    ],
)
def test_syllables_are_split_by_vowels(word: str, parts: tuple[str, ...]) -> None:
    assert syllables(word) == parts


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_syllables_lose_no_letter(word: str) -> None:
    assert "".join(syllables(word)) == word


def test_every_word_end_is_a_stopping_point_and_long_words_have_more() -> None:
    samples = [point.sample for point in stopping_points(WORDS)]
    assert samples == sorted(samples)
    assert {WORD, 2 * WORD, 3 * WORD, 4 * WORD} < set(samples)
    assert len([s for s in samples if 2 * WORD < s < 3 * WORD]) == 2


@given(st.integers(0, 4 * WORD - 1), st.integers(0, 6 * WORD))
def test_a_stop_lies_behind_the_onset_and_no_other_is_nearer(after: int, wanted: int) -> None:
    stop = choose_stop(WORDS, after, wanted)
    candidates = [p.sample for p in stopping_points(WORDS) if p.sample > after]
    nearest = min(abs(sample - wanted) for sample in candidates)
    if stop is None:
        assert abs(4 * WORD - wanted) == nearest
    else:
        assert stop.sample > after
        assert abs(stop.sample - wanted) == nearest


def test_a_broken_word_is_marked_and_written_with_a_dash() -> None:
    stop = next(p for p in stopping_points(WORDS) if p.words[-1].cut)
    assert stop.words[-1].text == "res"
    assert heard_text("Take a restaurant table", stop.words, "Take a") == "Take a res-"

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.timing.stopping import heard_text, plan_yield, stopping_points, syllables
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


@given(st.integers(0, 3 * WORD), st.integers(0, WORD), st.integers(0, WORD), st.integers(0, 3 * WORD))
def test_a_yield_keeps_to_its_window_and_no_other_fits_the_reaction_better(
    earliest: int, width: int, delay: int, reaction: int
) -> None:
    latest = earliest + width
    planned = plan_yield(WORDS, earliest, latest, earliest + delay, reaction)
    assert planned is not None
    end = planned.stop.sample if planned.stop else 4 * WORD
    assert earliest <= planned.onset <= latest
    assert end > planned.onset
    reachable = [p.sample for p in stopping_points(WORDS) if p.sample > earliest]
    fits = [abs(s - min(max(s - reaction, earliest), latest, s - 1) - reaction) for s in reachable]
    assert abs(end - planned.onset - reaction) <= min(fits) + 1


def test_who_reacts_at_once_stops_at_the_next_boundary() -> None:
    planned = plan_yield(WORDS, WORD // 2, WORD + WORD // 2, WORD // 2, reaction=0)
    assert planned is not None
    assert planned.stop is not None
    assert planned.stop.sample - planned.onset == 1


def test_an_onset_takes_up_what_the_boundary_misses() -> None:
    planned = plan_yield(WORDS, WORD, WORD + WORD // 2, WORD + WORD // 4, reaction=2 * WORD // 3)
    assert planned is not None
    assert planned.stop is not None
    assert planned.stop.sample - planned.onset == 2 * WORD // 3


def test_nothing_is_left_to_yield_behind_the_last_word() -> None:
    assert plan_yield(WORDS, 4 * WORD, 5 * WORD, 4 * WORD, reaction=100) is None


def test_a_broken_word_is_marked_and_written_with_a_dash() -> None:
    stop = next(p for p in stopping_points(WORDS) if p.words[-1].cut)
    assert stop.words[-1].text == "res"
    assert heard_text("Take a restaurant table", stop.words, "Take a") == "Take a res-"

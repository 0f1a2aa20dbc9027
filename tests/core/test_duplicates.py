"""Near-duplicates: what is reported is exact, and little that should be is missed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.duplicates import Match, NearDuplicates
from pipeline.core.tokens import words_of

FERRY = [*words_of("the last ferry to the island leaves at nine in the evening from the old pier")]


def shingles_of(words: list[str], size: int = 3) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + size]) for i in range(max(1, len(words) - size + 1))}


def jaccard_of(one: list[str], other: list[str]) -> float:
    a, b = shingles_of(one), shingles_of(other)
    return len(a & b) / len(a | b)


def text_of(rng: np.random.Generator, length: int = 150) -> list[str]:
    return [f"w{number}" for number in rng.integers(0, 5000, length)]


@pytest.mark.parametrize(
    ("later", "similarity"),
    [
        (FERRY, 1.0),
        ([*FERRY, "tonight"], 14 / 15),
        (["but", *FERRY], 14 / 15),
        ([*FERRY[:-1], "harbour"], 13 / 15),
        (FERRY[4:], 10 / 14),
        ([*FERRY[:8], "ten", *FERRY[9:]], None),  # one word in the middle is three shingles: 11 of 17
        (FERRY[::-1], None),
        (sorted(FERRY), None),
        ([*words_of("a table for two near the window please")], None),
        ([], None),
        (["the"], None),
    ],
)
def test_an_earlier_text_is_found_where_it_is_similar_enough(
    later: list[str], similarity: float | None
) -> None:
    seen = NearDuplicates(threshold=0.7)
    assert seen.add("first", FERRY) is None
    assert seen.add("later", later) == (None if similarity is None else Match("first", similarity))


@pytest.mark.parametrize("words", [["yes"], ["yes", "please"], ["好"]])
def test_a_text_shorter_than_a_shingle_is_one_shingle(words: list[str]) -> None:
    seen = NearDuplicates(threshold=0.7)
    assert seen.add("a", words) is None
    assert seen.add("b", [*words, "and", "then", "some"]) is None
    assert seen.add("c", words) == Match("a", 1.0)


def test_texts_without_words_are_no_duplicates_of_each_other() -> None:
    seen = NearDuplicates(threshold=0.7)
    assert [seen.add(key, []) for key in "ab"] == [None, None]


def test_copies_name_the_first_and_the_most_similar_one_wins() -> None:
    seen = NearDuplicates(threshold=0.5)
    seen.add("first", FERRY)
    assert seen.add("copy", FERRY) == Match("first", 1.0)
    half = [*FERRY[:8], *words_of("ten in the morning when the wind is low")]
    assert seen.add("half", half) is None
    near = [*half[:-1], "high"]
    assert jaccard_of(near, half) > jaccard_of(near, FERRY)
    assert seen.add("near", near) == Match("half", jaccard_of(near, half))
    assert seen.add("again", FERRY) == Match("first", 1.0)


def test_of_two_equally_similar_texts_the_first_is_named() -> None:
    seen = NearDuplicates(threshold=0.9)
    assert seen.add("behind", ["but", *FERRY]) is None
    assert seen.add("before", [*FERRY, "tonight"]) is None
    assert seen.add("between", FERRY) == Match("behind", 14 / 15)


@given(
    st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=14), min_size=2, max_size=12),
    st.sampled_from([0.4, 0.7, 1.0]),
)
def test_whatever_is_reported_is_exactly_so_similar_and_above_the_threshold(
    texts: list[list[str]], threshold: float
) -> None:
    seen = NearDuplicates(threshold)
    kept: dict[str, list[str]] = {}
    for number, words in enumerate(texts):
        found = seen.add(str(number), words)
        if found is None:
            assert words not in kept.values()
            kept[str(number)] = words
        else:
            assert found.similarity >= threshold
            assert found.similarity == jaccard_of(words, kept[found.key])


@pytest.mark.parametrize(("changes", "least"), [(3, 0.999), (5, 0.99), (7, 0.98)])
def test_pairs_above_the_threshold_are_hardly_ever_missed(changes: int, least: float) -> None:
    """150 words with 3, 5 and 7 replaced are at about 0.89, 0.82 and 0.75."""
    rng = np.random.default_rng(5)
    found = similar = 0
    for _ in range(300):
        words = text_of(rng)
        near = list(words)
        for place in rng.choice(len(words), changes, replace=False):
            near[place] = "other"
        if jaccard_of(words, near) >= 0.7:
            similar += 1
            seen = NearDuplicates(threshold=0.7)
            seen.add("a", words)
            found += seen.add("b", near) is not None
    assert similar >= 290
    assert found >= least * similar


def test_unrelated_texts_are_not_even_compared() -> None:
    rng = np.random.default_rng(6)
    seen = NearDuplicates(threshold=0.7)
    assert [seen.add(str(n), text_of(rng)) for n in range(500)] == [None] * 500
    assert max(seen.band_sizes()) == 1


def test_a_text_is_told_by_its_words_and_not_by_its_process() -> None:
    """Hashes are fixed: a figure that a run has reported comes out again anywhere."""
    seen = NearDuplicates(threshold=0.1)
    seen.add("a", words_of("末班船晚上九点从老码头开"))
    found = seen.add("b", words_of("末班船早上九点从老码头开"))
    assert found == Match("a", 7 / 13)


@pytest.mark.parametrize(("threshold", "shingle"), [(0.0, 3), (1.1, 3), (0.7, 0)])
def test_impossible_settings_are_refused(threshold: float, shingle: int) -> None:
    with pytest.raises(ValueError, match="wanted a threshold"):
        NearDuplicates(threshold, shingle)

"""Diversity by hand, by definition, and on equal amounts."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core import diversity
from pipeline.core.diversity import (
    Document,
    Sample,
    compare_diversity,
    distinct,
    self_bleu,
    spoken_turns,
)
from tests.spoken import backchannel, interruption


def document(*turns: str) -> Document:
    return tuple(tuple(turn.split()) for turn in turns)


@pytest.mark.parametrize(
    ("turns", "n", "wanted"),
    [
        (("a b a b",), 1, 2 / 4),
        (("a b a b",), 2, 2 / 3),
        (("a b", "a b"), 2, 1 / 2),  # `b a` would reach from one turn into the next
        (("a b", "c d"), 3, None),
        ((), 1, None),
    ],
)
def test_distinct_n_is_different_n_grams_of_all(turns: tuple[str, ...], n: int, wanted: float | None) -> None:
    assert distinct(document(*turns), n) == (None if wanted is None else pytest.approx(wanted))


def test_self_bleu_is_what_a_person_works_out() -> None:
    # First against second: words 4 of 5, pairs 3 of 4, triples 2 of 3, fours 1 of 2; both of one length.
    one, other = document("the cat sat right here"), document("the cat sat right there")
    assert self_bleu([one, other]) == pytest.approx((4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_self_bleu_clips_smooths_and_punishes_brevity() -> None:
    # `a a` against `a b c`: one `a` of two matches; no pair does (0.1 of 1), and it is a word shorter; it has no
    # triple and no four: 0.1 of 1 each, as nltk counts. `a b c` against `a a`: 1 of 3, 0.1 of 2, 0.1 of 1, 0.1 of 1.
    short = math.exp(1 - 3 / 2) * (1 / 2 * 0.1 * 0.1 * 0.1) ** 0.25
    long = (1 / 3 * 0.1 / 2 * 0.1 * 0.1) ** 0.25
    assert self_bleu([document("a a"), document("a b c")]) == pytest.approx((short + long) / 2)


@pytest.mark.parametrize(
    ("documents", "wanted"),
    [
        ([document("a b c d")], None),
        ([], None),
        ([document("a b c d e")] * 3, 1.0),
        ([document("a b c d"), document("e f g h")], 0.0),
    ],
)
def test_self_bleu_of_one_equals_and_strangers(documents: list[Document], wanted: float | None) -> None:
    assert self_bleu(documents) == (None if wanted is None else pytest.approx(wanted))


def bleu_by_definition(references: list[Document], hypothesis: Document) -> float:
    """Papineni's BLEU-4 with all references in hand, smoothed as method 1."""

    def grams(text: Document, n: int) -> Counter[tuple[str, ...]]:
        return Counter(turn[i : i + n] for turn in text for i in range(len(turn) - n + 1))

    precisions = []
    for n in (1, 2, 3, 4):
        mine = grams(hypothesis, n)
        matches = sum(min(c, max(grams(r, n)[g] for r in references)) for g, c in mine.items())
        precisions.append((matches or 0.1) / max(1, sum(mine.values())))
        if n == 1 and matches == 0:
            return 0.0
    length = sum(map(len, hypothesis))
    nearest = min((abs(sum(map(len, r)) - length), sum(map(len, r))) for r in references)[1]
    brevity = 1.0 if length > nearest else math.exp(1 - nearest / length)
    return float(brevity * math.prod(precisions) ** 0.25)


texts = st.lists(
    st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=9), min_size=1, max_size=3),
    min_size=2,
    max_size=6,
)


@given(texts)
def test_two_largest_counts_give_what_all_references_would(drawn: list[list[list[str]]]) -> None:
    documents = [tuple(map(tuple, turns)) for turns in drawn]
    wanted = sum(
        bleu_by_definition(documents[:i] + documents[i + 1 :], one) for i, one in enumerate(documents)
    )
    assert self_bleu(documents) == pytest.approx(wanted / len(documents))


def test_both_runs_are_measured_on_equally_many_words_and_dialogues() -> None:
    rng = random.Random(4)
    long = [document(" ".join(rng.choices("abcdefgh", k=30)), "a b c") for _ in range(9)]
    one, other = compare_diversity(long, long[:4])
    assert one == other, "what is more in one run changes nothing"
    assert (one.words, one.dialogues) == (4 * 33, 4)


def test_an_uneven_word_is_cut_off() -> None:
    one, other = compare_diversity([document("a b c", "d e f g")], [document("a b c d e")])
    assert (one.words, other.words) == (5, 5)
    assert one.distinct == (1.0, 1.0, 1.0)
    assert one.self_bleu is None


def test_a_sample_depends_on_ids_and_forgets_what_it_will_not_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diversity, "MAX_WORDS", 20)
    monkeypatch.setattr(diversity, "MAX_DIALOGUES", 3)
    documents = [(f"d{number}", document(f"w{number} x y z")) for number in range(100)]
    forward, backward = Sample(), Sample()
    for one in documents:
        forward.add(*one)
    for one in reversed(documents):
        backward.add(*one)
    assert len(forward._kept) < 20
    assert forward.documents() == backward.documents()
    assert len(forward.documents()) == 5


def test_dialogues_that_both_runs_have_come_in_the_same_order() -> None:
    documents = [(f"d{number}", document(f"w{number}")) for number in range(50)]
    all_of_them, half = Sample(), Sample()
    for number, one in enumerate(documents):
        all_of_them.add(*one)
        if number % 2:
            half.add(*one)
    kept = set(half.documents())
    assert tuple(one for one in all_of_them.documents() if one in kept) == half.documents()


def test_what_an_interruption_leaves_unsaid_is_no_text() -> None:
    said = {word for words in spoken_turns(interruption()).values() for word in words}
    assert "fountain" in said
    assert "quarter" not in said, "the assistant's third sentence is never spoken"


def test_case_does_not_make_a_word_different_and_turns_keep_their_numbers() -> None:
    turns = spoken_turns(backchannel())
    assert turns[2] == ("right",)
    assert turns[1][:3] == ("the", "green", "line")

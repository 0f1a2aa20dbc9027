"""Pairs of speakers: they differ from each other as the reference's conversations do."""

import math
from collections.abc import Callable
from statistics import NormalDist, median, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.timing.dyad import AVERAGE, METRICS, Dyad, Tendency, dyad_law
from tests.core.timing.dialogues import DYADS, REFERENCE, placement_of, plain_talk
from tests.spoken import RATE, speak

COUNT = 2_000
PAIRS = tuple(DYADS.draw(0, "timing/0", f"en-{number}") for number in range(COUNT))
PARTS: dict[str, Callable[[Dyad], Tendency]] = {
    "median_fto": lambda dyad: dyad.transfers,
    "median_pause": lambda dyad: dyad.pauses,
}
every_metric = pytest.mark.parametrize("metric", METRICS)


def test_what_timing_decides_is_drawn_and_recorded() -> None:
    assert set(METRICS) == set(PARTS)
    for pair in PAIRS[:20]:
        assert pair.values() == {name: round(part(pair).median_s or 0.0, 4) for name, part in PARTS.items()}


@every_metric
def test_scores_are_standard_normal_over_pairs(metric: str) -> None:
    scores = sorted(PARTS[metric](pair).score for pair in PAIRS)
    law = [NormalDist().cdf(score) for score in scores]
    assert max(abs(p - (rank + 0.5) / COUNT) for rank, p in enumerate(law)) < 1.36 / math.sqrt(COUNT)


def test_metrics_correlate_over_pairs_as_over_conversations() -> None:
    conversations = REFERENCE.per_conversation
    assert conversations is not None
    wanted = conversations.spearman_of(METRICS)[0, 1]
    scores = np.array([[part(pair).score for part in PARTS.values()] for pair in PAIRS])
    ranks = scores.argsort(axis=0).argsort(axis=0)
    assert np.asarray(np.corrcoef(ranks.T))[0, 1] == pytest.approx(wanted, abs=3 / math.sqrt(COUNT))


@every_metric
def test_a_pairs_median_is_its_quantile_drawn_towards_the_middle(metric: str) -> None:
    conversations = REFERENCE.per_conversation
    assert conversations is not None
    table = conversations.metric(metric)
    middle = table.quantile(0.5)
    for pair in PAIRS[:100]:
        tendency = PARTS[metric](pair)
        quantile = table.quantile(NormalDist().cdf(tendency.score))
        assert tendency.median_s is not None
        assert min(middle, quantile) <= tendency.median_s <= max(middle, quantile)
    drawn = [PARTS[metric](pair).median_s or 0.0 for pair in PAIRS]
    assert median(drawn) == pytest.approx(middle, abs=0.01)
    # A conversation's own noise is no trait of the pair: less spread than was observed, and not none.
    assert 0.2 * table.sd < stdev(drawn) < table.sd


@given(st.floats(-4, 4), st.floats(0, 0.99), st.floats(-4, 4))
def test_a_mixed_score_is_part_the_pairs_and_part_the_moments(
    score: float, loading: float, own: float
) -> None:
    tendency = Tendency(score=score, loading=loading, median_s=0.1)
    assert tendency.mix(own) == pytest.approx(loading * score + math.sqrt(1 - loading**2) * own)
    assert AVERAGE.mix(own) == own


@every_metric
def test_a_loading_is_some_of_the_score_and_never_all_of_it(metric: str) -> None:
    assert {PARTS[metric](pair).loading for pair in PAIRS} == {DYADS.loadings[METRICS.index(metric)]}
    assert 0.05 < DYADS.loadings[METRICS.index(metric)] <= 0.9


def test_a_pair_that_comes_in_early_does_so_again_and_again() -> None:
    # Transfers of one dialogue resemble each other: its first ones tell about its last ones.
    halves: tuple[list[float], list[float]] = ([], [])
    for number in range(150):
        placement = placement_of(speak(plain_talk(number, turns=21)))
        offsets = [offset / RATE for kind, offset in placement.offsets if kind == "transfer"]
        assert len(offsets) == 20
        for half, values in zip(halves, (offsets[:10], offsets[10:]), strict=True):
            half.append(median(values))
    loading = DYADS.loadings[METRICS.index("median_fto")]
    assert np.asarray(np.corrcoef(halves))[0, 1] > 0.3 * loading > 0


def test_a_pair_depends_on_its_dialogue_stream_and_seed_alone() -> None:
    assert DYADS.draw(0, "timing/0", "en-5") == PAIRS[5]
    for other in ((1, "timing/0", "en-5"), (0, "timing/1", "en-5"), (0, "timing/0", "en-05")):
        assert DYADS.draw(*other) != PAIRS[5]


def test_a_reference_without_conversations_gives_the_average_pair() -> None:
    alone = dyad_law(REFERENCE.model_copy(update={"per_conversation": None}))
    assert {alone.draw(0, "timing/0", f"en-{number}") for number in range(20)} == {Dyad()}
    assert Dyad().values() == {}

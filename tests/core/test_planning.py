from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.emotional_plan import EmotionalConfig
from pipeline.core.planning import plan_dialogues, sample_seeds
from pipeline.domain.labels import Language, Recipe, Split
from pipeline.domain.scene import Scene
from pipeline.domain.seed import SeedDialogue, SeedSpeaker, SeedTurn
from tests.spoken import LICENCE

SCENES = dict.fromkeys(Scene, 1.0)
SPLITS = {Split.TRAIN: 0.5, Split.DEV: 0.5}


def seed_of(number: int, language: Language = Language.EN) -> SeedDialogue:
    return SeedDialogue(
        seed_id=f"made-up/train/{language.value}-{number}",
        corpus="made-up",
        language=language,
        speakers=(
            SeedSpeaker(label="A", name=None, gender=None, is_system=False),
            SeedSpeaker(label="B", name=None, gender=None, is_system=False),
        ),
        turns=(
            SeedTurn(speaker="A", text="Hello.", raw=("Hello.",), emotion=None),
            SeedTurn(speaker="B", text="Hi.", raw=("Hi.",), emotion=None),
        ),
        topic=None,
        licence=LICENCE,
    )


def test_forty_seeds_cover_every_scene_twice_in_both_splits() -> None:
    plans = plan_dialogues(
        [seed_of(i) for i in range(40)], Recipe.FULL_DUPLEX, SCENES, SPLITS, EmotionalConfig()
    )
    assert Counter((p.scene, p.split) for p in plans) == {(s, x): 2 for s in Scene for x in SPLITS}


def test_languages_are_planned_apart() -> None:
    mixed = [seed_of(i, language) for i in range(10) for language in Language]
    plans = plan_dialogues(mixed, Recipe.FULL_DUPLEX, SCENES, SPLITS, EmotionalConfig())
    for language in Language:
        assert {p.scene for p in plans if p.seed.language is language} == set(Scene)


@given(st.integers(1, 60), st.integers(1, 20))
def test_appending_a_seed_changes_no_other_plan(count: int, more: int) -> None:
    seeds = [seed_of(i) for i in range(count + more)]
    assert plan_dialogues(seeds, Recipe.FULL_DUPLEX, SCENES, SPLITS, EmotionalConfig())[
        :count
    ] == plan_dialogues(seeds[:count], Recipe.FULL_DUPLEX, SCENES, SPLITS, EmotionalConfig())


@given(
    st.dictionaries(st.sampled_from(list(Scene)), st.floats(0.1, 5), min_size=1),
    st.integers(1, 200),
)
def test_every_prefix_holds_each_scene_in_its_share_to_within_one(
    weights: dict[Scene, float], count: int
) -> None:
    plans = plan_dialogues(
        [seed_of(i) for i in range(count)], Recipe.FULL_DUPLEX, weights, SPLITS, EmotionalConfig()
    )
    dealt = Counter(plan.scene for plan in plans)
    for scene, weight in weights.items():
        assert abs(dealt[scene] - count * weight / sum(weights.values())) <= len(weights)


def test_a_weight_of_zero_leaves_a_scene_out() -> None:
    plans = plan_dialogues(
        [seed_of(i) for i in range(20)],
        Recipe.FULL_DUPLEX,
        {**SCENES, Scene.PAUSE_HANDLING: 0},
        SPLITS,
        EmotionalConfig(),
    )
    assert Scene.PAUSE_HANDLING not in {plan.scene for plan in plans}


@pytest.mark.parametrize("limit", [1, 5, 19])
def test_a_larger_sample_keeps_the_smaller_one(limit: int) -> None:
    seeds = [seed_of(i) for i in range(20)]
    small, large = sample_seeds(seeds, limit, 7), sample_seeds(seeds, limit + 1, 7)
    assert len(small) == limit
    assert {s.seed_id for s in small} < {s.seed_id for s in large}


def test_a_sample_keeps_native_order_and_is_not_the_head() -> None:
    seeds = [seed_of(i) for i in range(100)]
    sample = sample_seeds(seeds, 10, 7)
    positions = [seeds.index(seed) for seed in sample]
    assert positions == sorted(positions)
    assert positions != list(range(10))


def test_dialogue_ids_are_unique_and_usable_as_file_names() -> None:
    plans = plan_dialogues(
        [seed_of(i) for i in range(200)], Recipe.FULL_DUPLEX, SCENES, SPLITS, EmotionalConfig()
    )
    assert len({plan.dialogue_id for plan in plans}) == 200
    assert all(plan.dialogue_id.replace("-", "").isalnum() for plan in plans)

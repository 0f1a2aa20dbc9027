from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.emotional_plan import EmotionalConfig
from pipeline.domain.labels import Language, Recipe, Split
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.scene import Scene
from pipeline.domain.script import DialoguePlan
from pipeline.domain.seed import SeedDialogue
from pipeline.stages import seeds
from pipeline.stages.seeds import Config, Deps, SeedSource, SourceContent
from pipeline.stages.shard import Shard
from tests.stages.doubles import seed_of

Found = SeedDialogue | Refusal


def source(path: str, limit: int | None = None) -> SeedSource:
    return SeedSource(reader="made-up", path=path, language=Language.EN, limit=limit)


def dialogue(number: int, words: str = "") -> SeedDialogue:
    return seed_of(f"{number}", (f"Question {words or number}?", "Answer."))


def refusal(number: int) -> Refusal:
    return Refusal(
        stage="seeds", record_id=f"file:{number}", reason=Reason.ONE_SPEAKER, detail="one", payload="{}"
    )


def run(
    content: Mapping[str, tuple[Found, ...]], limit: int | None = None, root_seed: int = 0
) -> Shard[DialoguePlan]:
    sources = tuple(source(path, limit) for path in content)

    def read(one: SeedSource) -> Iterator[Found]:
        return iter(content[one.path])

    shard = Shard(0, tuple(SourceContent(source=one, content_sha256=one.path) for one in sources))
    return seeds.run(
        shard,
        Config(sources=sources),
        Deps(root_seed=root_seed, recipe=Recipe.FULL_DUPLEX, emotional=EmotionalConfig(), read=read),
    )


@given(st.lists(st.integers(0, 12), max_size=30), st.lists(st.integers(0, 12), max_size=10))
def test_every_dialogue_read_is_planned_or_refused(numbers: list[int], refused: list[int]) -> None:
    found: tuple[Found, ...] = (*map(dialogue, numbers), *map(refusal, refused))
    done = run({"a": found})
    assert len(done.records) + len(done.refusals) == len(numbers) + len(refused)
    assert {plan.seed.seed_id for plan in done.records} == {dialogue(n).seed_id for n in numbers}


def test_what_a_reader_refused_is_handed_on_as_it_is() -> None:
    assert run({"a": (dialogue(1), refusal(7))}).refusals == (refusal(7),)


@pytest.mark.parametrize(
    ("second", "reason"),
    [(dialogue(1, "other words"), Reason.DUPLICATE_ID), (dialogue(2, "1"), Reason.DUPLICATE_TEXT)],
)
def test_a_dialogue_that_an_earlier_source_had_is_refused_with_its_payload(
    second: SeedDialogue, reason: Reason
) -> None:
    # Planned twice, it could be in two splits.
    done = run({"first": (dialogue(1),), "second": (second,)})
    (refused,) = done.refusals
    assert refused.reason is reason
    assert "second" in refused.detail
    assert SeedDialogue.from_line(refused.payload) == second
    assert [plan.seed for plan in done.records] == [dialogue(1)]


def test_a_limit_draws_from_each_source_and_another_seed_draws_others() -> None:
    content = {path: tuple(dialogue(n + at) for n in range(40)) for path, at in (("a", 0), ("b", 100))}
    done = run(content, limit=5)
    ids = [plan.seed.seed_id for plan in done.records]
    assert len(ids) == 10
    assert len({name for name in ids if int(name.rpartition("/")[2]) >= 100}) == 5
    assert ids == [plan.seed.seed_id for plan in run(content, limit=5).records]
    assert ids != [plan.seed.seed_id for plan in run(content, limit=5, root_seed=1).records]


def test_a_dialogue_appended_to_the_last_source_changes_no_plan() -> None:
    few = run({"a": tuple(map(dialogue, range(9)))})
    more = run({"a": tuple(map(dialogue, range(10)))})
    assert more.records[:9] == few.records


@pytest.mark.parametrize(
    ("key", "weights"),
    [
        ("scenes", {Scene.TOPIC_SWITCHING: -1.0}),
        ("scenes", {Scene.TOPIC_SWITCHING: 0.0}),
        ("scenes", {}),
        ("splits", {Split.DEV: -0.5, Split.TRAIN: 1.0}),
        ("splits", {}),
    ],
)
def test_weights_that_share_nothing_out_are_refused(key: str, weights: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=f"{key}: weights must be >= 0 and not all 0"):
        Config.model_validate({"sources": (source("a"),), key: weights})

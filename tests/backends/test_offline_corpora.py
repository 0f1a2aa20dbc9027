"""The embedded author over real corpora: no favourites among its frames, and enough seeds that are of use.

Reads the folder that HUMDIAL_SHARED_DATA names, else `../shared/data` beside the repository; skips without it.
"""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

import pytest

from pipeline.core.scripting.event_plan import ConversationConfig, plan_events
from pipeline.core.scripting.full_duplex import adapt_input
from pipeline.core.seeding import derive_seed
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Recipe, Split
from pipeline.domain.quarantine import Refusal
from pipeline.domain.scene import Scene
from pipeline.domain.script import DialoguePlan
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora import CORPORA
from tests.backends.offline_conversations import converse, plan_for
from tests.backends.offline_dialogues import Made, make_from

_DEFAULT = Path(__file__).parents[2].parent / "shared" / "data"
TEXT = Path(os.environ.get("HUMDIAL_SHARED_DATA", _DEFAULT)) / "text"
FILES = {
    "crosswoz": "zh/crosswoz/val.json.zip",
    "multiwoz_zh": "zh/multiwoz_zh/human_val.json.zip",
    "sgd": "en/sgd/dev/dialogues_005.json",
    "multiwoz21": "en/multiwoz2_1/val.json.zip",
    "smilechat": "zh/smilechat",
    "esconv": "en/esconv/FailedESConv.json",
    "dialogsum": "en/dialogsum/dialogsum.dev.jsonl",
    "xdailydialog": "en/xdailydialog/en_dev_human.txt",
    "kdconv": "zh/kdconv",
}
RUN, SCENES = 200, tuple(Scene)


def read(corpus: str) -> tuple[SeedDialogue, ...]:
    path = TEXT / FILES[corpus]
    if not path.exists():
        pytest.skip(
            f"no {FILES[corpus]} in {TEXT}: set HUMDIAL_SHARED_DATA to the folder of the real corpora"
        )
    found = CORPORA[corpus].read(path, Language(FILES[corpus][:2]))
    return tuple(seed for seed in found if not isinstance(seed, Refusal))


def make(seed: SeedDialogue, scene: Scene, root_seed: int) -> Made | None:
    """The dialogue as the script stage would have it written; None where the author refuses."""
    plan = DialoguePlan(
        dialogue_id=f"{scene.value}-{seed.seed_id}",
        seed=seed,
        recipe=Recipe.FULL_DUPLEX,
        scene=scene,
        split=Split.TRAIN,
    )
    try:
        return make_from(adapt_input(plan), derive_seed(root_seed, "script", plan.dialogue_id))
    except RecordError:
        return None


def rounds(seeds: tuple[SeedDialogue, ...]) -> Iterator[Made]:
    """All seeds with one scene after the other, again and again: the corpora hold fewer than a run needs."""
    for turn in range(len(SCENES)):
        for number, seed in enumerate(seeds):
            made = make(seed, SCENES[(number + turn) % len(SCENES)], turn)
            if made is not None:
                yield made


@pytest.mark.parametrize(
    "corpora", [("crosswoz", "multiwoz_zh"), ("sgd", "multiwoz21"), ("smilechat", "esconv")]
)
def test_no_frame_is_in_more_than_a_tenth_of_two_hundred_real_dialogues(corpora: tuple[str, str]) -> None:
    pools = [read(corpus) for corpus in corpora]
    mixed = tuple(seed for seed in chain(*zip_longest(*pools)) if seed is not None)
    made = [one for one, _ in zip(rounds(mixed), range(RUN), strict=False)]
    assert len(made) == RUN
    uses = Counter(frame for one in made for frame in set(one.frames))
    frame, count = uses.most_common(1)[0]
    assert count <= RUN // 10, frame


@pytest.mark.parametrize("corpora", [("crosswoz", "multiwoz_zh"), ("sgd", "multiwoz21")])
def test_no_frame_is_in_more_than_an_eighth_of_a_hundred_real_conversations_events(
    corpora: tuple[str, str],
) -> None:
    pools = [read(corpus)[:60] for corpus in corpora]
    seeds = [seed for seed in chain(*zip_longest(*pools)) if seed is not None][:105]
    uses: Counter[str] = Counter()
    made = 0
    for number, seed in enumerate(seeds):
        plan = plan_for(seed, seed.seed_id)
        events = plan_events(ConversationConfig(), number, plan.dialogue_id)
        try:
            _, asking = converse(plan, events, number)
        except RecordError:
            continue
        made += 1
        uses.update(set(asking.frames.get("conversation_write", ())))
    assert made >= 0.9 * len(seeds)
    frame, count = uses.most_common(1)[0]
    assert count <= made // 8, frame


@pytest.mark.parametrize(
    ("corpus", "least"),
    [
        ("crosswoz", 0.8),
        ("multiwoz_zh", 0.9),
        ("sgd", 0.8),
        ("multiwoz21", 0.9),
        ("smilechat", 0.7),
        ("esconv", 0.4),
        ("dialogsum", 0.4),
        ("kdconv", 0.4),
        ("xdailydialog", 0.2),
    ],
)
def test_enough_seeds_of_a_corpus_are_of_use(corpus: str, least: float) -> None:
    seeds = read(corpus)[:100]
    made = [make(seed, SCENES[number % len(SCENES)], 1) for number, seed in enumerate(seeds)]
    assert sum(one is not None for one in made) >= least * len(seeds)

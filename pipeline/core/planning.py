"""What each seed dialogue becomes: its recipe's scene, and its split."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from pipeline.core.emotional_plan import EmotionalConfig, EmotionalDealer
from pipeline.domain.labels import Language, Recipe, Split
from pipeline.domain.scene import Scene
from pipeline.domain.script import DialoguePlan
from pipeline.domain.seed import SeedDialogue

K = TypeVar("K")

_SHORT = {
    Scene.FOLLOW_UP_QUESTION: "follow-up",
    Scene.NEGATION_OR_DISSATISFACTION: "negation",
    Scene.REPETITION_REQUEST: "repetition",
    Scene.TOPIC_SWITCHING: "topic",
    Scene.SILENCE_OR_TERMINATION: "silence",
    Scene.USER_BACKCHANNEL: "backchannel",
    Scene.PAUSE_HANDLING: "pause",
    Scene.THIRD_PARTY_BEFORE: "third-before",
    Scene.THIRD_PARTY_AFTER: "third-after",
    Scene.DIRECTED_AT_OTHERS: "directed",
}


def sample_seeds(
    seeds: Sequence[SeedDialogue], limit: int | None, root_seed: int
) -> tuple[SeedDialogue, ...]:
    """At most `limit` of them, in their own order.

    Corpora are sorted by topic, so the head of a file is no sample: the ones kept are those whose hashed
    id is smallest. The choice of one does not depend on the others, so a longer corpus or a larger limit
    keeps what was chosen before.
    """
    if limit is None or len(seeds) <= limit:
        return tuple(seeds)
    ranked = sorted(seeds, key=lambda seed: _digest(f"{root_seed}\x1f{seed.seed_id}"))
    kept = {seed.seed_id for seed in ranked[:limit]}
    return tuple(seed for seed in seeds if seed.seed_id in kept)


def plan_dialogues(
    seeds: Sequence[SeedDialogue],
    recipe: Recipe,
    scenes: Mapping[Scene, float],
    splits: Mapping[Split, float],
    emotional: EmotionalConfig,
) -> tuple[DialoguePlan, ...]:
    """Give each seed a split and, by recipe, a scene or an emotional assignment, in proportion at every prefix.

    Scenes rotate within a language, splits within a language and scene, so that the smallest run covers
    as much as it can and a seed appended at the end changes no other.
    """
    scene_turns: dict[Language, _Rotation[Scene]] = {}
    split_turns: dict[tuple[Language, Scene | None], _Rotation[Split]] = {}
    dealer = EmotionalDealer(emotional)
    plans = []
    for seed in seeds:
        scene: Scene | None = None
        if recipe is Recipe.FULL_DUPLEX:
            scene = scene_turns.setdefault(seed.language, _Rotation(scenes)).take()
        split = split_turns.setdefault((seed.language, scene), _Rotation(splits)).take()
        kind = recipe.value if scene is None else _SHORT[scene]
        name = f"{seed.language.value}-{kind}-{_digest(seed.seed_id)[:10]}"
        plans.append(
            DialoguePlan(
                dialogue_id=name,
                seed=seed,
                recipe=recipe,
                scene=scene,
                split=split,
                emotional=dealer.deal(seed) if recipe is Recipe.EMOTIONAL else None,
            )
        )
    return tuple(plans)


class _Rotation(Generic[K]):
    """Deals out keys so that after n draws each has had its share of n, to within one."""

    def __init__(self, shares: Mapping[K, float]) -> None:
        total = sum(shares.values())
        self._shares = {key: share / total for key, share in shares.items() if share > 0}
        self._dealt = dict.fromkeys(self._shares, 0)
        self._draws = 0

    def take(self) -> K:
        self._draws += 1
        key = max(self._shares, key=lambda k: self._shares[k] * self._draws - self._dealt[k])
        self._dealt[key] += 1
        return key


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

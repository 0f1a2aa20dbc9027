"""Stage 1: seed dialogues out of corpora, each with the scene and split it will become."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import Field, model_validator

from pipeline.core.emotional_plan import EmotionalConfig
from pipeline.core.planning import plan_dialogues, sample_seeds
from pipeline.domain.labels import Language, Recipe, Split
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene
from pipeline.domain.script import DialoguePlan
from pipeline.domain.seed import SeedDialogue
from pipeline.stages.shard import Shard

NAME = "seeds"
VERSION = 2


class SeedSource(Record):
    """One place to read seed dialogues from."""

    reader: str
    """Name of a corpus reader: `humdial seeds list`."""
    path: str
    """A file or directory; `demo` names the dialogues that ship with this package."""
    language: Language
    limit: int | None = Field(default=None, ge=1)
    """Draw at most so many of the readable dialogues (by hashed id, not from the head of the file)."""


class Config(Record):
    """What to read, and in what shares it becomes scenes and splits."""

    sources: tuple[SeedSource, ...] = Field(min_length=1)
    scenes: dict[Scene, float] = Field(default_factory=lambda: dict.fromkeys(Scene, 1.0))
    """Relative weight of each scene of `full_duplex`; a scene left out does not occur."""
    splits: dict[Split, float] = Field(
        default_factory=lambda: {Split.TRAIN: 0.8, Split.DEV: 0.1, Split.TEST: 0.1}
    )

    @model_validator(mode="after")
    def _weights(self) -> "Config":
        for name, weights in (("scenes", self.scenes), ("splits", self.splits)):
            if any(weight < 0 for weight in weights.values()) or not sum(weights.values()) > 0:
                raise ValueError(f"{name}: weights must be >= 0 and not all 0, got {dict(weights)}")
        return self


class SourceContent(Record):
    """A source and the hash of what it holds: files are compared by content, never by name."""

    source: SeedSource
    content_sha256: str


@dataclass(frozen=True, slots=True)
class Deps:
    """What the stage needs from the outside."""

    root_seed: int
    recipe: Recipe
    emotional: EmotionalConfig
    """What the `emotional` recipe is to be made of."""
    read: Callable[[SeedSource], Iterator[SeedDialogue | Refusal]]

    def fingerprint(self) -> str:
        """What else the output depends on beyond the sources' content: what will be made of the seeds."""
        emotional = f"/{self.emotional.fingerprint()}" if self.recipe is Recipe.EMOTIONAL else ""
        return f"{self.recipe.value}{emotional}"


def run(shard: Shard[SourceContent], config: Config, deps: Deps) -> Shard[DialoguePlan]:
    """Read every source, refuse what cannot be used, draw a sample, and plan what each becomes."""
    refusals: list[Refusal] = []
    seeds: list[SeedDialogue] = []
    known: set[str] = set()
    texts: set[str] = set()
    for content in shard.records:
        accepted: list[SeedDialogue] = []
        for found in deps.read(content.source):
            if isinstance(found, Refusal):
                refusals.append(found)
            elif found.seed_id in known:
                refusals.append(_duplicate(found, content.source, Reason.DUPLICATE_ID))
            elif (text := _text_digest(found)) in texts:
                # Corpora come in several forms: the same words in two splits would leak one into the other.
                refusals.append(_duplicate(found, content.source, Reason.DUPLICATE_TEXT))
            else:
                known.add(found.seed_id)
                texts.add(text)
                accepted.append(found)
        seeds.extend(sample_seeds(accepted, content.source.limit, deps.root_seed))
    plans = plan_dialogues(seeds, deps.recipe, config.scenes, config.splits, deps.emotional)
    return Shard(index=shard.index, records=plans, refusals=tuple(refusals))


def _text_digest(seed: SeedDialogue) -> str:
    return hashlib.sha256("\x1f".join(turn.text for turn in seed.turns).encode()).hexdigest()


def _duplicate(seed: SeedDialogue, source: SeedSource, reason: Reason) -> Refusal:
    what = "id" if reason is Reason.DUPLICATE_ID else "text"
    return Refusal(
        stage=NAME,
        record_id=seed.seed_id,
        reason=reason,
        detail=f"an earlier dialogue has this {what} too; second occurrence in {source.path}",
        payload=seed.to_line(),
    )

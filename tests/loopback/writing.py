"""The script stage against a server: plans, and a process of its own that can be killed.

`python -m tests.loopback.writing URL STORE COUNT` writes so many dialogues and prints what became of them.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.backends.openai_chat import OpenAIAuthor, Server
from pipeline.core.ledger import Call
from pipeline.core.patience import Patience
from pipeline.domain.labels import Language, Recipe, Split
from pipeline.domain.scene import Scene
from pipeline.domain.script import DialoguePlan, Script
from pipeline.io.prompts import load_prompts
from pipeline.io.store import Store
from pipeline.ports import ReplyStore
from pipeline.stages import script
from pipeline.stages.author_config import AuthorConfig, EndpointConfig
from pipeline.stages.script import Config, Deps
from pipeline.stages.shard import Shard
from tests.stages.doubles import FERRY, seed_of

MODEL = "loopback-1"
PATIENCE = Patience(timeout_s=20, first_pause_s=0.005, longest_pause_s=0.05, give_up_after_s=5)
ROOT_SEED = 3


def plans(count: int) -> tuple[DialoguePlan, ...]:
    """Dialogues about a ferry, scene by scene, told apart by the first line."""
    scenes = tuple(Scene)
    return tuple(
        DialoguePlan(
            dialogue_id=f"en-{number:04d}",
            seed=seed_of(str(number), (f"{FERRY[0]} I am guest {number}.", *FERRY[1:]), Language.EN),
            recipe=Recipe.FULL_DUPLEX,
            scene=scenes[number % len(scenes)],
            split=Split.TRAIN,
        )
        for number in range(count)
    )


@dataclass
class Written:
    """What a run of the stage gave."""

    done: Shard[Script]
    calls: list[Call] = field(default_factory=list)


def write(
    url: str,
    store: ReplyStore,
    count: int,
    *,
    max_in_flight: int = 32,
    api_key: str | None = None,
    patience: Patience = PATIENCE,
) -> Written:
    """Write so many dialogues with the author behind an address."""
    endpoints = (EndpointConfig(base_url=url, server="vllm"),)
    author = AuthorConfig(
        backend="openai", model=MODEL, endpoints=endpoints, max_in_flight=max_in_flight, patience=patience
    )
    calls: list[Call] = []
    with OpenAIAuthor(MODEL, [Server(url, "vllm", max_in_flight, api_key)], patience) as model:
        deps = Deps(
            root_seed=ROOT_SEED,
            author=model,
            prompts=load_prompts(),
            prompts_sha256="",
            replies=store,
            keep_calls=lambda index, some: calls.extend(some),
        )
        done = script.run(Shard(0, plans(count)), Config(author=author), deps)
    return Written(done, calls)


def main(url: str, store: str, count: str) -> None:
    written = write(url, Store(Path(store)), int(count), max_in_flight=8)
    print(len(written.done.records), len(written.done.refusals))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""RunConfig -> deps. The only module that names concrete backends."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Protocol, TypeVar

from pipeline.config import DEMO, RunConfig
from pipeline.core.ledger import Call
from pipeline.core.timing.dyad import dyad_law
from pipeline.domain.emotional import Tag
from pipeline.domain.errors import ConfigError
from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan, Script
from pipeline.domain.seed import SeedDialogue
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Timeline
from pipeline.io.audio import RunAudio
from pipeline.io.corpora import find_corpus
from pipeline.io.jsonl import write_records
from pipeline.io.prompts import load_prompts
from pipeline.io.references import load_reference
from pipeline.io.run_directory import RunDirectory
from pipeline.io.sources import fingerprint_source
from pipeline.io.store import Store
from pipeline.io.voices import load_voices
from pipeline.ports import ChatModel, ReplyStore
from pipeline.speech_wiring import check_needs, open_ladder
from pipeline.stages import render, script, seeds, speech, timing
from pipeline.stages.author_config import AuthorConfig
from pipeline.stages.seeds import SeedSource, SourceContent
from pipeline.stages.shard import Shard

R = TypeVar("R", bound=Record)
I = TypeVar("I", bound=Record)  # noqa: E741 - what a stage takes in
C = TypeVar("C", bound=Record)
D = TypeVar("D", bound="_Deps")

ORDER = (seeds.NAME, script.NAME, speech.NAME, timing.NAME, render.NAME)
"""Stages that work on shards, in the order in which they run."""

STAGE_VERSIONS = {stage.NAME: stage.VERSION for stage in (seeds, script, speech, timing, render)}


def directory_of(stage: str) -> str:
    """Name of a stage's directory in a run: `02-script`."""
    return f"{ORDER.index(stage) + 1:02d}-{stage}"


class ReadUpstream(Protocol):
    """Reads the records of the upstream shard."""

    def __call__(self, kind: type[R]) -> tuple[R, ...]:
        """All of them, as records of this kind."""
        ...


@dataclass(frozen=True, slots=True)
class BoundStage:
    """A stage with its configuration and deps: all that a runner needs to know of it."""

    name: str
    version: int
    config: Record
    deps_fingerprint: str
    apply: Callable[[ReadUpstream, int], Shard[Record]]
    """Run on the records of the upstream shard, as shard number n."""

    def key(self, root_seed: int, upstream: str) -> str:
        """Cache key: everything that the output depends on."""
        parts = (
            self.name,
            str(self.version),
            self.config.fingerprint(),
            self.deps_fingerprint,
            str(root_seed),
            upstream,
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


class Wiring:
    """Builds the stages of one run, each when it is first asked for: a stage that is not run builds nothing."""

    def __init__(self, config: RunConfig, run_directory: Path, store_directory: Path) -> None:
        self._config = config
        self._run_directory = run_directory
        self._store = Store(store_directory)
        self._audio = RunAudio(run_directory)
        self._resources = ExitStack()
        self._building = threading.Lock()
        self._bound: dict[tuple[str, float], BoundStage] = {}
        self.models: dict[str, str] = {}
        """Who writes, judges and speaks in the stages built so far, by role."""
        self.sounds: frozenset[Tag] = frozenset()
        """Beside words: those that whoever speaks can make."""
        self.prompts: dict[str, str] = {}
        """SHA-256 by `<stage>/<name>.v<N>` of the prompts that they use."""

    def stage(self, name: str, dial: float = 0.0) -> BoundStage:
        """The bound stage; `dial` is for timing. Raises ConfigError where its backend or files are not to be had."""
        with self._building:  # worker threads ask for the same stage at the same time
            return self._stage(name, dial)

    def _stage(self, name: str, dial: float) -> BoundStage:
        if (name, dial) not in self._bound:
            builders: dict[str, Callable[[], BoundStage]] = {
                seeds.NAME: self._seeds,
                script.NAME: self._script,
                speech.NAME: self._speech,
                timing.NAME: lambda: self._timing(dial),
                render.NAME: self._render,
            }
            self._bound[name, dial] = builders[name]()
        return self._bound[name, dial]

    def bound(self) -> dict[str, str]:
        """What the stages built so far depend on, by name: for the record of a run."""
        return {stage.name: stage.deps_fingerprint for stage in self._bound.values()}

    def timing_deps(self, dial: float) -> timing.Deps:
        """Deps of the timing stage alone, for calibration."""
        reference = load_reference(self._config.timing.reference)
        return timing.Deps(
            root_seed=self._config.seed,
            reference=reference,
            dyads=dyad_law(reference),
            stages=tuple(f"{stage.NAME}-{stage.VERSION}" for stage in (seeds, script, speech, timing)),
            dial=dial,
        )

    def sources(self) -> tuple[SourceContent, ...]:
        """The configured seed sources with the hash of what they hold now."""
        return tuple(_content_of(source) for source in self._config.seeds.sources)

    def close(self) -> None:
        """Stop engine processes."""
        self._resources.close()

    def _seeds(self) -> BoundStage:
        deps = seeds.Deps(
            root_seed=self._config.seed,
            recipe=self._config.script.recipe,
            emotional=self._config.script.emotional,
            read=read_source,
        )
        return _bind(seeds.NAME, seeds.VERSION, self._config.seeds, deps, SourceContent, seeds.run)

    def _script(self) -> BoundStage:
        config = self._config.script
        prompts = load_prompts(pins=config.prompts)
        self.prompts = {p.reference: p.sha256 for p in map(prompts.current, script.prompts_of(config))}
        used = "".join(f"{reference}:{sha256}" for reference, sha256 in self.prompts.items())
        author = self._author(config.author)
        judge = self._judge(author)
        paid = config.author.backend != "offline" or judge is not None
        author, judge, replies = self._within_budget(author, judge)
        self.models |= {"author": author.name} | ({} if judge is None else {"judge": judge.name})
        deps = script.Deps(
            root_seed=self._config.seed,
            author=author,
            judge=judge,
            prompts=prompts,
            prompts_sha256=hashlib.sha256(used.encode()).hexdigest(),
            replies=replies,
            keep_calls=self._keep_calls if paid else None,
        )
        return _bind(script.NAME, script.VERSION, config, deps, DialoguePlan, script.run)

    def _within_budget(
        self, author: ChatModel, judge: ChatModel | None
    ) -> tuple[ChatModel, ChatModel | None, ReplyStore]:
        """Author, judge and store under the run's budget, if it has one."""
        config = self._config.script.author
        if config.budget is None:
            return author, judge, self._store
        from pipeline.backends.openai_chat.budget import Budget, BudgetedAuthor, BudgetedReplies

        budget = Budget(config.budget, config.prices, RunDirectory(self._run_directory).read_calls())
        judge = None if judge is None else BudgetedAuthor(judge, budget)
        return BudgetedAuthor(author, budget), judge, BudgetedReplies(self._store, budget)

    def _judge(self, author: ChatModel) -> ChatModel | None:
        config = self._config.script
        if not config.review.judges(config.author):
            return None
        return author if config.review.judge is None else self._author(config.review.judge)

    def _author(self, config: AuthorConfig) -> ChatModel:
        if config.backend == "offline":
            from pipeline.backends.offline.author import OfflineAuthor  # here: retiming never loads one

            return OfflineAuthor()
        try:
            from pipeline.backends.openai_chat import OpenAIAuthor, Server, find_key
        except ImportError as error:
            raise ConfigError(
                f"script.author: backend openai cannot be loaded ({error}); remedy: "
                "pip install 'humdial-pipeline[openai]'"
            ) from error
        servers = [
            Server(
                base_url=endpoint.base_url.rstrip("/"),
                kind=endpoint.server,
                max_in_flight=endpoint.max_in_flight,
                api_key=find_key(endpoint.api_key_variable, endpoint.server),
            )
            for endpoint in config.endpoints
        ]
        return self._resources.enter_context(OpenAIAuthor(config.model or "", servers, config.patience))

    def _keep_calls(self, index: int, calls: tuple[Call, ...]) -> None:
        write_records(self._run_directory / directory_of(script.NAME) / f"ledger.{index:05d}.jsonl", calls)

    def _speech(self) -> BoundStage:
        deps = self.speech_deps()
        return _bind(speech.NAME, speech.VERSION, self._config.speech, deps, Script, speech.run)

    def speech_deps(self) -> speech.Deps:
        """Deps of the speech stage: who speaks, and with which voices."""
        config = self._config.speech
        voices = load_voices(None if config.voices is None else Path(config.voices).expanduser())
        ladder = open_ladder(config, voices, self._resources)
        check_needs(self._config, ladder)
        self.models["synthesizer"] = "+".join(rung.capabilities.engine for rung in ladder.rungs)
        self.sounds = ladder.tags
        return speech.Deps(
            root_seed=self._config.seed,
            ladder=ladder,
            voices=tuple(voice for voice in voices.all if voice.backend == config.backend),
            clips=self._store,
            sampling_rate=self._config.render.sampling_rate,
        )

    def _timing(self, dial: float) -> BoundStage:
        deps = self.timing_deps(dial)
        return _bind(timing.NAME, timing.VERSION, self._config.timing, deps, SpokenScript, timing.run)

    def _render(self) -> BoundStage:
        deps = render.Deps(clips=self._store, audio=self._audio)
        return _bind(render.NAME, render.VERSION, self._config.render, deps, Timeline, render.run)


@contextmanager
def locate_source(source: SeedSource) -> Iterator[Path]:
    """The path of a source; `demo` is inside the package."""
    if source.path == DEMO:
        with as_file(files("pipeline") / "data" / "seeds" / f"{source.language.value}.jsonl") as path:
            yield path
    else:
        yield Path(source.path)


def read_source(source: SeedSource) -> Iterator[SeedDialogue | Refusal]:
    """Read one source with its corpus's reader. Raises ConfigError for an unknown reader or a missing path."""
    with locate_source(source) as path:
        yield from find_corpus(source.reader).read(path, source.language)


def _content_of(source: SeedSource) -> SourceContent:
    with locate_source(source) as path:
        return SourceContent(source=source, content_sha256=fingerprint_source(path))


class _Deps(Protocol):
    def fingerprint(self) -> str: ...


def _bind(
    name: str,
    version: int,
    config: C,
    deps: D,
    reads: type[I],
    run: Callable[[Shard[I], C, D], Shard[Record]],
) -> BoundStage:
    def apply(read: ReadUpstream, index: int) -> Shard[Record]:
        return run(Shard(index=index, records=read(reads)), config, deps)

    return BoundStage(
        name=name, version=version, config=config, deps_fingerprint=deps.fingerprint(), apply=apply
    )

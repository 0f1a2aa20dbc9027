"""Running stages on shards: find what is done, do what is missing, write it down.

Knows nothing of Prefect: the flow calls `Runner` from its tasks, `preview` calls it in a loop.

::

    sources -> 01-seeds -> slices -> 02-script -> 03-speech -> 04-timing -> 05-render -> dialogues.jsonl
                             (each arrow per shard; a shard whose stamp fits is not run again)
"""

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

from pipeline import __version__
from pipeline.config import RunConfig
from pipeline.domain.errors import PipelineError
from pipeline.domain.record import Record, canonical_json
from pipeline.domain.timeline import AudioFile, Dialogue
from pipeline.io.files import write_text
from pipeline.io.jsonl import write_records
from pipeline.io.run_directory import RunDirectory, Stamp
from pipeline.stages import render, seeds
from pipeline.stages.seeds import SourceContent
from pipeline.stages.shard import Shard
from pipeline.wiring import ORDER, BoundStage, Wiring, directory_of

R = TypeVar("R", bound=Record)

PACKAGES = ("numpy", "scipy", "soxr", "soundfile", "pydantic", "prefect", "espeakng-loader")
"""Packages whose versions a run writes down."""


class ShardRef(Record):
    """A finished shard of one stage: small enough to be passed between tasks."""

    stage: str
    index: int
    records_sha256: str
    num_records: int
    num_refusals: int
    cached: bool
    """Found complete, not run again."""


class Slicing(Record):
    """How many shards the seeds were cut into, for which key."""

    key: str
    num_shards: int


class Progress(Protocol):
    """Who watches a run."""

    def begin(self, num_shards: int) -> None:
        """So many shards of all stages will pass."""
        ...

    def advance(self, ref: ShardRef) -> None:
        """One more is done."""
        ...

    def end(self) -> None:
        """All are."""
        ...


class _Silent:
    """Nobody watches."""

    def begin(self, num_shards: int) -> None: ...

    def advance(self, ref: ShardRef) -> None: ...

    def end(self) -> None: ...


SILENT: Progress = _Silent()


class RunSummary(Record):
    """What a finished run holds."""

    directory: str
    num_dialogues: int
    num_refusals: int
    refusals: dict[str, int]
    """By `<stage>: <reason>`."""
    shards_run: int
    shards_cached: int


class Runner:
    """One run: its configuration, directory and stages. Use as a context manager; holds the directory."""

    def __init__(self, config: RunConfig, run_directory: Path, store_directory: Path) -> None:
        self.config = config
        self.directory = RunDirectory(run_directory)
        self._wiring = Wiring(config, run_directory, store_directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wiring.close()

    def plan(self) -> tuple[ShardRef, ...]:
        """Read the seeds, plan the dialogues, and cut them into shards."""
        bound = self._wiring.stage(seeds.NAME)
        sources = self._wiring.sources()
        upstream = "".join(source.fingerprint() for source in sources)
        key = hashlib.sha256(
            f"{bound.key(self.config.seed, upstream)}/{self.config.shard_size}".encode()
        ).hexdigest()
        found = self._find_slices(key)
        if found is not None:
            return found
        planned = bound.apply(_Sources(sources), 0)
        return self._write_slices(planned, key)

    def advance(self, stage: str, upstream: ShardRef) -> ShardRef:
        """Run one stage on one shard, unless its result is there already."""
        bound = self._wiring.stage(stage)
        key = bound.key(self.config.seed, upstream.records_sha256)
        directory = directory_of(stage)
        stamp = self.directory.find_stamp(directory, upstream.index, key)
        if stamp is not None and self._artefacts_complete(stage, upstream.index):
            return _ref(stage, upstream.index, stamp, cached=True)
        shard = self._apply(bound, upstream)
        written = self.directory.write_shard(directory, upstream.index, key, shard.records, shard.refusals)
        return _ref(stage, upstream.index, written, cached=False)

    def finish(self, rendered: Sequence[ShardRef], done: Sequence[ShardRef]) -> RunSummary:
        """Put the rendered shards together and write down what the run was.

        Raises PipelineError if every record was refused.
        """
        for stage in ORDER:
            self.directory.drop_shards_from(directory_of(stage), len(rendered))
        ordered = sorted(rendered, key=lambda ref: ref.index)
        counts = Counter(f"{r.stage}: {r.reason.value}" for r in self.directory.read_refusals())
        if not any(ref.num_records for ref in ordered):
            reasons = (
                ", ".join(f"{name} x {count}" for name, count in counts.most_common(5)) or "no seeds read"
            )
            raise PipelineError(
                f"run {self.config.name}: all records were refused ({reasons}); "
                f"see {self.directory.path}/*/quarantine.*"
            )
        write_records(self.directory.dialogues_path, self._dialogues(ordered))
        self.directory.drop_audio_except({audio.path for audio in self._audio_files(ordered)})
        summary = RunSummary(
            directory=str(self.directory.path),
            num_dialogues=sum(ref.num_records for ref in ordered),
            num_refusals=sum(counts.values()),
            refusals=dict(sorted(counts.items())),
            shards_run=sum(not ref.cached for ref in done),
            shards_cached=sum(ref.cached for ref in done),
        )
        write_text(self.directory.path / "run.json", self._describe(summary))
        return summary

    def _apply(self, bound: BoundStage, upstream: ShardRef) -> Shard[Record]:
        directory = directory_of(upstream.stage)
        return bound.apply(
            lambda kind: self.directory.read_shard(directory, upstream.index, kind), upstream.index
        )

    def _artefacts_complete(self, stage: str, index: int) -> bool:
        """Whether the files that a stage's records speak of are all there, in full length."""
        if stage != render.NAME:
            return True
        dialogues = self.directory.read_shard(directory_of(stage), index, Dialogue)
        return all(self._is_whole(dialogue.audio) for dialogue in dialogues)

    def _is_whole(self, audio: AudioFile) -> bool:
        path = self.directory.path / audio.path
        return path.is_file() and path.stat().st_size == audio.num_bytes

    def _find_slices(self, key: str) -> tuple[ShardRef, ...] | None:
        try:
            slicing = Slicing.from_line(self._slicing_path.read_bytes())
        except (OSError, ValueError):
            return None
        if slicing.key != key:
            return None
        refs = []
        for index in range(slicing.num_shards):
            stamp = self.directory.find_stamp(directory_of(seeds.NAME), index, key)
            if stamp is None:
                return None
            refs.append(_ref(seeds.NAME, index, stamp, cached=True))
        return tuple(refs)

    def _write_slices(self, planned: Shard[Record], key: str) -> tuple[ShardRef, ...]:
        size, plans = self.config.shard_size, planned.records
        slices = [plans[start : start + size] for start in range(0, len(plans), size)] or [()]
        refs = []
        for index, part in enumerate(slices):
            refusals = planned.refusals if index == 0 else ()
            stamp = self.directory.write_shard(directory_of(seeds.NAME), index, key, part, refusals)
            refs.append(_ref(seeds.NAME, index, stamp, cached=False))
        write_text(self._slicing_path, Slicing(key=key, num_shards=len(slices)).to_line())
        return tuple(refs)

    @property
    def _slicing_path(self) -> Path:
        return self.directory.path / directory_of(seeds.NAME) / "slicing.json"

    def _dialogues(self, rendered: Sequence[ShardRef]) -> Iterator[Dialogue]:
        for ref in rendered:
            yield from self.directory.read_shard(directory_of(render.NAME), ref.index, Dialogue)

    def _audio_files(self, rendered: Sequence[ShardRef]) -> Iterator[AudioFile]:
        for dialogue in self._dialogues(rendered):
            yield dialogue.audio

    def _describe(self, summary: RunSummary) -> str:
        """run.json: what was asked, with what, and what came of it."""
        content = {
            "config": json.loads(canonical_json(self.config)),
            "versions": {
                "humdial-pipeline": __version__,
                "python": platform.python_version(),
                "stages": {name: self._wiring.stage(name).version for name in ORDER},
                "deps": {name: self._wiring.stage(name).deps_fingerprint for name in ORDER},
                "packages": {name: found for name in PACKAGES if (found := _version(name))},
            },
            "counts": {
                "dialogues": summary.num_dialogues,
                "refusals": summary.refusals,
            },
        }
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def run_in_process(runner: Runner, progress: Progress = SILENT, max_shards: int | None = None) -> RunSummary:
    """The whole pipeline in a plain loop: what `preview` does, and what the flow must agree with.

    `max_shards` stops after the first so many shards of the plan.
    """
    with runner.directory.locked():
        done: list[ShardRef] = []
        rendered: list[ShardRef] = []
        plan = runner.plan()[:max_shards]
        progress.begin(len(plan) * (len(ORDER) - 1))
        for planned in plan:
            done.append(planned)
            ref = planned
            for stage in ORDER[1:]:
                ref = runner.advance(stage, ref)
                done.append(ref)
                progress.advance(ref)
            rendered.append(ref)
        progress.end()
        return runner.finish(rendered, done)


class _Sources:
    """Reads the sources as if they were the shard before the first stage."""

    def __init__(self, sources: tuple[SourceContent, ...]) -> None:
        self._sources = sources

    def __call__(self, kind: type[R]) -> tuple[R, ...]:
        return tuple(source for source in self._sources if isinstance(source, kind))


def _ref(stage: str, index: int, stamp: Stamp, *, cached: bool) -> ShardRef:
    return ShardRef(
        stage=stage,
        index=index,
        records_sha256=stamp.records_sha256,
        num_records=stamp.num_records,
        num_refusals=stamp.num_refusals,
        cached=cached,
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

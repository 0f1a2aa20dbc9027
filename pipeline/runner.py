"""Running stages on shards: find what is done, do what is missing, write it down.

Knows nothing of Prefect: the flow calls `Runner` from its tasks, `preview` calls it in a loop.

::

    sources -> 01-seeds -> slices -> 02-script -> 03-speech -> 04-timing -> 05-render -> dialogues.jsonl
                             (each arrow per shard; a shard whose stamp fits is not run again)
"""

import gc
import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pipeline import __version__
from pipeline.config import RunConfig
from pipeline.core.ledger import Ledger, summarise_calls
from pipeline.core.timing.calibration import Calibration, SpreadReach
from pipeline.domain.errors import PipelineError
from pipeline.domain.record import Record
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Dialogue
from pipeline.io.files import write_text
from pipeline.io.run_directory import Artefact, RunDirectory, Stamp
from pipeline.run_records import (
    DESCRIPTION,
    SILENT,
    Progress,
    RunDescription,
    RunSummary,
    ShardRef,
    Slicing,
    StageCounts,
    Versions,
)
from pipeline.stages import render, seeds, speech, timing
from pipeline.stages.seeds import SourceContent
from pipeline.stages.shard import Shard
from pipeline.wiring import ORDER, STAGE_VERSIONS, BoundStage, Wiring, directory_of

R = TypeVar("R", bound=Record)

PACKAGES = (
    *("numpy", "scipy", "soxr", "soundfile", "xxhash", "pydantic", "pyyaml", "jinja2", "num2words", "rjieba"),
    *("prefect", "espeakng-loader", "openai"),
)
"""Packages whose versions a run writes down: those that could change its data, or how it ran."""


NOTHING = Versions(pipeline="", python="", stages={}, deps={}, packages={})
"""What made a run that took nothing over."""

BEFORE_TIMING = ORDER[1 : ORDER.index(timing.NAME)]
FROM_TIMING = ORDER[ORDER.index(timing.NAME) :]
"""Stages that need neither an author nor a synthesizer: all that retiming runs."""


def relax_collector() -> None:
    """Let Python's cycle collector run rarely in this process.

    A shard is tens of thousands of small frozen records, which cannot form cycles: looking through them
    again and again is half the time of planning and finds nothing.
    """
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)


class Runner:
    """One run: its configuration, directory and stages. Use as a context manager; holds the directory."""

    def __init__(
        self,
        config: RunConfig,
        run_directory: Path,
        store_directory: Path,
        inherited: RunDescription | None = None,
    ) -> None:
        """`inherited` describes the run that lends its shards to this one."""
        self.config = config
        self._inherited = inherited
        self.directory = RunDirectory(run_directory)
        self._store_directory = store_directory
        self._wiring = Wiring(config, run_directory, store_directory)
        self._sources: tuple[str, ...] = ()
        self._calibration: Calibration | None = None
        self._spread: SpreadReach | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wiring.close()

    def plan(self, *, speaks: bool = True) -> tuple[ShardRef, ...]:
        """Read the seeds, plan the dialogues, and cut them into shards.

        What is lacking is told before anything is paid for: a reference, and, where it `speaks`, engines and voices.
        """
        self._wiring.timing_deps(0.0)
        if speaks:
            self._wiring.stage(speech.NAME)
        bound = self._wiring.stage(seeds.NAME)
        sources = self._wiring.sources()
        self._sources = tuple(source.content_sha256 for source in sources)
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
        bound = self._wiring.stage(stage, self._dial if stage == timing.NAME else 0.0)
        key = bound.key(self.config.seed, upstream.records_sha256)
        directory = directory_of(stage)
        stamp = self.directory.find_stamp(directory, upstream.index, key)
        if stamp is not None:
            return ref_of(stage, upstream.index, stamp, cached=True)
        if stage == render.NAME:
            self.directory.reopen()  # before the first file that the finished records speak of is replaced
        shard = self._apply(bound, upstream)
        written = self.directory.write_shard(
            directory, upstream.index, key, shard.records, shard.refusals, _artefacts(shard.records)
        )
        return ref_of(stage, upstream.index, written, cached=False)

    @property
    def needs_calibration(self) -> bool:
        """Whether timing has to see the whole dataset before it places the first dialogue."""
        return self.config.timing.overlap_ratio is not None

    def calibrate(self, spoken: Sequence[ShardRef], progress: Progress = SILENT) -> Calibration | None:
        """Find the dial for a dataset-level overlap ratio; None where none is asked for.

        Where a ratio is spread over dialogues each has a dial of its own; what is found is how many can have
        theirs. The result is kept beside the timing shards, so that a resumed run does not search again. Raises
        ConfigError with the feasible range where what was asked for cannot be met.
        """
        if not self.needs_calibration:
            return None
        deps = self._wiring.timing_deps(0.0)
        parts = (
            self.config.timing.fingerprint(),
            deps.fingerprint(),
            str(deps.root_seed),
            str(timing.VERSION),
        )
        shards = sorted((ref.index, ref.records_sha256) for ref in spoken)
        key = hashlib.sha256(json.dumps([parts, shards]).encode()).hexdigest()
        dialogues = _Spoken(self.directory, spoken, progress)
        self._calibration = self._noted(
            "calibration",
            key,
            Calibration,
            lambda: timing.calibrate_dataset(dialogues, self.config.timing, deps),
        )
        self._spread = self._noted(
            "spread", key, SpreadReach, lambda: timing.survey_spread(dialogues, self.config.timing, deps)
        )
        return self._calibration

    def _noted(self, name: str, key: str, kind: type[R], find: Callable[[], R | None]) -> R | None:
        """What timing found out about the whole dataset, from its note or anew."""
        found = self.directory.find_note(directory_of(timing.NAME), name, key, kind)
        if found is None and (found := find()) is not None:
            self.directory.write_note(directory_of(timing.NAME), name, key, found)
        return found

    def use(self, calibration: Calibration | None) -> None:
        """Take a dial that was found elsewhere."""
        self._calibration = calibration

    @property
    def _dial(self) -> float:
        if not isinstance(self.config.timing.overlap_ratio, float):
            return 0.0
        if self._calibration is None:
            raise RuntimeError("timing.overlap_ratio is a number: call `calibrate` before timing")
        return self._calibration.dial

    def finish(self, rendered: Sequence[ShardRef], done: Sequence[ShardRef]) -> RunSummary:
        """Put the rendered shards together and write down what the run was.

        Raises PipelineError if every record was refused.
        """
        for stage in ORDER[1:]:  # a preview leaves planned shards for later
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
        self.directory.collect_dialogues(directory_of(render.NAME), [ref.index for ref in ordered])
        summary = RunSummary(
            directory=str(self.directory.path),
            num_dialogues=sum(ref.num_records for ref in ordered),
            num_refusals=sum(counts.values()),
            refusals=dict(sorted(counts.items())),
            shards_run=sum(not ref.cached for ref in done),
            shards_cached=sum(ref.cached for ref in done),
        )
        write_text(
            self.directory.path / DESCRIPTION, self._describe(summary, done).model_dump_json(indent=2) + "\n"
        )
        return summary

    def _apply(self, bound: BoundStage, upstream: ShardRef) -> Shard[Record]:
        directory = directory_of(upstream.stage)
        return bound.apply(
            lambda kind: self.directory.read_shard(directory, upstream.index, kind), upstream.index
        )

    def _find_slices(self, key: str) -> tuple[ShardRef, ...] | None:
        slicing = self.directory.find_note(directory_of(seeds.NAME), "slicing", key, Slicing)
        if slicing is None:
            return None
        refs = []
        for index in range(slicing.num_shards):
            stamp = self.directory.find_stamp(directory_of(seeds.NAME), index, key)
            if stamp is None:
                return None
            refs.append(ref_of(seeds.NAME, index, stamp, cached=True))
        return tuple(refs)

    def _write_slices(self, planned: Shard[Record], key: str) -> tuple[ShardRef, ...]:
        size, plans = self.config.shard_size, planned.records
        slices = [plans[start : start + size] for start in range(0, len(plans), size)] or [()]
        refs = []
        for index, part in enumerate(slices):
            refusals = planned.refusals if index == 0 else ()
            stamp = self.directory.write_shard(directory_of(seeds.NAME), index, key, part, refusals)
            refs.append(ref_of(seeds.NAME, index, stamp, cached=False))
        self.directory.drop_shards_from(directory_of(seeds.NAME), len(slices))
        self.directory.write_note(directory_of(seeds.NAME), "slicing", key, Slicing(num_shards=len(slices)))
        return tuple(refs)

    def _describe(self, summary: RunSummary, done: Sequence[ShardRef]) -> RunDescription:
        """What was asked, with what, and what came of it."""
        return RunDescription(
            config=self.config,
            versions=self._versions(),
            num_dialogues=summary.num_dialogues,
            refusals=summary.refusals,
            calibration=self._calibration,
            spread=self._spread,
            store=os.path.relpath(self._store_directory.resolve(), self.directory.path.resolve()),
            counts=self._counts(done),
            ledger=self._ledger(),
        )

    def _versions(self) -> Versions:
        """What made this run: stages that were built here, and those whose shards were taken over."""
        before = self._inherited.versions if self._inherited else NOTHING
        return Versions(
            pipeline=__version__,
            python=platform.python_version(),
            stages=STAGE_VERSIONS,
            deps={**before.deps, **self._wiring.bound()},
            packages={name: found for name in PACKAGES if (found := _version(name))},
            models={**before.models, **self._wiring.models},
            sounds=tuple(sorted({*before.sounds, *self._wiring.sounds})),
            prompts={**before.prompts, **self._wiring.prompts},
            sources=self._sources or before.sources,
        )

    def _counts(self, done: Sequence[ShardRef]) -> dict[str, StageCounts]:
        """Records and refusals by stage, of the shards of this run and of those that it took over."""
        counts = dict(self._inherited.counts) if self._inherited else {}
        for stage in dict.fromkeys(ref.stage for ref in done):
            shards = [ref for ref in done if ref.stage == stage]
            counts[stage] = StageCounts(
                records=sum(ref.num_records for ref in shards),
                refusals=sum(ref.num_refusals for ref in shards),
            )
        return {stage: counts[stage] for stage in ORDER if stage in counts}

    def _ledger(self) -> Ledger | None:
        author = self.config.script.author
        if author.backend == "offline":  # a ledger that lies here is of an author before
            return None
        return summarise_calls(self.directory.read_calls(), author.prices)


def run_in_process(runner: Runner, progress: Progress = SILENT, max_shards: int | None = None) -> RunSummary:
    """The whole pipeline in a plain loop: what `preview` does, and what the flow must agree with.

    `max_shards` stops after the first so many shards of the plan.
    """
    with runner.directory.locked():
        plan = runner.plan()[:max_shards]
        progress.begin(len(plan) * (len(ORDER) - 1))
        try:
            rendered, done = _advance_all(runner, plan, progress)
        finally:
            progress.end()
        return runner.finish(rendered, (*plan, *done))


def _advance_all(
    runner: Runner, plan: Sequence[ShardRef], progress: Progress
) -> tuple[list[ShardRef], list[ShardRef]]:
    """Every stage after seeds: (rendered shards, shards of all stages)."""
    done: list[ShardRef] = []
    spoken: list[ShardRef] = []
    rendered: list[ShardRef] = []

    def advance(ref: ShardRef, stages: Sequence[str]) -> ShardRef:
        for stage in stages:
            ref = runner.advance(stage, ref)
            done.append(ref)
            progress.advance(ref)
        return ref

    for ref in plan:
        spoken.append(advance(ref, BEFORE_TIMING))
    runner.calibrate(spoken, progress)
    for ref in spoken:
        rendered.append(advance(ref, FROM_TIMING))
    return rendered, done


class _Spoken:
    """The dialogues of some speech shards, read anew each time they are gone through."""

    def __init__(self, directory: RunDirectory, refs: Sequence[ShardRef], progress: Progress) -> None:
        self._directory = directory
        self._refs = sorted(refs, key=lambda ref: ref.index)
        self._progress = progress
        self._passes = 0

    def __iter__(self) -> Iterator[SpokenScript]:
        self._passes += 1
        number, total = self._passes, sum(ref.num_records for ref in self._refs)
        self._progress.calibrating(number, 0, total)
        done = 0
        for ref in self._refs:
            for spoken in self._directory.read_shard(directory_of(ref.stage), ref.index, SpokenScript):
                yield spoken
                done += 1
                self._progress.calibrating(number, done, total)


class _Sources:
    """Reads the sources as if they were the shard before the first stage."""

    def __init__(self, sources: tuple[SourceContent, ...]) -> None:
        self._sources = sources

    def __call__(self, kind: type[R]) -> tuple[R, ...]:
        return tuple(source for source in self._sources if isinstance(source, kind))


def _artefacts(records: Iterable[Record]) -> Iterator[Artefact]:
    """The files that a shard's records speak of."""
    for record in records:
        if isinstance(record, Dialogue):
            yield Artefact(path=record.audio.path, num_bytes=record.audio.num_bytes)


def ref_of(stage: str, index: int, stamp: Stamp, *, cached: bool) -> ShardRef:
    """The reference to a stamped shard."""
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

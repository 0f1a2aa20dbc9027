"""New timing for a finished run, from its stored clips alone.

    RUN/01-seeds 02-script 03-speech  --linked-->  OUT/...      then timing and rendering, shards in parallel

No author and no synthesizer is built: there is nothing here that could call one.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from pipeline.config import RunConfig, override_config
from pipeline.core.timing.calibration import Calibration
from pipeline.domain.errors import ConfigError
from pipeline.io.run_directory import RunDirectory
from pipeline.run_records import SILENT, Progress, RunSummary, ShardRef, read_description
from pipeline.runner import BEFORE_TIMING, FROM_TIMING, Runner, ref_of, relax_collector
from pipeline.stages import seeds, speech
from pipeline.wiring import directory_of

SECTION = "timing."


def retime_run(
    run_directory: Path, out: Path, overrides: Sequence[str], processes: int, progress: Progress = SILENT
) -> RunSummary:
    """Time and render a finished run again with other `timing.` settings, into `out`.

    Clips come from the store that the run wrote down. Raises ConfigError where an override is not one of
    timing, where `out` is the run itself, or where a target cannot be met.
    """
    for override in overrides:
        if not override.startswith(SECTION):
            raise ConfigError(
                f"retime --set {override!r}: only {SECTION}* can change without new scripts or speech"
            )
    if out.resolve() == run_directory.resolve():
        raise ConfigError(f"retime: --out {out} is the run itself; choose another directory")
    described = read_description(run_directory)
    config = override_config(described.config, overrides)
    store = (run_directory.resolve() / described.store).resolve()
    if not store.is_dir():
        raise ConfigError(
            f"retime: the clips of {run_directory} were in {store}, which is not there; put that store back"
        )
    with Runner(config, out, store, described) as runner, runner.directory.locked():
        spoken = _adopt(RunDirectory(run_directory), runner.directory)
        done: list[ShardRef] = []
        try:
            calibration = runner.calibrate(spoken, progress)
            progress.begin(len(spoken) * len(FROM_TIMING))
            for ref in _advance_all(runner, spoken, calibration, store, processes):
                done.append(ref)
                progress.advance(ref)
        finally:
            progress.end()
        rendered = [ref for ref in done if ref.stage == FROM_TIMING[-1]]
        return runner.finish(rendered, done)


def _adopt(source: RunDirectory, target: RunDirectory) -> tuple[ShardRef, ...]:
    """Take over everything up to speech; returns the speech shards."""
    for stage in (seeds.NAME, *BEFORE_TIMING):
        target.adopt_stage(source, directory_of(stage))
    return tuple(
        ref_of(speech.NAME, index, stamp, cached=True)
        for index, stamp in target.find_shards(directory_of(speech.NAME))
    )


def _advance_all(
    runner: Runner,
    spoken: Sequence[ShardRef],
    calibration: Calibration | None,
    store: Path,
    processes: int,
) -> Iterator[ShardRef]:
    """Timing and rendering of every shard, in this process where there is one shard or one process."""
    if min(processes, len(spoken)) == 1:
        for ref in spoken:
            yield from _advance(runner, ref)
        return
    # Not forked: a fork would copy locks that other threads hold.
    with ProcessPoolExecutor(min(processes, len(spoken)), mp_context=get_context("spawn")) as pool:
        work = (runner.config.to_line(), str(runner.directory.path), str(store))
        futures = [pool.submit(_advance_elsewhere, *work, calibration, ref) for ref in spoken]
        for future in as_completed(futures):
            yield from future.result()


def _advance(runner: Runner, ref: ShardRef) -> Iterator[ShardRef]:
    for stage in FROM_TIMING:
        ref = runner.advance(stage, ref)
        yield ref


def _advance_elsewhere(
    config: str, run_directory: str, store: str, calibration: Calibration | None, ref: ShardRef
) -> tuple[ShardRef, ...]:
    return tuple(_advance(_open(config, run_directory, store, calibration), ref))


@lru_cache(maxsize=1)
def _open(config: str, run_directory: str, store: str, calibration: Calibration | None) -> Runner:
    """One runner per worker process; the parent holds the directory."""
    relax_collector()
    runner = Runner(RunConfig.from_line(config), Path(run_directory), Path(store))
    runner.use(calibration)
    return runner

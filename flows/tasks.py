"""The pipeline's steps as Prefect tasks: thin, because the pipeline knows nothing of Prefect.

No result is cached or persisted by Prefect. The stamps in the run directory are the truth: they know by
content what every shard was made from, while Prefect's cache would serve a result whose files are gone, or
one made by an older stage behind an unchanged wrapper.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from flows.request import RunRequest
from pipeline.core.report import RunReport
from pipeline.core.timing.calibration import Calibration
from pipeline.domain.errors import ConfigError, TransientBackendError
from pipeline.exporting import export_run
from pipeline.reporting import report_run
from pipeline.run_records import RunSummary, ShardRef
from pipeline.runner import Runner
from pipeline.stages import export as export_stage
from pipeline.stages import render as render_stage
from pipeline.stages import script as script_stage
from pipeline.stages import speech as speech_stage
from pipeline.stages import timing as timing_stage

RETRIES = 3
FIRST_DELAY_S = 2

_runners: dict[str, Runner] = {}
"""Open runs of this process by directory: engines start once per run, not once per task."""
_opening = threading.Lock()


@contextmanager
def opened(request: RunRequest) -> Iterator[Runner]:
    """Hold the run's directory, and keep its engines for the tasks of this process, while the block runs."""
    with (
        Runner(request.run_config(), Path(request.run_directory), Path(request.store_directory)) as runner,
        runner.directory.locked(),
    ):
        with _opening:
            _runners[request.run_directory] = runner
        try:
            yield runner
        finally:
            with _opening:
                del _runners[request.run_directory]


def _runner(request: RunRequest) -> Runner:
    try:
        return _runners[request.run_directory]
    except KeyError:
        raise ConfigError(
            f"flow: {request.run_directory} is not open in this process; remedy: run tasks inside `opened`, "
            "in threads (ThreadPoolTaskRunner)"
        ) from None


def is_transient(_task: Task[..., object], _run: TaskRun, state: State[object]) -> bool:
    """Whether a failed try is worth another one."""
    return isinstance(state.result(raise_on_failure=False), TransientBackendError)


@task(name="plan", cache_policy=NO_CACHE, persist_result=False)
def plan(request: RunRequest) -> tuple[ShardRef, ...]:
    """Read the seeds, plan dialogues, cut them into shards."""
    return _runner(request).plan()


def _shard_task(stage: str) -> Task[[RunRequest, ShardRef], ShardRef]:
    """The task that runs one stage on one shard."""

    @task(
        name=stage,
        task_run_name=f"{stage}-{{upstream.index:05d}}",
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(backoff_factor=FIRST_DELAY_S),
        retry_jitter_factor=0.5,
        retry_condition_fn=is_transient,
    )
    def advance(request: RunRequest, upstream: ShardRef) -> ShardRef:
        return _runner(request).advance(stage, upstream)

    return advance


script = _shard_task(script_stage.NAME)
speech = _shard_task(speech_stage.NAME)
timing = _shard_task(timing_stage.NAME)
render = _shard_task(render_stage.NAME)


@task(name="calibrate", cache_policy=NO_CACHE, persist_result=False)
def calibrate(request: RunRequest, spoken: tuple[ShardRef, ...]) -> Calibration | None:
    """Find the dial that brings the whole dataset to its overlap ratio; every timing task of the run reads it."""
    return _runner(request).calibrate(spoken)


@task(name="finish", cache_policy=NO_CACHE, persist_result=False)
def finish(request: RunRequest, rendered: tuple[ShardRef, ...], done: tuple[ShardRef, ...]) -> RunSummary:
    """Put the shards together; fails if nothing was left of them."""
    return _runner(request).finish(rendered, done)


@task(name="export", task_run_name="export-{config.format}", cache_policy=NO_CACHE, persist_result=False)
def export(request: RunRequest, config: export_stage.Config) -> str:
    """Write one published format below `export/`; returns where."""
    directory = Path(request.run_directory)
    out = directory / "export" / config.format
    export_run(directory, config, out)
    return str(out)


@task(name="report", cache_policy=NO_CACHE, persist_result=False)
def report(request: RunRequest) -> RunReport:
    """Write the page and the numbers."""
    return report_run(Path(request.run_directory))

"""The flow: seed dialogues in, a dataset out. Reads top to bottom as the pipeline does.

Mapped over shards, not dialogues: a task run costs a server tens of milliseconds, and a shard is what is
retried and kept. Inside a shard the stages fan out by themselves.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from prefect import Task, flow
from prefect.artifacts import create_table_artifact
from prefect.futures import PrefectConcurrentFuture, PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.request import RunRequest, resolve
from flows.tasks import calibrate, export, finish, opened, plan, render, report, script, speech, timing
from flows.watching import watcher
from pipeline.core.report import RunReport, summary_table
from pipeline.core.timing.calibration import Calibration
from pipeline.run_records import Progress, RunSummary, ShardRef
from pipeline.stages.export import Config as ExportConfig

ShardFuture = PrefectConcurrentFuture[ShardRef]
DialFuture = PrefectFuture[Calibration | None]


@flow(name="build", persist_result=False)
def build(config: str = "demo", out: str | None = None, overrides: tuple[str, ...] = ()) -> RunSummary:
    """Run the pipeline.

    `config` is a preset's name (demo, small, full) or a file's path, `out` the run's directory
    (outputs/<name>), `overrides` a list of `section.key=value`.
    """
    request = resolve(config, Path(out) if out else None, overrides)
    with opened(request) as runner:
        with ThreadPoolTaskRunner[ShardRef](max_workers=runner.config.workers) as pool:
            planned = plan(request)
            scripts = mapped(pool, script, request, planned)
            speeches = mapped(pool, speech, request, scripts)
            # A target for the whole dataset needs all of its speech before the first dialogue is placed.
            spoken = cast("tuple[ShardRef, ...]", speeches)  # what Prefect makes of futures
            dial = calibrate.submit(request, spoken) if runner.needs_calibration else None
            timelines = mapped(pool, timing, request, speeches, dial)
            dialogues = mapped(pool, render, request, timelines)
            done = follow(watcher(), dial, scripts, speeches, timelines, dialogues)
        summary = finish(request, done[-len(planned) :], (*planned, *done))
        for format_name in runner.config.export:
            export(request, ExportConfig(format=format_name))
        publish(report(request), summary)
    return summary


def mapped(
    pool: ThreadPoolTaskRunner[ShardRef],
    stage: Task[[RunRequest, ShardRef], ShardRef],
    request: RunRequest,
    upstream: Iterable[ShardRef | ShardFuture],
    dial: DialFuture | None = None,
) -> tuple[ShardFuture, ...]:
    """Hand a stage every shard of the one before, finished or not: each waits for its own shard only.

    Threads take tasks in this order, so with one thread as with many, what a task waits for is before it.
    """
    wait_for = None if dial is None else [dial]
    return tuple(
        pool.submit(stage, {"request": request, "upstream": one}, wait_for=wait_for) for one in upstream
    )


def follow(
    progress: Progress, dial: DialFuture | None, *stages: Iterable[ShardFuture]
) -> tuple[ShardRef, ...]:
    """Wait for shards as they come; their references stage by stage.

    Raises what the first failed one raised, as it was raised, and so ends the flow: shards under way are
    finished and kept, waiting ones are dropped.
    """
    futures: list[PrefectFuture[ShardRef]] = [future for stage in stages for future in stage]
    progress.begin(len(futures))
    try:
        for future in as_completed(futures):
            future.wait()  # it is done; only this makes `state` its own instead of the server's
            if not future.state.is_pending():  # pending for good: a shard before it failed, and is raised
                progress.advance(future.result())
        if dial is not None:
            dial.result()  # raises why timing never began
    finally:
        progress.end()
    return tuple(future.result() for future in futures)


def publish(made: RunReport, summary: RunSummary) -> None:
    """The table that Prefect's page shows for the run: scene by language."""
    header, *rows = summary_table(made)
    create_table_artifact(
        key="humdial-build",
        table=[dict(zip(header, row, strict=True)) for row in rows],
        description=(
            f"{summary.directory}: {summary.num_dialogues} dialogues, {summary.num_refusals} records refused; "
            f"{summary.shards_run} shards run, {summary.shards_cached} kept from before"
        ),
    )

"""Shards through Prefect against the same shards in a plain loop, at 50 ms per item.

::

    loop   plan, then shard by shard: script, speech, timing, render
    flow   the same through the tasks of `flows`, with a server that is running already

Stages sleep instead of working, so that what is measured is what lies between them, and both can run at once.
One worker: with more of them, waiting for Prefect would hide behind another worker's sleep. A process pays
most of a second for its first flow, whatever the flow does; it is counted.
"""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

from pydantic import BaseModel

from pipeline.run_records import SILENT, ShardRef
from pipeline.runner import Runner
from pipeline.stages import seeds
from pipeline.wiring import ORDER
from tests.bench.measure import Row

ITEM_S = 0.05
ITEMS, SHARDS = 50, 4
"""Two hundred dialogues in shards as large as by default."""


class Taken(BaseModel):
    """Wall time of both, and how many tasks that were."""

    loop_s: float
    flow_s: float
    tasks: int


def measure(directory: Path) -> Iterator[Row]:
    if importlib.util.find_spec("prefect") is None:
        print("flow through Prefect: skipped, prefect is not installed; pip install 'humdial-pipeline[flow]'")
        return
    home = directory / "prefect"
    home.mkdir(parents=True)
    environment = {**os.environ, "PREFECT_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    environment.pop("PREFECT_API_URL", None)  # a server of the developer's is no part of this
    command = [sys.executable, "-m", "tests.bench.orchestration", str(directory / "paced")]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    taken = Taken.model_validate_json(done.stdout.splitlines()[-1])
    note = f"{taken.flow_s:.2f} and {taken.loop_s:.2f} s, {taken.tasks} tasks of {ITEMS} items"
    yield Row("flow through Prefect", "plain loop", taken.flow_s / taken.loop_s, "at most", 1.03, note)


class PacedRunner(Runner):
    """Plans a few shards; a stage takes its time and does nothing."""

    def plan(self) -> tuple[ShardRef, ...]:
        return tuple(
            ShardRef(
                stage=seeds.NAME,
                index=index,
                records_sha256="",
                num_records=ITEMS,
                num_refusals=0,
                cached=False,
            )
            for index in range(SHARDS)
        )

    def advance(self, stage: str, upstream: ShardRef) -> ShardRef:
        for _ in range(upstream.num_records):
            time.sleep(ITEM_S)
        return upstream.model_copy(update={"stage": stage})


def main(directory: str) -> None:
    from flows.settings import apply_defaults

    apply_defaults()  # Prefect reads its settings when it is imported
    from prefect import flow
    from prefect.task_runners import ThreadPoolTaskRunner

    from flows import tasks
    from flows.api import prefect_api
    from flows.build import follow, mapped
    from flows.request import RunRequest, resolve

    @flow(name="paced", persist_result=False)
    def paced(request: RunRequest) -> int:
        with tasks.opened(request), ThreadPoolTaskRunner[ShardRef](max_workers=1) as pool:
            scripts = mapped(pool, tasks.script, request, tasks.plan(request))
            speeches = mapped(pool, tasks.speech, request, scripts)
            timelines = mapped(pool, tasks.timing, request, speeches)
            dialogues = mapped(pool, tasks.render, request, timelines)
            return len(follow(SILENT, None, scripts, speeches, timelines, dialogues))

    def loop(request: RunRequest) -> float:
        began = time.perf_counter()
        with tasks.opened(request) as runner:
            for ref in runner.plan():
                for stage in ORDER[1:]:
                    ref = runner.advance(stage, ref)
        return time.perf_counter() - began

    one, other = (resolve("demo", Path(directory) / name, ()) for name in ("loop", "flow"))
    with patch.object(tasks, "Runner", PacedRunner), prefect_api(), ThreadPoolExecutor(1) as beside:
        looping = beside.submit(loop, one)
        began = time.perf_counter()
        count = paced(other)
        taken = Taken(flow_s=time.perf_counter() - began, loop_s=looping.result(), tasks=count)
    print(taken.model_dump_json())


if __name__ == "__main__":
    main(sys.argv[1])

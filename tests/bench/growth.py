"""Retiming a run of a hundred dialogues against one of thousands, each in a process of its own.

Time and memory are those of one process that does everything: worker processes hold one shard each, and would
hide what the parent holds.
"""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, JsonValue

from pipeline.config import parse_config
from pipeline.domain.spoken import SpokenScript
from pipeline.io.files import write_text
from pipeline.io.run_directory import RunDirectory
from pipeline.io.store import Store
from pipeline.retiming import retime_run
from pipeline.run_records import DESCRIPTION, RunDescription, Versions
from pipeline.runner import BEFORE_TIMING, relax_collector
from pipeline.stages import seeds, speech
from pipeline.wiring import directory_of
from tests.bench.dialogues import store_clips
from tests.bench.measure import Row, peak_mb
from tests.core.timing.dialogues import made_up

FEW, MANY, FULL = 100, 2_000, 10_000
REPEATS = 3
"""Of the small run, which is over in seconds."""
SHARD_SIZE = 50
DIFFERENT = 100
"""Dialogues of about 20 s whose clips differ; the others are these under other ids, so that the disk holds them."""
TARGET = "timing.overlap_ratio=0.08"


class Taken(BaseModel):
    """What one retiming took."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def measure(directory: Path, full: bool = False) -> Iterator[Row]:
    store_clips(Store(directory / "store"), map(made_up, range(DIFFERENT)))
    many = FULL if full else MANY
    for count in (FEW, many):
        _write_run(directory / f"run-{count}", count)
    for what, overrides in (("retime", ()), ("retime to a ratio", (TARGET,))):
        small = [_retime(directory, FEW, overrides) for _ in range(REPEATS)]
        large = _retime(directory, many, overrides)
        each_ms = [1e3 * statistics.median(t.cpu_s for t in small) / FEW, 1e3 * large.cpu_s / many]
        peaks_mb = [statistics.median(t.peak_mb for t in small), large.peak_mb]
        path, against = f"{what}, {many} dialogues", f"{FEW} dialogues, time each"
        note = f"{each_ms[0]:.1f} and {each_ms[1]:.1f} ms of CPU each; {large.wall_s:.0f} s in all"
        yield Row(path, against, each_ms[1] / each_ms[0], "at most", 1.1, note)
        note = f"{peaks_mb[0]:.0f} and {peaks_mb[1]:.0f} MB"
        yield Row(path, f"{FEW} dialogues, peak", peaks_mb[1] / peaks_mb[0], "at most", 1.2, note)


def _write_run(path: Path, count: int) -> None:
    """A run as speech leaves it: nothing that retiming reads is missing."""
    run = RunDirectory(path)
    for stage in (seeds.NAME, *BEFORE_TIMING):
        (path / directory_of(stage)).mkdir(parents=True)
    for index, first in enumerate(range(0, count, SHARD_SIZE)):
        shard = [_numbered(number) for number in range(first, min(first + SHARD_SIZE, count))]
        run.write_shard(directory_of(speech.NAME), index, "bench", shard, ())
    sources: list[JsonValue] = [{"reader": "jsonl", "path": "demo", "language": "en"}]
    described = RunDescription(
        config=parse_config({"seeds": {"sources": sources}, "shard_size": SHARD_SIZE}, "bench"),
        versions=Versions(pipeline="0", python="3", stages={}, deps={}, packages={}),
        num_dialogues=count,
        refusals={},
        calibration=None,
    )
    write_text(path / DESCRIPTION, described.to_line())


def _numbered(number: int) -> SpokenScript:
    spoken = made_up(number % DIFFERENT)
    script = spoken.script.model_copy(update={"dialogue_id": f"en-bench-{number:05d}"})
    return spoken.model_copy(update={"script": script})


def _retime(directory: Path, count: int, overrides: tuple[str, ...]) -> Taken:
    out = directory / "out"
    command = [
        sys.executable,
        "-m",
        "tests.bench.growth",
        str(directory / f"run-{count}"),
        str(out),
        *overrides,
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    shutil.rmtree(out)
    return Taken.model_validate_json(done.stdout)


def main(run: str, out: str, *overrides: str) -> None:
    relax_collector()  # as every command does
    began_cpu_s, began_s = time.process_time(), time.perf_counter()
    summary = retime_run(Path(run), Path(out), overrides, processes=1)
    cpu_s, wall_s = time.process_time() - began_cpu_s, time.perf_counter() - began_s
    if summary.num_refusals:
        raise SystemExit(f"bench: {summary.num_refusals} dialogues were refused; wanted all of them retimed")
    print(Taken(cpu_s=cpu_s, wall_s=wall_s, peak_mb=peak_mb()).model_dump_json())


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What a person waits for: help, and a run in which everything is there already."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue

from pipeline.config import parse_config
from pipeline.runner import Runner, run_in_process
from tests.bench.measure import Row


def measure(directory: Path) -> Iterator[Row]:
    def wall_s(*arguments: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return time.perf_counter() - began

    help_s = statistics.median(wall_s("-m", "flows.app", "--help") for _ in range(5))
    bare_s = statistics.median(wall_s("-c", "pass") for _ in range(5))
    yield Row("humdial --help, s", "0.5 s", help_s, "at most", 0.5, f"bare interpreter {bare_s:.2f} s")
    yield _rerun(directory / "runs")


def _rerun(directory: Path) -> Row:
    sources: list[JsonValue] = [
        {"reader": "jsonl", "path": "demo", "language": language} for language in ("en", "zh")
    ]
    config = parse_config({"name": "bench", "seeds": {"sources": sources}}, "bench")
    taken = []
    for _ in range(2):
        began = time.perf_counter()
        with Runner(config, directory / "run", directory / "store") as runner:
            run_in_process(runner)
        taken.append(time.perf_counter() - began)
    first_s, again_s = taken
    return Row(
        "rerun, all kept",
        "first run",
        again_s / first_s,
        "at most",
        0.02,
        f"{again_s:.2f} of {first_s:.1f} s",
    )

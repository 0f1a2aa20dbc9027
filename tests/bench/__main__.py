"""Run every benchmark and print one table: what was measured, against what, the ratio and the goal.

python -m tests.bench [--full]      --full: growth to 10,000 dialogues, some minutes and 5 GB of disk more
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pipeline.cli.tables import format_table
from tests.bench import authoring, commands, growth, mining, orchestration, rendering, speaking, timing
from tests.bench.measure import Row


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--full", action="store_true", help="growth to 10,000 dialogues instead of 2,000")
    parts: dict[str, Callable[[Path], Iterator[Row]]] = {
        "rendering": rendering.measure,
        "timing": timing.measure,
        "growth": partial(growth.measure, full=parser.parse_args().full),
        "authoring": authoring.measure,
        "speaking": speaking.measure,
        "orchestration": orchestration.measure,
        "commands": commands.measure,
        "mining": mining.measure,
    }
    rows: list[Row] = []
    for name, measure in parts.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="humdial-bench-") as directory:
            rows.extend(measure(Path(directory)))
    table = [("path", "against", "ratio", "goal", "", "measured")]
    table.extend(
        (r.path, r.against, f"{r.ratio:.2f}", r.goal_text, "met" if r.met else "MISSED", r.note) for r in rows
    )
    print("\n".join(format_table(table)))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

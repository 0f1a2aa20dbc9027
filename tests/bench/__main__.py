"""Run every benchmark and print one table: what was measured, against what, the ratio and the goal."""

import sys
import tempfile
from pathlib import Path

from pipeline.cli.tables import format_table
from tests.bench import authoring, commands, rendering, timing
from tests.bench.measure import Row


def main() -> int:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="humdial-bench-") as directory:
        for part in (rendering, timing, authoring, commands):
            print(f"{part.__name__.rpartition('.')[2]} ...", file=sys.stderr, flush=True)
            rows.extend(part.measure(Path(directory)))
    table = [("path", "against", "ratio", "goal", "", "measured")]
    table.extend(
        (r.path, r.against, f"{r.ratio:.2f}", r.goal_text, "met" if r.met else "MISSED", r.note) for r in rows
    )
    print("\n".join(format_table(table)))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Calibration of a dataset against rendering it."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.core.assembly import assemble
from pipeline.core.timing.dyad import dyad_law
from pipeline.io.references import load_reference
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from tests.bench.measure import Row, side_by_side
from tests.spoken import interruption, load_clip, speak


def measure(directory: Path) -> Iterator[Row]:
    reference = load_reference("switchboard")
    deps = timing.Deps(root_seed=0, reference=reference, dyads=dyad_law(reference), stages=(), dial=0.0)
    config = timing.Config(overlap_ratio=0.08)
    spoken = tuple(speak(interruption(dialogue_id=f"en-bench-{n}")) for n in range(200))
    timelines = timing.run(Shard(index=0, records=spoken), timing.Config(), deps).records

    def render() -> None:
        for timeline in timelines:
            assemble(timeline, load_clip)

    calibrating, rendering = side_by_side(3, lambda: timing.calibrate_dataset(spoken, config, deps), render)
    yield Row(
        "finding the dial",
        "assembling",
        calibrating / rendering,
        "at most",
        3.0,
        f"{1e3 * calibrating / 200:.1f} ms per dialogue of 20 s",
    )

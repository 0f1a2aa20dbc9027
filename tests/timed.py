"""Dialogues with made-up clips, timed by a reference: material to measure that needs no engine."""

from collections.abc import Callable, Sequence

from pipeline.core.reference import Reference
from pipeline.core.timing.dyad import dyad_law
from pipeline.domain.script import Script
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Timeline
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from tests.spoken import backchannel, interruption, speak


def time_dialogues(
    spoken: Sequence[SpokenScript], reference: Reference, root_seed: int = 1
) -> tuple[Timeline, ...]:
    """Place them by a reference, with everything else as it is by default."""
    deps = timing.Deps(
        root_seed=root_seed, reference=reference, dyads=dyad_law(reference), stages=("timing-test",), dial=0.0
    )
    timed = timing.run(Shard(index=0, records=tuple(spoken)), timing.Config(), deps)
    assert not timed.refusals, timed.refusals[0].detail
    return timed.records


def spoken_dialogues(
    count: int, shapes: Sequence[Callable[[], Script]] = (interruption, backchannel)
) -> tuple[SpokenScript, ...]:
    """So many dialogues, the shapes in turn, each under its own id."""
    return tuple(
        speak(shapes[index % len(shapes)]().model_copy(update={"dialogue_id": f"d{index:05d}"}))
        for index in range(count)
    )

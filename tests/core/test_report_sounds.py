"""What a report says of sounds beside words."""

import pytest

from pipeline.core.report_sounds import SoundRow, SoundTally
from pipeline.domain.emotional import Tag
from pipeline.domain.labels import Emotion
from pipeline.domain.timeline import Timeline
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from tests.core.timing.dialogues import DYADS, REFERENCE
from tests.emotional import emotional_script
from tests.spoken import interruption, speak


def timelines() -> tuple[Timeline, ...]:
    scripts = (
        emotional_script("a", emotions=(Emotion.SAD, Emotion.ANGER, Emotion.NEUTRAL)),
        emotional_script("b", emotions=(Emotion.HAPPY, Emotion.SAD, Emotion.NEUTRAL)),
        interruption(),
    )
    deps = timing.Deps(root_seed=0, reference=REFERENCE, dyads=DYADS, stages=("timing-3",), dial=0.0)
    return timing.run(Shard(0, tuple(map(speak, scripts))), timing.Config(), deps).records


@pytest.mark.parametrize(
    ("rendered", "left_out"),
    [(frozenset(), (3, 1)), (frozenset({Tag.LAUGHTER}), (3, 0)), (frozenset(Tag), (0, 0))],
    ids=["engine makes none", "laughter only", "all"],
)
def test_sounds_are_counted_and_so_are_those_that_the_engine_left_out(
    rendered: frozenset[Tag], left_out: tuple[int, int]
) -> None:
    tally = SoundTally(rendered)
    for timeline in timelines():
        tally.add(timeline)
    assert tally.rows() == (
        SoundRow(tag=Tag.SIGH, written=3, left_out=left_out[0]),
        SoundRow(tag=Tag.LAUGHTER, written=1, left_out=left_out[1]),
    )


def test_a_run_without_sounds_has_no_rows() -> None:
    assert SoundTally(frozenset()).rows() == ()

"""What a report says of speech engines."""

from pipeline.core.report_takes import summarise_takes, takes_table
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.takes import Flaw, Making, RefusedTake
from pipeline.domain.voice import ClipRef
from tests.spoken import interruption, speak


def refused(engine: str, *flaws: Flaw) -> tuple[RefusedTake, ...]:
    return tuple(RefusedTake(engine=engine, seed=i, flaw=flaw, detail="...") for i, flaw in enumerate(flaws))


def spoken_by(*clips: tuple[str, Making]) -> SpokenScript:
    """A dialogue whose first clips were made so; the others at once, by `noise-1`."""
    spoken = speak(interruption())
    made = [
        one.clip.model_copy(update={"engine": name, "making": how})
        for one, (name, how) in zip(spoken.clips, clips, strict=False)
    ]
    refs: list[ClipRef] = [*made, *(one.clip for one in spoken.clips[len(made) :])]
    entries = tuple(one.model_copy(update={"clip": ref}) for one, ref in zip(spoken.clips, refs, strict=True))
    return spoken.model_copy(update={"clips": entries})


def test_takes_are_counted_by_the_engine_that_made_them_and_shared_clips_once() -> None:
    second = Making(
        refused=refused("first-1", Flaw.EMPTY, Flaw.NOT_FINITE), aligner="estimate-1", warnings=("...",)
    )
    one = spoken_by(("first-1", Making(refused=refused("first-1", Flaw.EMPTY))), ("second-1", second))
    rows = {row.engine: row for row in summarise_takes([one, one]).engines}
    assert rows["first-1"].refused == {Flaw.EMPTY: 2, Flaw.NOT_FINITE: 1}
    assert (rows["first-1"].clips, rows["first-1"].retake_rate) == (1, 0.75)
    assert (rows["second-1"].word_times, rows["second-1"].warnings) == ({"estimate-1": 1}, 1)
    assert rows["second-1"].retake_rate == 0.0


def test_an_engine_that_never_spoke_well_is_in_the_table() -> None:
    table = takes_table(
        summarise_takes([spoken_by(("b-1", Making(refused=refused("a-1", Flaw.TIMED_OUT))))]).engines
    )
    assert ("a-1", "0", "1", "100.0%", "timed_out 1", "-", "0", "-", "-") in table
    assert summarise_takes([]).engines == ()

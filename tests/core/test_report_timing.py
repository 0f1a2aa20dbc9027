"""The report's section on timing: what was drawn, on the scale of the reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.drawn import Drawn, DrawnTiming, drawn_rows, measure_drawn, recorded_spans
from pipeline.core.report_timing import TimingBasis, TimingTally
from pipeline.core.timing.calibration import Calibration, SpreadReach
from pipeline.domain.timeline import Timeline
from pipeline.io.references import load_reference
from tests.timed import spoken_dialogues, time_dialogues

REFERENCE = load_reference("switchboard")
BASIS = TimingBasis("switchboard", REFERENCE, "reference")


@pytest.fixture(scope="module")
def timelines() -> tuple[Timeline, ...]:
    return time_dialogues(spoken_dialogues(40), REFERENCE)


def tally_of(values_s: list[float]) -> TimingTally:
    tally = TimingTally()
    tally.samples_s[Drawn.TRANSFER].extend(values_s)
    return tally


def test_one_dialogue_after_the_other_gives_the_rows_of_all_at_once(timelines: tuple[Timeline, ...]) -> None:
    tally = TimingTally()
    for timeline in timelines:
        tally.add(timeline)
    pooled = DrawnTiming.pool(measure_drawn(one, recorded_spans(one)) for one in timelines)
    rows = tally.report(BASIS).drawn
    assert rows == drawn_rows(pooled, REFERENCE)
    assert {row.name for row in rows} >= {Drawn.TRANSFER, Drawn.BACKCHANNEL, Drawn.YIELD}


def test_the_section_repeats_what_was_asked() -> None:
    found = Calibration(target=0.1, dial=1.0, planned=0.1, lowest=0.0, highest=0.2, undialled=0.05)
    reach = SpreadReach(
        min=0.1,
        max=0.2,
        n=9,
        too_high=2,
        too_low=1,
        refused=0,
        asked_mean=0.15,
        reached_mean=0.12,
        feasible=(0.0, 0.2),
    )
    basis = TimingBasis("mine.json", REFERENCE, "human-assistant", found, (0.1, 0.2), True, reach)
    report = TimingTally().report(basis)
    assert (report.reference, report.profile) == ("mine.json", "human-assistant")
    assert (report.calibration, report.overlap_spread) == (found, (0.1, 0.2))
    assert (report.spread_reach, report.own_response_latency) == (reach, True)


def test_without_transfers_there_is_no_curve() -> None:
    report = TimingTally().report(BASIS)
    assert (report.drawn, report.transfers) == ((), None)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=50))
def test_the_curve_is_the_share_at_or_below_each_point(values_s: list[float]) -> None:
    curve = tally_of(values_s).report(BASIS).transfers
    assert curve is not None
    assert curve.reference is not None
    shares = [sum(value <= at for value in values_s) / len(values_s) for at in curve.at_s]
    assert curve.run == pytest.approx(shares, abs=1e-4)
    assert curve.reference == pytest.approx(
        [REFERENCE.distribution("fto_turn_to_turn").cdf(at) for at in curve.at_s], abs=1e-4
    )
    assert np.all(np.diff(curve.at_s) > 0)
    assert -3 <= curve.at_s[0] < curve.at_s[-1] <= 5


def test_draws_from_the_reference_lie_on_its_curve() -> None:
    table = REFERENCE.distribution("fto_turn_to_turn")
    levels = (np.arange(5000) + 0.5) / 5000
    curve = tally_of(table.quantile_array(levels).tolist()).report(BASIS).transfers
    assert curve is not None
    assert curve.reference is not None
    # the table knows nothing beyond its outermost levels of 0.5 %
    assert np.max(np.abs(np.subtract(curve.run, curve.reference))) < 0.0055


def test_a_reference_without_the_table_leaves_the_runs_own_curve() -> None:
    others = {k: v for k, v in REFERENCE.distributions.items() if k != "fto_turn_to_turn"}
    bare = REFERENCE.model_copy(update={"distributions": others})
    curve = tally_of([0.1, 0.2]).report(TimingBasis("bare", bare, "reference")).transfers
    assert curve is not None
    assert curve.reference is None
    assert (curve.run[0], curve.run[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("far_s", [-9.0, 9.0])
def test_a_run_that_lies_beyond_the_axis_is_a_flat_line_on_it(far_s: float) -> None:
    others = {k: v for k, v in REFERENCE.distributions.items() if k != "fto_turn_to_turn"}
    bare = REFERENCE.model_copy(update={"distributions": others})
    curve = tally_of([far_s]).report(TimingBasis("bare", bare, "reference")).transfers
    assert curve is not None
    assert set(curve.run) == {1.0 if far_s < 0 else 0.0}

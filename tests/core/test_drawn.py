"""What timing drew, apart from what events fixed."""

from collections.abc import Callable

import pytest

from pipeline.core.drawn import Drawn, DrawnTiming, drawn_rows, measure_drawn, recorded_spans
from pipeline.core.reference import Reference
from pipeline.domain.script import Script
from pipeline.domain.span import Span
from pipeline.domain.timeline import Timeline
from pipeline.io.references import load_reference
from tests.spoken import RATE, backchannel, bystander, hesitation, interruption, speak
from tests.timed import spoken_dialogues, time_dialogues


@pytest.fixture(scope="module")
def switchboard() -> Reference:
    return load_reference("switchboard")


def samples(timeline: Timeline) -> dict[Drawn, tuple[float, ...]]:
    return dict(measure_drawn(timeline, recorded_spans(timeline)).samples)


def spans(timeline: Timeline) -> dict[str, Span]:
    return {s.supervision_id: s.span for s in timeline.supervisions}


def test_an_interruption_fixes_its_onset_and_frees_its_yield_and_its_answer(switchboard: Reference) -> None:
    (timeline,) = time_dialogues((speak(interruption()),), switchboard)
    at, found = spans(timeline), samples(timeline)
    first = (at["u01"].start - at["u00"].end) / RATE
    answer = (at["u05"].start - at["u04"].end) / RATE
    assert found[Drawn.TRANSFER] == pytest.approx((first, answer))
    assert found[Drawn.TRANSFER_TO_ASSISTANT] == found[Drawn.TRANSFER]
    assert found[Drawn.TRANSFER_TO_USER] == ()
    assert found[Drawn.YIELD] == pytest.approx(((at["u02"].end - at["u04"].start) / RATE,))
    assert found[Drawn.PAUSE] == pytest.approx(((at["u02"].start - at["u01"].end) / RATE,))


def test_a_backchannel_takes_no_floor_and_counts_from_the_last_word_before_it(switchboard: Reference) -> None:
    (timeline,) = time_dialogues((speak(backchannel()),), switchboard)
    at, found = spans(timeline), samples(timeline)
    assert len(found[Drawn.TRANSFER]) == 1
    assert len(found[Drawn.PAUSE]) == 2
    ends = [w.span.end for s in timeline.supervisions if s.track.channel == 1 for w in s.words]
    since = at["u04"].start - max(end for end in ends if end <= at["u04"].start)
    assert found[Drawn.BACKCHANNEL] == pytest.approx((since / RATE,))


@pytest.mark.parametrize(("shape", "pauses"), [(hesitation, 2), (bystander, 3)])
def test_hesitations_are_no_pauses_and_bystanders_no_transfers(
    shape: Callable[[], Script], pauses: int, switchboard: Reference
) -> None:
    (timeline,) = time_dialogues((speak(shape()),), switchboard)
    found = samples(timeline)
    assert len(found[Drawn.PAUSE]) == pauses
    assert len(found[Drawn.TRANSFER]) == 1


def test_what_is_not_heard_is_not_measured(switchboard: Reference) -> None:
    (timeline,) = time_dialogues((speak(interruption()),), switchboard)
    heard = {name: span for name, span in recorded_spans(timeline).items() if name != "u04"}
    found = measure_drawn(timeline, heard).samples
    assert (len(found[Drawn.TRANSFER]), found[Drawn.YIELD]) == (1, ())


def test_free_transfers_and_pauses_follow_the_reference_within_sampling_noise(switchboard: Reference) -> None:
    timelines = time_dialogues(spoken_dialogues(300), switchboard)
    drawn = DrawnTiming.pool(measure_drawn(one, recorded_spans(one)) for one in timelines)
    rows = {row.name: row for row in drawn_rows(drawn, switchboard)}
    for quantity, n in ((Drawn.TRANSFER, 450), (Drawn.PAUSE, 450)):
        row = rows[quantity.value]
        assert row.n == n
        assert row.ks is not None
        assert row.noise_ks_p95 is not None
        assert row.ks <= 1.2 * row.noise_ks_p95  # Kolmogorov's 99th percentile over his 95th
        assert row.emd_s is not None
        assert row.emd_s < 0.06


@pytest.mark.parametrize("n", [30, 300, 3000])
def test_the_noise_of_a_reference_without_simulations_is_that_of_simulations(
    n: int, switchboard: Reference
) -> None:
    drawn = DrawnTiming(samples={Drawn.TRANSFER: (0.1,) * n})
    bare = switchboard.model_copy(update={"sampling_error": None})
    (simulated,), (law,) = drawn_rows(drawn, switchboard), drawn_rows(drawn, bare)
    assert law.noise_ks_mean == pytest.approx(simulated.noise_ks_mean, rel=0.08)
    assert law.noise_ks_p95 == pytest.approx(simulated.noise_ks_p95, rel=0.08)

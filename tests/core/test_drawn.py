"""What timing drew, apart from what events fixed."""

import random
from collections.abc import Callable

import pytest

from pipeline.core.distances import emd_s, ks_distance
from pipeline.core.drawn import Drawn, DrawnTiming, drawn_rows, measure_drawn, recorded_spans
from pipeline.core.reference import Reference
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Speaker
from pipeline.domain.scene import Scene
from pipeline.domain.script import Follows, Script, ScriptedEvent, Utterance
from pipeline.domain.span import Span
from pipeline.domain.timeline import Timeline
from pipeline.io.references import load_reference
from tests.spoken import RATE, backchannel, bystander, hesitation, interruption, script_of, speak
from tests.timed import spoken_dialogues, time_dialogues

WORDS = ("boat", "lake", "paint", "thunder", "yesterday", "mountains", "everybody", "green", "small", "heard")


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


def bystander_first() -> Script:
    """Somebody else speaks before the query."""
    return script_of(
        (
            (Speaker.THIRD_PARTY, 0, "Your parcel is here.", Follows()),
            (Speaker.USER, 1, "Which tram goes to the old harbour?", Follows()),
            (Speaker.ASSISTANT, 2, "The green line goes there.", Follows()),
        ),
        (
            ScriptedEvent(
                type=EventType.THIRD_PARTY_SPEECH,
                utterance_id="u00",
                host=None,
                effect=FloorEffect.CONTINUES,
            ),
        ),
        scene=Scene.THIRD_PARTY_BEFORE,
    )


@pytest.mark.parametrize(
    ("shape", "pauses", "transfers"), [(hesitation, 2, 0), (bystander, 3, 1), (bystander_first, 0, 1)]
)
def test_hesitations_are_no_pauses_and_what_waits_for_them_or_for_bystanders_no_transfer(
    shape: Callable[[], Script], pauses: int, transfers: int, switchboard: Reference
) -> None:
    (timeline,) = time_dialogues((speak(shape()),), switchboard)
    found = samples(timeline)
    assert len(found[Drawn.PAUSE]) == pauses
    assert len(found[Drawn.TRANSFER]) == transfers


def test_only_the_transfer_out_of_the_hesitating_turn_is_left_out(switchboard: Reference) -> None:
    script = hesitation()
    asked = Utterance(
        utterance_id="u05", turn=2, speaker=Speaker.USER, text="And the blue one?", anchor=Follows()
    )
    told = asked.model_copy(update={"utterance_id": "u06", "turn": 3, "speaker": Speaker.ASSISTANT})
    longer = script.model_copy(update={"utterances": (*script.utterances, asked, told)})
    (timeline,) = time_dialogues((speak(longer),), switchboard)
    at, found = spans(timeline), samples(timeline)
    assert found[Drawn.TRANSFER] == pytest.approx(
        ((at["u05"].start - at["u04"].end) / RATE, (at["u06"].start - at["u05"].end) / RATE)
    )


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


def long_talk(number: int) -> Script:
    """Query, answer, an interruption, its answer, then ten exchanges of their own lengths that no event touches."""
    rng = random.Random(number)

    def sentence() -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(5, 14))) + "."

    opening = interruption(words=rng.randint(2, 6))
    exchanges = tuple(
        Utterance(
            utterance_id=f"u{6 + turn:02d}",
            turn=4 + turn,
            speaker=(Speaker.USER, Speaker.ASSISTANT)[turn % 2],
            text=sentence(),
            anchor=Follows(),
        )
        for turn in range(20)
    )
    return opening.model_copy(
        update={"dialogue_id": f"talk-{number:04d}", "utterances": (*opening.utterances, *exchanges)}
    )


def test_what_no_event_fixes_follows_its_tables_as_closely_as_is_promised(switchboard: Reference) -> None:
    """KS <= 0.05 and, of transfers, EMD <= 0.03 s, on 3,000 transfers, the pauses and the yields around them."""
    spoken = [speak(long_talk(number)) for number in range(140)]
    spoken += spoken_dialogues(1_000, (interruption,))
    timelines = time_dialogues(spoken, switchboard)
    drawn = DrawnTiming.pool(measure_drawn(one, recorded_spans(one)) for one in timelines)
    rows = {row.name: row for row in drawn_rows(drawn, switchboard)}
    for quantity, least in ((Drawn.TRANSFER, 3_000), (Drawn.PAUSE, 1_000), (Drawn.YIELD, 1_000)):
        row = rows[quantity.value]
        assert row.n >= least
        assert ks_distance(drawn.samples[quantity], switchboard.distribution(quantity.table)) == row.ks
        assert row.ks <= 0.05, (quantity, row.ks)
    free = drawn.samples[Drawn.TRANSFER]
    assert emd_s(free, switchboard.distribution("fto_turn_to_turn")) <= 0.03


@pytest.mark.parametrize("n", [30, 300, 3000])
def test_the_noise_of_a_reference_without_simulations_is_that_of_simulations(
    n: int, switchboard: Reference
) -> None:
    drawn = DrawnTiming(samples={Drawn.TRANSFER: (0.1,) * n})
    bare = switchboard.model_copy(update={"sampling_error": None})
    (simulated,), (law,) = drawn_rows(drawn, switchboard), drawn_rows(drawn, bare)
    assert law.noise_ks_mean == pytest.approx(simulated.noise_ks_mean, rel=0.08)
    assert law.noise_ks_p95 == pytest.approx(simulated.noise_ks_p95, rel=0.08)

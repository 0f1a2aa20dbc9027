"""References fitted on conversations: what they hold, what they lack, and that timing comes back to them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp

from pipeline.core.distances import ks_distance
from pipeline.core.drawn import Drawn, DrawnTiming, drawn_rows, measure_drawn, recorded_spans
from pipeline.core.fitting import Base, Conversation, Origin, fit_reference, stand_ins
from pipeline.core.reference import Reference
from pipeline.core.timing.dyad import METRICS, dyad_law
from pipeline.core.turntaking import Activity, activity_of
from pipeline.domain.errors import ConfigError
from pipeline.domain.span import Span
from pipeline.domain.timeline import Timeline
from pipeline.io.references import format_reference, load_reference, parse_reference
from tests.spoken import interruption
from tests.timed import spoken_dialogues, time_dialogues

ORIGIN = Origin(name="mine", setting="test")


def generated(timelines: tuple[Timeline, ...]) -> list[Conversation]:
    return [
        Conversation(t.dialogue_id, activity_of(t), measure_drawn(t, recorded_spans(t))) for t in timelines
    ]


def recording(name: str = "r", turns: int = 40, speakers: int = 2) -> Conversation:
    """Two who take turns of a second with gaps of 100, 200 ... 500 ms."""
    spans: list[list[Span]] = [[] for _ in range(speakers)]
    position = 0
    for turn in range(turns):
        spans[turn % speakers].append(Span(start=position, end=position + 1000))
        position += 1000 + 100 * (1 + turn % 5)
    return Conversation(name, Activity(tuple(map(tuple, spans)), 1000), None)


@pytest.fixture(scope="module")
def switchboard() -> Reference:
    return load_reference("switchboard")


def test_a_recording_gives_its_own_gaps() -> None:
    fitted = fit_reference([recording()], ORIGIN)
    gap = fitted.distribution("gap")
    assert (gap.n, gap.p50) == (39, 0.3)
    assert fitted.ratio("overlap_over_speech_time").value == 0.0
    assert fitted.rate("gap").per_min == pytest.approx(39 / (fitted.corpus.hours * 60), rel=1e-3)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("backchannel_since_partner_word_end", "which words are backchannels"),
        (
            "floor_taking_continuation_cut_off",
            "0 values, of 'floor_taking_continuation' or of its own, wanted 30",
        ),
        ("pause", "0 values, wanted 30"),
    ],
)
def test_a_table_that_cannot_be_had_stops_whoever_asks_for_it(name: str, why: str) -> None:
    fitted = parse_reference(format_reference(fit_reference([recording()], ORIGIN)), "file")
    with pytest.raises(ConfigError, match=f"'mine'.*{name}.*{why}.*--base switchboard"):
        fitted.distribution(name)


def test_timing_by_a_reference_that_lacks_a_table_stops_with_the_remedy() -> None:
    fitted = fit_reference([recording()], ORIGIN)
    with pytest.raises(ConfigError, match="--base switchboard"):
        time_dialogues(spoken_dialogues(1), fitted)


def test_a_base_lends_what_is_missing_and_nothing_else(switchboard: Reference) -> None:
    fitted = fit_reference([recording()], ORIGIN, base=Base("switchboard", switchboard))
    assert fitted.distribution("gap").n == 39
    assert fitted.distribution("pause") == switchboard.distribution("pause")
    assert fitted.borrowed["pause"] == fitted.borrowed["per_conversation"] == "switchboard"
    assert "gap" not in fitted.borrowed
    assert fitted.missing["pause"] == "0 values, wanted 30"
    assert set(fitted.borrowed) < set(fitted.missing)
    assert parse_reference(format_reference(fitted), "file") == fitted
    assert len(time_dialogues(spoken_dialogues(2), fitted)) == 2


@pytest.mark.parametrize(
    ("conversations", "complaint"),
    [
        ([recording(turns=30)], "29 floor transfers, wanted 30 or more.*--allow-small"),
        (
            [recording(), recording("m", speakers=3), recording("s", speakers=1)],
            r"2 of 3 conversations are not between two speakers \('m' has 3, 's' has 1\); floor transfers.*leave the",
        ),
        ([], "no conversation"),
    ],
)
def test_material_that_says_too_little_is_refused(conversations: list[Conversation], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        fit_reference(conversations, ORIGIN)


def test_generated_dialogues_and_recordings_are_not_mixed(switchboard: Reference) -> None:
    mixed = [recording(), *generated(time_dialogues(spoken_dialogues(1), switchboard))]
    with pytest.raises(ConfigError, match=r"1 generated dialogues and 1 recordings.*fit them apart"):
        fit_reference(mixed, ORIGIN)


def test_little_is_enough_where_the_caller_says_so() -> None:
    fitted = fit_reference([recording(turns=5)], ORIGIN, allow_small=True)
    assert fitted.distribution("gap").n == 4
    assert fitted.missing["pause"] == "0 values, wanted 1"


def test_a_fit_on_a_run_times_like_what_it_was_made_with(switchboard: Reference) -> None:
    spoken = spoken_dialogues(300)
    first = generated(time_dialogues(spoken, switchboard, root_seed=1))
    fitted = parse_reference(format_reference(fit_reference(first, ORIGIN)), "file")
    again = generated(time_dialogues(spoken, fitted, root_seed=2))
    before, after = (DrawnTiming.pool(one.drawn for one in many if one.drawn) for many in (first, again))
    rows = {row.name: row for row in drawn_rows(after, fitted)}
    for quantity in (Drawn.TRANSFER, Drawn.PAUSE, Drawn.BACKCHANNEL, Drawn.YIELD):
        row, mine = rows[quantity.value], after.samples[quantity]
        noise = switchboard.ks_noise_floor(row.n, "gap", "independent")
        assert noise is not None
        assert row.ks is not None
        # Both the table and the sample are samples, so they are apart by the floor of one times sqrt(2); the
        # 99th percentile is 1.2 times the 95th (Kolmogorov's law).
        floor = 1.2 * math.sqrt(2) * noise.ks_p95
        assert row.ks <= floor, row.name
        assert ks_2samp(before.samples[quantity], mine).statistic <= floor, row.name


def brisk_talk(gap_ms: tuple[int, int], yield_ms: int, turns: int = 200) -> Conversation:
    """Two who take turns after gaps from one range; every fourth turn breaks into the one before it instead.

    ::

        A   |====== 2 s ======|            |=============|            |======
        B                      <- gap -> |===...          |===|<-yield
    """
    rng = np.random.default_rng(11)
    spans: tuple[list[Span], list[Span]] = ([], [])
    end = 0
    for turn in range(turns):
        start = end - yield_ms if turn % 4 == 3 else end + int(rng.integers(gap_ms[0], gap_ms[1] + 1))
        end = start + 2000
        spans[turn % 2].append(Span(start=start, end=end))
    return Conversation("brisk", Activity((tuple(spans[0]), tuple(spans[1])), 1000), None)


@pytest.mark.parametrize("gap_ms", [(800, 800), (1500, 1900)], ids=["constant", "in a range"])
def test_timing_by_a_fit_on_recordings_follows_their_floor_transfers_and_yields(
    gap_ms: tuple[int, int], switchboard: Reference
) -> None:
    talk = brisk_talk(gap_ms, yield_ms=350)
    fitted = fit_reference([talk], ORIGIN, base=Base("switchboard", switchboard))
    assert fitted.distribution("fto_turn_to_turn").quantiles == fitted.distribution("fto").quantiles
    assert stand_ins(fitted) == {
        "fto_turn_to_turn": "fto",
        "floor_taking_continuation_cut_off": "floor_taking_continuation",
    }
    assert not set(stand_ins(fitted)) & set(fitted.borrowed)
    assert parse_reference(format_reference(fitted), "file") == fitted
    timelines = time_dialogues(spoken_dialogues(300, (interruption,)), fitted)
    drawn = DrawnTiming.pool(one.drawn for one in generated(timelines) if one.drawn)
    transfers = np.asarray(drawn.samples[Drawn.TRANSFER])
    inside = (transfers >= gap_ms[0] / 1000 - 0.001) & (transfers <= gap_ms[1] / 1000 + 0.001)
    overlaps = np.abs(transfers + 0.35) <= 0.001
    # Of these recordings' transfers a quarter overlap. A table joins its quantiles by lines, so that one draw in
    # 200 falls between two lumps of its law.
    assert np.mean(inside) == pytest.approx(0.75, abs=0.05)
    assert np.mean(inside | overlaps) >= 0.98
    assert np.mean(transfers[inside]) == pytest.approx(sum(gap_ms) / 2000, abs=0.02)
    assert ks_distance(transfers, switchboard.distribution("fto_turn_to_turn")) > 0.5
    assert drawn.samples[Drawn.YIELD] == pytest.approx((0.35,) * 300, abs=0.1)
    assert float(np.median(drawn.samples[Drawn.YIELD])) == pytest.approx(0.35, abs=0.01)


def test_a_yield_law_of_too_few_values_is_borrowed_and_not_derived(switchboard: Reference) -> None:
    fitted = fit_reference([brisk_talk((800, 800), 350, turns=60)], ORIGIN, base=Base("sw", switchboard))
    assert stand_ins(fitted) == {"fto_turn_to_turn": "fto"}
    assert fitted.borrowed["floor_taking_continuation_cut_off"] == "sw"


def test_recordings_whose_backchannels_are_known_have_turn_to_turn_transfers_of_their_own() -> None:
    talk = brisk_talk((800, 800), 350)
    told = replace(talk, activity=replace(talk.activity, backchannels=((talk.activity.speakers[0][:1],), ())))
    fitted = fit_reference([told], ORIGIN)
    assert stand_ins(fitted) == {"floor_taking_continuation_cut_off": "floor_taking_continuation"}
    assert fitted.distribution("fto_turn_to_turn").n == fitted.distribution("fto").n - 1


def test_nothing_stands_in_for_what_generated_dialogues_tell_themselves(switchboard: Reference) -> None:
    fitted = fit_reference(generated(time_dialogues(spoken_dialogues(60), switchboard)), ORIGIN)
    assert stand_ins(fitted) == {}
    assert "only" in str(fitted.definitions["fto_turn_to_turn"])


def test_the_spread_between_conversations_is_what_dyads_are_drawn_from(switchboard: Reference) -> None:
    fitted = fit_reference(generated(time_dialogues(spoken_dialogues(60), switchboard)), ORIGIN)
    spread = fitted.conversations()
    assert spread.n == 60
    assert set(METRICS) <= set(spread.metrics)
    assert all(0 <= spread.reliability(name) <= 1 for name in METRICS)
    assert spread.spearman_of(METRICS).diagonal().tolist() == [1.0] * len(METRICS)
    law = dyad_law(fitted)
    assert len(law.loadings) == len(METRICS)
    assert all(0 <= loading <= 0.9 for loading in law.loadings)


def test_few_conversations_have_no_spread_and_say_so(switchboard: Reference) -> None:
    fitted = fit_reference(generated(time_dialogues(spoken_dialogues(19), switchboard)), ORIGIN)
    assert fitted.per_conversation is None
    assert fitted.missing["per_conversation"] == "19 conversations, wanted 20"


def call_of(gap_ms: int, pause_ms: int, turns: int = 40) -> Conversation:
    """Two who take turns of two sentences; gaps and pauses lie around their own medians.

    ::

        A   |== 1 s ==| pause |== 1 s ==|                                 |==
        B                               gap |== 1 s ==| pause |== 1 s ==|
    """
    spans: tuple[list[Span], list[Span]] = ([], [])
    position = 0
    for turn in range(turns):
        stray = 10 * (turn % 5 - 2)
        for silence in (pause_ms + stray, gap_ms + stray):
            spans[turn % 2].append(Span(start=position, end=position + 1000))
            position += 1000 + silence
    return Conversation(f"{gap_ms}", Activity((tuple(spans[0]), tuple(spans[1])), 1000), None)


def calls(count: int) -> list[Conversation]:
    """Brisk pairs pause long, and slow ones shortly."""
    return [call_of(gap_ms=100 + 40 * i, pause_ms=1300 - 40 * i) for i in range(count)]


def test_dyads_are_fitted_on_recordings_in_which_nobody_marked_backchannels(switchboard: Reference) -> None:
    fitted = fit_reference(calls(24), ORIGIN, base=Base("switchboard", switchboard))
    spread = fitted.conversations()
    assert spread.n == 24
    assert "per_conversation" not in fitted.borrowed
    assert spread.metric("median_fto").quantile(0.5) == pytest.approx(0.1 + 0.04 * 11.5, abs=0.001)
    assert spread.metric("median_pause").quantile(0.5) == pytest.approx(1.3 - 0.04 * 11.5, abs=0.001)
    assert min(spread.reliability(name) for name in METRICS) > 0.99
    assert spread.spearman_of(METRICS)[0, 1] == pytest.approx(-1.0)
    assert "backchannels_per_min" not in spread.metrics
    assert fitted.missing["per_conversation.backchannels_per_min"] == (
        "who spoke when does not tell which words are backchannels"
    )
    assert parse_reference(format_reference(fitted), "file") == fitted


def test_dialogues_are_timed_by_the_dyads_of_the_recordings(switchboard: Reference) -> None:
    fitted = fit_reference(calls(24), ORIGIN, base=Base("switchboard", switchboard))
    dyads = [one.dyad for one in time_dialogues(spoken_dialogues(100), fitted)]
    drawn = {name: [dyad[name] for dyad in dyads] for name in METRICS}
    assert 0.1 <= min(drawn["median_fto"]) < 0.3
    assert 0.8 < max(drawn["median_fto"]) <= 1.02
    # Of these recordings brisk pairs pause long without exception.
    assert np.corrcoef(drawn["median_fto"], drawn["median_pause"])[0, 1] < -0.95


def test_too_few_recordings_borrow_the_spread_and_say_why(switchboard: Reference) -> None:
    fitted = fit_reference(calls(19), ORIGIN, base=Base("switchboard", switchboard))
    assert fitted.per_conversation == switchboard.per_conversation
    assert fitted.borrowed["per_conversation"] == "switchboard"
    assert fitted.missing["per_conversation"] == "19 conversations, wanted 20"


def test_recordings_without_pauses_have_no_spread_and_name_what_they_lack() -> None:
    fitted = fit_reference([*calls(5), *(recording(str(i)) for i in range(20))], ORIGIN)
    assert fitted.missing["per_conversation"] == (
        "5 conversations in which every metric is defined, wanted 20; the rarest, median_pause, is in 5"
    )

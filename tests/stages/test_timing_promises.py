"""What timing promises over many made-up dialogues: targets, spreads, latencies, anchors."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.seeding import draw_uniform
from pipeline.core.timing.calibration import DIAL_RANGE, Calibration
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Speaker
from pipeline.domain.scene import Scene
from pipeline.domain.script import AfterSeconds, AfterWords
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Timeline
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from pipeline.stages.timing import Config, Deps
from tests.core.timing.dialogues import DYADS, REFERENCE, made_up
from tests.measured import overlap_ratio

MANY = tuple(made_up(number) for number in range(200))


def deps_of(dial: float = 0.0, root_seed: int = 0) -> Deps:
    return Deps(root_seed=root_seed, reference=REFERENCE, dyads=DYADS, stages=("timing-1",), dial=dial)


def timed(config: Config, dial: float = 0.0, spoken: tuple[SpokenScript, ...] = MANY) -> tuple[Timeline, ...]:
    done = timing.run(Shard(0, spoken), config, deps_of(dial))
    assert not done.refusals
    return done.records


def calibrated(config: Config, spoken: tuple[SpokenScript, ...] = MANY) -> Calibration:
    found = timing.calibrate_dataset(spoken, config, deps_of())
    assert found is not None
    return found


def with_ratio(ratio: object, **more: object) -> Config:
    return Config.model_validate({"overlap_ratio": ratio, **more})


@pytest.fixture(scope="module")
def range_of() -> Calibration:
    return calibrated(with_ratio(0.08))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 0.7, 0.95])
def test_an_overlap_ratio_for_200_dialogues_is_met(share: float, range_of: Calibration) -> None:
    target = round(range_of.lowest + share * (range_of.highest - range_of.lowest) + 5e-5, 4)
    config = with_ratio(target)
    dial = calibrated(config).dial
    assert abs(overlap_ratio(timed(config, dial)) - target) <= 0.002


def test_the_range_is_wide_enough_to_be_of_use(range_of: Calibration) -> None:
    assert range_of.lowest < 0.03
    assert range_of.highest > 0.15
    assert range_of.lowest < range_of.undialled < range_of.highest


@given(st.integers(0, 199), st.floats(*DIAL_RANGE), st.floats(0, 3))
@settings(max_examples=60)
def test_turning_the_dial_up_never_loses_overlap_in_a_floor_transfer(
    number: int, dial: float, more: float
) -> None:
    low, high = (timed(Config(), at, (made_up(number),))[0] for at in (dial, dial + more))
    asked, answered = (
        [next(s.span for s in one.supervisions if s.turn == turn) for one in (low, high)] for turn in (0, 1)
    )
    assert asked[0] == asked[1]
    assert answered[1].start <= answered[0].start


@pytest.mark.parametrize("target", [0.0, 0.9, 1.0])
def test_a_target_out_of_reach_is_refused_with_the_range(target: float, range_of: Calibration) -> None:
    wanted = rf"={target:g} cannot be met.*feasible: {range_of.lowest:.4f} to {range_of.highest:.4f}"
    with pytest.raises(ConfigError, match=wanted):
        timing.calibrate_dataset(MANY, with_ratio(target), deps_of())


def test_a_spread_of_ratios_is_kept_dialogue_by_dialogue() -> None:
    some = MANY[:40]
    done = timing.run(Shard(0, some), with_ratio({"min": 0.05, "max": 0.15}), deps_of())
    ratios = sorted(overlap_ratio((one,)) for one in done.records)
    assert len(done.records) + len(done.refusals) == len(some)
    assert len(done.records) >= 20
    inside = [ratio for ratio in ratios if 0.049 <= ratio <= 0.151]
    assert len(inside) == len(ratios)
    assert ratios[0] < 0.07
    assert ratios[-1] > 0.13
    assert all("this script allows" in refusal.detail for refusal in done.refusals)


@pytest.mark.parametrize(("low", "high"), [(0.05, 0.15), (0.1, 0.3), (0.0, 0.05)])
def test_the_survey_of_a_spread_counts_what_timing_then_does(low: float, high: float) -> None:
    some, config = MANY[:60], with_ratio({"min": low, "max": high})
    found = timing.survey_spread(some, config, deps_of())
    done = timing.run(Shard(0, some), config, deps_of())
    assert found is not None
    assert (found.n, found.refused) == (60, len(done.refusals))
    ratios = {one.dialogue_id: overlap_ratio((one,)) for one in done.records}
    assert sum(ratios.values()) / len(ratios) == pytest.approx(found.reached_mean, abs=0.002)
    given = {name: low + draw_uniform(0, "timing/0", name, "overlap_ratio") * (high - low) for name in ratios}
    assert sum(given.values()) / len(given) == pytest.approx(found.asked_mean, abs=1e-4)
    far = [name for name, ratio in ratios.items() if abs(ratio - given[name]) > 0.01]
    assert 0 < len(far) <= found.too_high + found.too_low
    assert all(ratios[name] < given[name] for name in far)


def test_a_spread_that_more_than_half_cannot_have_is_refused_with_one_that_they_can() -> None:
    with pytest.raises(ConfigError, match=r"dialogues cannot have the ratio.*feasible for half") as refused:
        timing.survey_spread(MANY[:60], with_ratio({"min": 0.5, "max": 0.9}), deps_of())
    low, high = map(float, re.findall(r"half of them: ([\d.]+) to ([\d.]+);", str(refused.value))[0])
    found = timing.survey_spread(MANY[:60], with_ratio({"min": low, "max": high}), deps_of())
    assert found is not None
    assert 2 * (found.too_high + found.too_low + found.refused) <= 60


@pytest.mark.parametrize("ratio", [None, 0.1])
def test_nothing_is_surveyed_where_no_ratio_is_spread(ratio: object) -> None:
    assert timing.survey_spread(MANY[:3], with_ratio(ratio), deps_of()) is None


@pytest.mark.parametrize(("latency", "median_s"), [(0.6, 0.6), ({"median_s": 1.5, "sigma": 0.1}, 1.5)])
@pytest.mark.parametrize("dial", [-2.0, 0.0, 4.0])
def test_a_response_latency_of_its_own_follows_its_law_whatever_the_dial(
    latency: object, median_s: float, dial: float
) -> None:
    config = Config.model_validate({"response_latency": latency})
    gaps = []
    for timeline in timed(config, dial):
        asked = max(s.span.end for s in timeline.supervisions if s.turn == 0)
        answered = min(s.span.start for s in timeline.supervisions if s.turn == 1)
        gaps.append((answered - asked) / timeline.sampling_rate)
    gaps.sort()
    assert gaps[0] > 0
    assert abs(gaps[len(gaps) // 2] - median_s) < 0.12 * median_s


def test_a_response_latency_of_its_own_also_holds_where_the_query_hesitates() -> None:
    config = Config.model_validate({"response_latency": {"median_s": 1.5, "sigma": 0.0}})
    spoken = tuple(one for one in MANY if one.script.scene is Scene.PAUSE_HANDLING)
    assert len(spoken) == 40
    for timeline in timed(config, 0.0, spoken):
        asked, answered = timeline.supervision("u01").span, timeline.supervision("u02").span
        assert answered.start - asked.end == round(1.5 * timeline.sampling_rate)


@pytest.mark.parametrize("dial", [-6.0, -3.0, -0.5, 0.0, 1.0, 3.0, 6.0])
def test_at_any_dial_an_anchor_is_met_first_and_nobody_talks_over_oneself(dial: float) -> None:
    met = Counter[str]()
    for timeline in timed(Config(), dial):
        for event in timeline.events:
            match event.anchor:
                case AfterWords(host=name, words=words):
                    host = timeline.supervision(name)
                    assert len(host.words) >= words
                    assert not any(word.cut for word in host.words[:words])
                    assert host.words[words - 1].span.end <= event.onset
                    met[event.anchor.kind] += 1
                case AfterSeconds(host=name, seconds=seconds):
                    host = timeline.supervision(name)
                    assert len(host.span) >= round(seconds * timeline.sampling_rate)
                    assert host.span.start + round(seconds * timeline.sampling_rate) <= event.onset
                    met[event.anchor.kind] += 1
        for speaker in Speaker:
            spans = sorted((s.span.start, s.span.end) for s in timeline.supervisions if s.speaker is speaker)
            assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert met == {"after_words": 80, "after_seconds": 80}


@given(st.integers(0, 199), st.floats(*DIAL_RANGE), st.floats(0, 10))
@settings(max_examples=60)
def test_a_longer_lead_in_moves_everything_and_changes_nothing(
    number: int, dial: float, lead_in_s: float
) -> None:
    spoken = (made_up(number),)
    (at_zero,) = timed(Config(lead_in_s=0.0), dial, spoken)
    (later,) = timed(Config(lead_in_s=lead_in_s), dial, spoken)
    shift = round(lead_in_s * later.sampling_rate)
    assert [s.span.shift(shift) for s in at_zero.supervisions] == [s.span for s in later.supervisions]
    assert [e.onset + shift for e in at_zero.events] == [e.onset for e in later.events]
    assert later.num_samples - at_zero.num_samples == shift


@pytest.mark.parametrize("ratio", [None, {"min": 0.05, "max": 0.15}])
def test_without_a_common_target_a_dialogue_more_changes_no_other(ratio: object) -> None:
    config = with_ratio(ratio)
    fewer, more = (timing.run(Shard(0, MANY[:count]), config, deps_of()) for count in (30, 31))
    newcomer = MANY[30].script.dialogue_id
    assert fewer.records == tuple(one for one in more.records if one.dialogue_id != newcomer)
    assert fewer.refusals == tuple(one for one in more.refusals if one.record_id != newcomer)
    assert len(more.records) + len(more.refusals) == 31


def test_the_dial_does_not_depend_on_the_order_of_dialogues() -> None:
    some = MANY[:30]
    assert calibrated(with_ratio(0.1), some) == calibrated(with_ratio(0.1), tuple(reversed(some)))

"""Timing anew: what the dial promises over many made-up dialogues, and retiming of a real run."""

import re
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import runner
from pipeline.backends.espeak import synthesizer
from pipeline.backends.offline import author
from pipeline.core.seeding import draw_uniform
from pipeline.core.timing.calibration import DIAL_RANGE, Calibration
from pipeline.core.turntaking.activity import activity_of
from pipeline.core.turntaking.measurement import measure
from pipeline.core.turntaking.statistics import pool
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Speaker
from pipeline.domain.scene import Scene
from pipeline.domain.script import AfterSeconds, AfterWords
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.io.jsonl import read_records
from pipeline.retiming import retime_run
from pipeline.run_records import read_description
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from pipeline.stages.timing import Config, Deps
from tests.core.timing.dialogues import DYADS, REFERENCE, made_up
from tests.runs import data_of, finished_run, run_at, small_config

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


def overlap_ratio(timelines: tuple[Timeline, ...]) -> float:
    """As `humdial describe` measures it."""
    return pool(tuple(measure(activity_of(one)) for one in timelines)).overlap_over_speech_time


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


# A real run, retimed.


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory)


def timelines(directory: Path) -> dict[str, Timeline]:
    return {
        one.timeline.dialogue_id: one.timeline
        for one in read_records(directory / "dialogues.jsonl", Dialogue)
    }


def feasible_target(run_directory: Path) -> float:
    """The ratio that the finished run has, a little raised."""
    return round(overlap_ratio(tuple(timelines(run_directory).values())) + 0.02, 3)


def test_retiming_without_a_change_gives_the_run_again(finished: Path, tmp_path: Path) -> None:
    summary = retime_run(finished, tmp_path / "again", (), 1)
    assert data_of(tmp_path / "again") == data_of(finished)
    assert summary.shards_run == 6
    again = retime_run(finished, tmp_path / "again", (), 1)
    assert (again.shards_run, again.shards_cached) == (0, 6)


def test_retiming_meets_a_target_from_stored_clips_alone(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("retiming built an author or a synthesizer")

    monkeypatch.setattr(author, "OfflineAuthor", never)
    monkeypatch.setattr(synthesizer, "EspeakSynthesizer", never)
    target = feasible_target(finished)
    retime_run(finished, tmp_path / "out", (f"timing.overlap_ratio={target}",), 1)
    before, after = timelines(finished), timelines(tmp_path / "out")
    assert abs(overlap_ratio(tuple(after.values())) - target) <= 0.002
    assert before.keys() == after.keys()
    for name, timeline in after.items():
        assert {s.clip for s in timeline.supervisions} == {s.clip for s in before[name].supervisions}
    assert {path.stem for path in (tmp_path / "out" / "audio").iterdir()} == set(after)


def test_a_retimed_run_describes_itself_with_all_that_made_it(finished: Path, tmp_path: Path) -> None:
    target = feasible_target(finished)
    retime_run(finished, tmp_path / "out", (f"timing.overlap_ratio={target}", "timing.tail_s=1.0"), 1)
    before, after = read_description(finished), read_description(tmp_path / "out")
    assert after.config.timing == Config(overlap_ratio=target, tail_s=1.0)
    assert after.calibration is not None
    assert after.calibration.target == target
    assert (
        before.versions.deps.items() - {("timing", before.versions.deps["timing"])}
        <= after.versions.deps.items()
    )
    kept = {"config", "versions", "calibration", "store"}
    assert after.model_dump(exclude=kept) == before.model_dump(exclude=kept)


def test_processes_change_nothing(finished: Path, tmp_path: Path) -> None:
    override = (f"timing.overlap_ratio={feasible_target(finished)}",)
    retime_run(finished, tmp_path / "one", override, 1)
    summary = retime_run(finished, tmp_path / "two", override, 2)
    assert summary.shards_run == 6
    assert data_of(tmp_path / "one") == data_of(tmp_path / "two")


def test_shard_size_changes_nothing(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished.parent / "store", tmp_path / "store")
    run_at(tmp_path / "large", small_config(shard_size=100))
    override = (f"timing.overlap_ratio={feasible_target(finished)}",)
    retime_run(finished, tmp_path / "a", override, 1)
    retime_run(tmp_path / "large", tmp_path / "b", override, 1)
    assert data_of(tmp_path / "a") == data_of(tmp_path / "b")


@pytest.mark.parametrize("override", ["seed=3", "speech.loudness_lufs=-20", "render.format=wav", "timing"])
def test_only_timing_can_be_changed(override: str, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"only timing\.\* can change"):
        retime_run(finished, tmp_path / "out", (override,), 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("timing.overlap_ration=0.1", "did you mean 'overlap_ratio'"),
        ("timing.overlap_ratio=0.99", "feasible: "),
        ("timing.reference=no-such-corpus", "no-such-corpus"),
        ("timing.profile=humdial", "humdial-dev"),
    ],
)
def test_timing_that_cannot_be_had_is_refused(
    override: str, problem: str, finished: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=problem):
        retime_run(finished, tmp_path / "out", (override,), 1)


def test_a_run_is_not_retimed_into_itself(finished: Path) -> None:
    with pytest.raises(ConfigError, match="is the run itself; choose another directory"):
        retime_run(finished, finished.parent / "x" / ".." / finished.name, (), 1)


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no run\.json; wanted the directory of a finished run"):
        retime_run(tmp_path, tmp_path / "out", (), 1)


@pytest.mark.parametrize(
    ("loss", "problem"),
    [
        ("03-speech", "03-speech.*finish that run first"),
        ("03-speech/records.00001.jsonl", "incomplete or changed; finish that run first"),
        ("03-speech/stamp.00001.json", "incomplete or changed; finish that run first"),
    ],
)
def test_a_run_with_a_part_missing_is_refused(
    loss: str, problem: str, finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished.parent, tmp_path / "copy")
    victim = tmp_path / "copy" / finished.name / loss
    if victim.is_dir():
        shutil.rmtree(victim)
    else:
        victim.unlink()
    with pytest.raises(ConfigError, match=problem):
        retime_run(tmp_path / "copy" / finished.name, tmp_path / "out", (), 1)


def test_retiming_leaves_the_run_as_it_was(finished: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.name != ".lock"}
    retime_run(finished, tmp_path / "out", ("timing.tail_s=2",), 1)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.name != ".lock"} == before


def test_retiming_again_with_other_settings_leaves_nothing_of_the_first(
    finished: Path, tmp_path: Path
) -> None:
    retime_run(finished, tmp_path / "out", ("timing.profile=humdial-dev",), 1)
    retime_run(finished, tmp_path / "out", (), 1)
    assert data_of(tmp_path / "out") == data_of(finished)


def test_the_stages_of_retiming_are_those_without_a_backend() -> None:
    assert runner.FROM_TIMING == ("timing", "render")

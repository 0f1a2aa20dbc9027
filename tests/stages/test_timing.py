"""The stage's own behaviour; what it promises over many dialogues is in test_timing_promises.py."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from pipeline.core.timing.dyad import dyad_law
from pipeline.domain.quarantine import Reason
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Timeline
from pipeline.io.references import load_reference
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from pipeline.stages.timing import Config, Deps
from tests.spoken import ALL_SHAPES, hesitation, interruption, speak

REFERENCE = load_reference("switchboard")
DYADS = dyad_law(REFERENCE)
SPOKEN = tuple(
    speak(shape().model_copy(update={"dialogue_id": f"en-{i}"})) for i, shape in enumerate(ALL_SHAPES)
)
DEFAULT = Config()
TOO_LATE = speak(interruption(words=99, dialogue_id="en-late"))


def deps_of(root_seed: int = 0, dial: float = 0.0) -> Deps:
    return Deps(root_seed=root_seed, reference=REFERENCE, dyads=DYADS, stages=("timing-1",), dial=dial)


def run(
    spoken: tuple[SpokenScript, ...] = SPOKEN, config: Config = DEFAULT, root_seed: int = 0
) -> Shard[Timeline]:
    return timing.run(Shard(7, spoken), config, deps_of(root_seed))


def test_every_dialogue_is_placed_or_refused_with_its_reason_and_itself() -> None:
    done = run((SPOKEN[0], TOO_LATE, *SPOKEN[1:]))
    assert [timeline.dialogue_id for timeline in done.records] == ["en-0", "en-1", "en-2", "en-3"]
    (refusal,) = done.refusals
    assert (refusal.stage, refusal.record_id) == ("timing", "en-late")
    assert refusal.reason is Reason.CANNOT_BE_TIMED
    assert "word 99" in refusal.detail
    assert SpokenScript.from_line(refusal.payload) == TOO_LATE
    assert done.index == 7


def test_equal_input_gives_equal_timelines_and_another_root_seed_others() -> None:
    assert run() == run()
    assert run().records != run(root_seed=1).records


def test_a_dialogue_that_cannot_be_placed_does_not_stop_calibration() -> None:
    with_it = timing.calibrate_dataset((*SPOKEN, TOO_LATE), Config(overlap_ratio=0.07), deps_of())
    assert with_it == timing.calibrate_dataset(SPOKEN, Config(overlap_ratio=0.07), deps_of())
    assert with_it is not None


def test_a_dialogue_that_cannot_be_placed_does_not_count_in_a_spread() -> None:
    config = Config.model_validate({"overlap_ratio": {"min": 0.01, "max": 0.2}})
    found = timing.survey_spread((*SPOKEN, TOO_LATE), config, deps_of())
    assert found is not None
    assert found.n == len(SPOKEN)
    assert found == timing.survey_spread(SPOKEN, config, deps_of())


def test_a_dataset_is_read_once_to_learn_its_range_and_once_per_correction() -> None:
    class Counted(tuple[SpokenScript, ...]):
        times = 0

        def __iter__(self) -> Iterator[SpokenScript]:
            self.times += 1
            return super().__iter__()

    dialogues = Counted(SPOKEN)
    found = timing.calibrate_dataset(dialogues, Config(overlap_ratio=0.07), deps_of())
    assert found is not None
    assert abs(found.planned - 0.07) <= 0.002
    assert dialogues.times == 2


@pytest.mark.parametrize("ratio", [None, {"min": 0.01, "max": 0.2}])
def test_no_dial_is_sought_where_no_ratio_is_asked_for_the_dataset(ratio: object) -> None:
    config = Config.model_validate({"overlap_ratio": ratio})
    assert timing.calibrate_dataset(SPOKEN, config, deps_of()) is None


def test_the_dev_profile_holds_the_users_side_with_its_own_tail() -> None:
    for timeline in run(config=Config(profile="humdial-dev", tail_s=0.0)).records:
        assert {s.track.value for s in timeline.supervisions} == {"user"}
        last = max(s.span.end for s in timeline.supervisions)
        assert timeline.num_samples - last == 10 * timeline.sampling_rate


def test_lead_in_and_tail_are_silence_of_the_wanted_length() -> None:
    (timeline,) = run((speak(hesitation()),), Config(lead_in_s=1.5, tail_s=2.0)).records
    assert timeline.supervisions[0].span.start == 1.5 * timeline.sampling_rate
    assert timeline.num_samples - timeline.supervisions[-1].span.end == 2 * timeline.sampling_rate


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"overlap_ratio": 1.2}, "wanted 0 to 1"),
        ({"overlap_ratio": -0.1}, "wanted 0 to 1"),
        ({"overlap_ratio": {"min": 0.3, "max": 0.1}}, "min must not exceed max"),
        ({"overlap_ratio": {"min": 0.3}}, "max"),
        ({"profile": "humdial-dev", "overlap_ratio": 0.1}, "must be null"),
        ({"profile": "humdial-dev", "response_latency": 0.5}, "must be null"),
        ({"response_latency": 0}, "greater than 0"),
        ({"response_latency": {"median_s": 1, "sigma": 5}}, "less than or equal to 2"),
        ({"lead_in_s": -1}, "greater than or equal to 0"),
        ({"tail_s": 31}, "less than or equal to 30"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(settings: object, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Config.model_validate(settings)

"""Replies that are text only: the user's turns follow each other, and nobody else is on the clock."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.assembly import assemble
from pipeline.core.timing.calibration import DIAL_RANGE
from pipeline.core.timing.material import gather
from pipeline.core.timing.placement import place
from pipeline.core.timing.timeline import build_timeline
from pipeline.core.turntaking import IPU_SILENCE_S
from pipeline.domain.emotional import EmotionalTask
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Emotion, Language, Speaker, Track
from pipeline.domain.script import Script
from pipeline.domain.span import to_samples
from pipeline.domain.timeline import Timeline
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from tests.core.timing.dialogues import DYADS, REFERENCE, profile_of
from tests.emotional import emotional_script
from tests.spoken import RATE, load_clip, speak

FIVE_TURNS = (Emotion.DISGUST, Emotion.ANGER, Emotion.ANGER, Emotion.HAPPY, Emotion.NEUTRAL)
ARCS = st.sampled_from(
    (
        (Emotion.ANGER, Emotion.SURPRISE, Emotion.NEUTRAL),
        (Emotion.HAPPY, Emotion.SAD, Emotion.FEAR, Emotion.NEUTRAL),
        FIVE_TURNS,
    )
)
APART = to_samples(IPU_SILENCE_S, RATE)


def timeline_of(script: Script, root_seed: int = 0, dial: float = 0.0) -> Timeline:
    spoken = speak(script)
    placement = place(gather(spoken), profile_of(script.dialogue_id, root_seed, dial), lead_in_s=0.2)
    assert placement.offsets == ()  # nothing that a dial could move
    return build_timeline(spoken, placement, "reference", {}, root_seed, 0.5, ("timing-1",))


@given(ARCS, st.integers(0, 10_000), st.floats(*DIAL_RANGE))
def test_turns_of_the_user_follow_each_other_apart_whatever_the_dial(
    emotions: tuple[Emotion, ...], seed: int, dial: float
) -> None:
    timeline = timeline_of(emotional_script(emotions=emotions), seed, dial)
    turns = timeline.turns()
    assert [turn[0].turn for turn in turns] == [2 * index for index in range(len(emotions))]
    for before, after in pairwise(turns):
        assert after[0].span.start - before[-1].span.end >= APART
    assert timeline.num_samples == turns[-1][-1].span.end + to_samples(0.5, RATE)


def test_gaps_are_drawn_from_the_reference_beyond_what_ends_an_ipu() -> None:
    table = REFERENCE.distribution("gap")
    gaps = [
        (after[0].span.start - before[-1].span.end) / RATE
        for seed in range(250)
        for before, after in pairwise(timeline_of(emotional_script(emotions=FIVE_TURNS), seed).turns())
    ]
    longer = sum(gap > 0.5 for gap in gaps) / len(gaps)
    wanted = (1 - table.cdf(0.5)) / (1 - table.cdf(IPU_SILENCE_S))
    assert longer == pytest.approx(wanted, abs=0.05)  # 1,000 draws: 2 sigma are 0.03
    assert len(set(gaps)) > 900


def test_replies_that_are_text_stay_in_the_record_and_off_the_track() -> None:
    script = emotional_script()
    timeline = timeline_of(script)
    replies = [u for u in script.utterances if u.speaker is Speaker.ASSISTANT]
    assert [(u.utterance_id, u.turn, u.text) for u in timeline.unsaid] == [
        (u.utterance_id, u.turn, u.text) for u in replies
    ]
    assert {u.why for u in timeline.unsaid} == {"text_only"}
    assert {voicing.speaker for voicing in timeline.voicing} == {Speaker.USER}
    assert {s.track for s in timeline.supervisions} == {Track.USER}
    audio = assemble(timeline, load_clip)
    assert not audio[:, Track.ASSISTANT.channel].any()
    assert audio[:, Track.USER.channel].any()


def test_what_is_felt_and_what_could_not_be_rendered_stays_in_the_record() -> None:
    script = emotional_script()
    timeline = timeline_of(script)
    assert timeline.arc == script.arc
    for supervision in timeline.supervisions:
        utterance = script.utterance(supervision.supervision_id)
        assert (supervision.emotion, supervision.intensity, supervision.tags) == (
            utterance.emotion,
            utterance.intensity,
            utterance.tags,
        )
    assert any(supervision.tags for supervision in timeline.supervisions)


@given(ARCS, st.integers(0, 10_000))
def test_replies_that_are_spoken_take_turns_with_the_user(emotions: tuple[Emotion, ...], seed: int) -> None:
    script = emotional_script(emotions=emotions, response_audio=True)
    spoken = speak(script)
    placement = place(gather(spoken), profile_of(script.dialogue_id, seed, 0.0), lead_in_s=0.2)
    assert [kind for kind, _ in placement.offsets] == ["transfer"] * (2 * len(emotions) - 1)
    timeline = build_timeline(spoken, placement, "reference", {}, seed, 0.5, ("timing-1",))
    assert timeline.unsaid == ()
    turns = timeline.turns()
    assert [turn[0].speaker for turn in turns] == [Speaker.USER, Speaker.ASSISTANT] * len(emotions)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    "config",
    [
        timing.Config(),
        timing.Config(profile="human-assistant", response_latency=0.8),
        timing.Config(profile="humdial-dev"),
        timing.Config(overlap_ratio=0.0),
    ],
    ids=["reference", "human-assistant", "humdial-dev", "no overlap"],
)
def test_every_timing_profile_places_them(config: timing.Config, language: Language) -> None:
    spoken = (speak(emotional_script(language=language)),)
    deps = timing.Deps(root_seed=0, reference=REFERENCE, dyads=DYADS, stages=("timing-3",), dial=0.0)
    calibration = timing.calibrate_dataset(spoken, config, deps)
    assert calibration is None or calibration.planned == 0.0
    done = timing.run(Shard(0, spoken), config, deps)
    assert done.refusals == ()
    assert len(done.records[0].unsaid) == 3


@pytest.mark.parametrize("task", [task for task in EmotionalTask if task.single_turn])
@pytest.mark.parametrize("emotion", list(Emotion))
def test_a_dialogue_of_one_turn_is_a_timeline_too(task: EmotionalTask, emotion: Emotion) -> None:
    timeline = timeline_of(emotional_script(task=task, emotions=(emotion,)))
    (turn,) = timeline.turns()
    assert {supervision.emotion for supervision in turn} == {emotion}
    assert turn[0].span.start == to_samples(0.2, RATE)


def test_an_overlap_that_no_silent_assistant_can_have_is_refused_with_what_is_feasible() -> None:
    spoken = (speak(emotional_script()),)
    deps = timing.Deps(root_seed=0, reference=REFERENCE, dyads=DYADS, stages=("timing-3",), dial=0.0)
    with pytest.raises(ConfigError, match=r"feasible: 0\.0000 to 0\.0000"):
        timing.calibrate_dataset(spoken, timing.Config(overlap_ratio=0.05), deps)

"""Planned timing, read back the way the official scripts read it."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.exports.humdial_track2 import Track2Options
from pipeline.domain.labels import Split
from pipeline.domain.scene import Scene
from tests.core.exports.build import (
    ASSISTANT,
    THIRD,
    USER,
    Say,
    export,
    make_timeline,
    scene_timeline,
)
from tests.core.exports.official import (
    FILE_RATE,
    TIMED,
    clean_directed_wav,
    clean_wav,
    first_response_delay,
    judge_groups,
    latencies,
    rejection_rate,
    speech_runs,
)

RATE = 24_000


def folder_of(scene: Scene, delays: list[int]) -> dict[str, str]:
    """One dialogue per planned delay, in samples from the end of the query to the first word of the answer."""
    folder: dict[str, str] = {}
    for number, delay in enumerate(delays, start=1):
        end_s, start_s = 3.0, 3.0 + delay / RATE
        before = scene is Scene.THIRD_PARTY_BEFORE
        says = [Say(1, USER, 1.0, end_s, "a b c", ""), Say(2, ASSISTANT, start_s, 6.0, "d e f", "")]
        if before:
            says.insert(0, Say(0, THIRD, 0.1, 0.8, "g", ""))
        elif scene is not Scene.PAUSE_HANDLING:
            speaker = THIRD if scene is Scene.THIRD_PARTY_AFTER else USER
            says.append(Say(3, speaker, 5.0, 7.0, "h i", ""))
        timeline = make_timeline(tuple(says), scene, with_event=False)
        folder |= export(timeline, f"0001_{number:04d}").folder()
    return folder


PLANNED = st.lists(st.integers(-30_000, 60_000), min_size=1, max_size=6)
# Every scene but the directed one has this shape; the segment that the delay is counted from differs.
SCENES = st.sampled_from([Scene.FOLLOW_UP_QUESTION, Scene.PAUSE_HANDLING, Scene.THIRD_PARTY_BEFORE])


@given(SCENES, PLANNED)
@settings(max_examples=40, deadline=None)
def test_planned_first_response_delays_come_back(scene: Scene, delays: list[int]) -> None:
    positive = [delay / RATE for delay in delays if delay > 0]
    if not positive:
        positive, delays = [0.25], [*delays, RATE // 4]
    folder = folder_of(scene, delays)
    got = first_response_delay(folder, segment=1 if scene is Scene.THIRD_PARTY_BEFORE else 0)
    assert got == pytest.approx(sum(positive) / len(positive), abs=1e-6)


def test_a_delay_of_zero_counts_in_the_backchannel_copy_only() -> None:
    folder = folder_of(Scene.USER_BACKCHANNEL, [0, 12_000])
    assert first_response_delay(folder) == pytest.approx(0.5, abs=1e-6)
    assert first_response_delay(folder, zero_counts=True) == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("scene", list(Scene))
def test_the_first_response_of_every_scene_is_where_it_was_planned(scene: Scene) -> None:
    timeline = scene_timeline(scene)
    query = next(t for t in timeline.turns() if t[0].speaker is USER)
    answer = next(s for s in timeline.supervisions if s.speaker is ASSISTANT)
    wanted = (answer.span.start - max(s.span.end for s in query)) / RATE
    got = first_response_delay(export(timeline).folder(), 1 if scene is Scene.THIRD_PARTY_BEFORE else 0)
    assert got == pytest.approx(wanted, abs=1e-6)


@given(PLANNED, st.sampled_from([(Scene.PAUSE_HANDLING, 0), (Scene.THIRD_PARTY_BEFORE, 1)]))
@settings(max_examples=40, deadline=None)
def test_planned_rejection_rates_come_back(delays: list[int], variant: tuple[Scene, int]) -> None:
    scene, segment = variant
    wanted = sum(delay > 0 for delay in delays) / len(delays)
    assert rejection_rate(folder_of(scene, delays), segment) == wanted


def test_an_answer_inside_the_pause_is_no_rejection() -> None:
    says = (
        Say(0, USER, 0.3, 1.4, "remind me to", ""),
        Say(1, ASSISTANT, 1.7, 2.3, "yes", ""),
        Say(0, USER, 2.6, 4.0, "water them", ""),
    )
    folder = export(make_timeline(says, Scene.PAUSE_HANDLING, with_event=False)).folder()
    assert len(json.loads(folder["0001_0001_sentence.json"])["speech_segments"]) == 1
    assert rejection_rate(folder) == 0.0


@pytest.mark.parametrize(
    ("stop_s", "first_s", "second_s"), [(0.2, 0.35, 0.3), (0.45, 0.6, 0.85), (1.1, 1.9, 1.25)]
)
def test_voice_activity_finds_the_planned_latencies(stop_s: float, first_s: float, second_s: float) -> None:
    start_s = 2.0 + first_s
    says = (
        Say(0, USER, 0.3, 2.0, "a b", ""),
        Say(1, ASSISTANT, start_s, 5.0 + stop_s, "c d", ""),
        Say(2, USER, 5.0, 7.0, "e f", ""),
        Say(3, ASSISTANT, 7.0 + second_s, 9.0, "g h", ""),
    )
    made = export(make_timeline(says, Scene.REPETITION_REQUEST, with_event=False))
    assert TIMED.match("0001_0001")
    user = speech_runs(made.wav("0001_0001"), merge_s=0.6)
    stop, response = latencies(user, speech_runs(made.wav("0001_0001_output"), merge_s=0.5))
    assert stop == pytest.approx([stop_s], abs=0.05)
    assert response == pytest.approx([first_s, second_s], abs=0.05)


@pytest.mark.parametrize(
    "scene", [s for s in Scene if s not in {Scene.PAUSE_HANDLING, Scene.THIRD_PARTY_BEFORE}]
)
def test_a_clean_twin_is_what_the_preparation_script_makes(scene: Scene) -> None:
    made = export(scene_timeline(scene))
    rule = clean_directed_wav if scene is Scene.DIRECTED_AT_OTHERS else clean_wav
    wanted = rule(made.wav("0001_0001"), made.folder()["0001_0001_sentence.json"])
    got = made.wav("clean_0001_0001")
    # The duration is written to the microsecond, so its last sample may round either way.
    assert abs(len(got) - len(wanted)) <= 1
    shared = min(len(got), len(wanted))
    assert np.array_equal(got[:shared], wanted[:shared])
    assert not got[shared:].any()
    assert got.any()


@pytest.mark.parametrize("split", [Split.DEV, Split.TEST])
def test_a_judge_finds_all_but_the_output_that_a_clean_run_has_yet_to_give(split: Split) -> None:
    names: list[str] = []
    scenes = [Scene.FOLLOW_UP_QUESTION, Scene.USER_BACKCHANNEL, Scene.DIRECTED_AT_OTHERS]
    options = Track2Options(evaluation_folders=True, assistant_in_test=True)
    for number, scene in enumerate(scenes, start=1):
        made = export(scene_timeline(scene, split=split), f"0007_{number:04d}", options)
        names += [path.rpartition("/")[2] for path in made.copies]
    wanted = {"input_noisy", "input_clean", "output_noisy"}
    assert judge_groups(names) == {f"0007_{number:04d}": wanted for number in (1, 2, 3)}


def test_every_file_has_the_rate_that_the_scripts_expect() -> None:
    made = export(scene_timeline(Scene.PAUSE_HANDLING))
    duration_s = json.loads(made.folder()["0001_0001_sentence.json"])["final_duration"]
    for wav in made.wavs.values():
        assert len(wav) / FILE_RATE == pytest.approx(duration_s, abs=1 / FILE_RATE)

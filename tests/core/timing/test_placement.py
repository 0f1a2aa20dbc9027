"""Timing promises of the design, as properties."""

import json
from collections.abc import Callable
from functools import partial
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.assembly import assemble
from pipeline.core.checks import Limits, check_dialogue
from pipeline.core.exports.files import TextFile
from pipeline.core.exports.humdial_track2 import Track2Options, export_track2
from pipeline.core.exports.manifest import Layout
from pipeline.core.timing.calibration import DIAL_RANGE
from pipeline.core.timing.dev_template import GAP_S, place_dev_template
from pipeline.core.timing.material import gather
from pipeline.core.timing.placement import MIN_HEARD_SHARE, place
from pipeline.core.timing.profile import BYSTANDER_DELAY_S, HESITATION_RANGE_S, INTERRUPTER_DELAY_S
from pipeline.core.timing.timeline import build_timeline
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Speaker, Track
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import Script
from pipeline.domain.timeline import Timeline
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from tests.core.exports.build import as_dialogue
from tests.core.timing.dialogues import DYADS, REFERENCE, by_seconds, hesitating, made_up, profile_of
from tests.made_run import LOUDNESS_LUFS
from tests.spoken import (
    ALL_SHAPES,
    RATE,
    WORD,
    backchannel,
    bystander,
    hesitation,
    interruption,
    load_clip,
    speak,
)

EVENT_SHAPES = (interruption, backchannel, bystander)
BY_SECONDS = tuple(partial(by_seconds, shape(), 1.3) for shape in EVENT_SHAPES)
SHAPES = st.sampled_from((*ALL_SHAPES, *BY_SECONDS))
HOST_SAMPLES = 11 * WORD
"""Length of the second sentence of the answer, which hosts every event."""
DIALS = st.floats(*DIAL_RANGE)


def timeline_of(script: Script, root_seed: int = 0, dial: float = 0.0) -> Timeline:
    spoken = speak(script)
    profile = profile_of(script.dialogue_id, root_seed, dial)
    placement = place(gather(spoken), profile, lead_in_s=0.2)
    return build_timeline(spoken, placement, "reference", {}, root_seed, 0.5, ("timing-1",))


@given(SHAPES, st.integers(0, 10_000))
def test_every_draw_gives_a_timeline_that_keeps_all_invariants(
    shape: Callable[[], Script], seed: int
) -> None:
    timeline = timeline_of(shape(), seed)  # the constructor refuses anything else
    said = {u.utterance_id for u in shape().utterances} - shape().unsaid()
    assert {s.supervision_id for s in timeline.supervisions} == said


@given(st.integers(1, 9), st.integers(0, 10_000))
def test_the_anchor_word_is_spoken_before_its_interrupter_starts(words: int, seed: int) -> None:
    timeline = timeline_of(interruption(words), seed)
    (event,) = timeline.events
    host = timeline.supervision("u02")
    assert host.words[words - 1].span.end == event.anchor_at
    delay = event.onset - (event.anchor_at or 0)
    assert 0 <= delay <= INTERRUPTER_DELAY_S[1] * RATE + 1


@given(st.integers(0, 10_000))
def test_a_host_that_yields_stops_at_a_boundary_and_leaves_the_rest_unsaid(seed: int) -> None:
    timeline = timeline_of(interruption(), seed)
    (event,), host = timeline.events, timeline.supervision("u02")
    assert event.yielded_at == host.span.end
    assert host.span.end == host.words[-1].span.end
    assert [one.utterance_id for one in timeline.unsaid] == ["u03"]
    if host.truncated:
        assert host.planned_text.startswith(host.text.rstrip("-").rstrip())
        assert host.fade_samples > 0


@given(st.integers(0, 10_000))
def test_a_backchannel_lies_inside_its_hosts_turn_and_the_host_goes_on(seed: int) -> None:
    timeline = timeline_of(backchannel(), seed)
    onset = timeline.supervision("u04").span.start
    assert timeline.supervision("u01").span.start <= onset <= timeline.supervision("u03").span.end
    assert not any(s.truncated for s in timeline.supervisions)
    assert not timeline.unsaid


@given(st.integers(0, 10_000))
def test_a_bystander_is_heard_on_the_user_track_further_away(seed: int) -> None:
    timeline = timeline_of(bystander(), seed)
    voices = [s for s in timeline.supervisions if s.speaker is Speaker.THIRD_PARTY]
    assert {s.track for s in voices} == {Track.USER}
    assert all(s.distance is not None and s.distance.level_db <= -8 for s in voices)


@given(st.integers(0, 10_000))
def test_a_hesitation_stays_within_the_range_seen_in_humdial(seed: int) -> None:
    timeline = timeline_of(hesitation(), seed)
    silence = timeline.supervision("u01").span.start - timeline.supervision("u00").span.end
    low, high = HESITATION_RANGE_S
    assert low * RATE - 1 <= silence <= high * RATE + 1
    assert timeline.events[0].onset == timeline.supervision("u00").span.end


@given(SHAPES, st.integers(0, 10_000))
def test_at_a_floor_transfer_each_side_is_heard_alone_for_its_share(
    shape: Callable[[], Script], seed: int
) -> None:
    timeline = timeline_of(shape(), seed)
    query = [s.span for s in timeline.supervisions if s.turn == 0]
    answer = [s.span for s in timeline.supervisions if s.turn == 1]
    overlap = query[-1].end - answer[0].start
    shorter = min(query[-1].end - query[0].start, sum(len(span) for span in answer))
    assert overlap <= (1 - MIN_HEARD_SHARE) * shorter + 1


CONFIGS = (
    timing.Config(),
    timing.Config(overlap_ratio=0.1),  # the dial is given: what a dataset has in common
    timing.Config.model_validate({"overlap_ratio": {"min": 0.05, "max": 0.15}}),
)


def run(numbers: list[int], config: timing.Config, root_seed: int, dial: float) -> Shard[Timeline]:
    deps = timing.Deps(root_seed=root_seed, reference=REFERENCE, dyads=DYADS, stages=("timing-1",), dial=dial)
    return timing.run(Shard(0, tuple(made_up(number) for number in numbers)), config, deps)


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 199), unique=True, min_size=2, max_size=6),
    st.sampled_from(CONFIGS),
    st.integers(0, 1_000),
    DIALS,
)
def test_a_dialogue_is_timed_or_refused_alike_in_any_company(
    numbers: list[int], config: timing.Config, root_seed: int, dial: float
) -> None:
    together = run(numbers, config, root_seed, dial)
    alone = [run([number], config, root_seed, dial) for number in numbers]
    assert together.records == tuple(chain.from_iterable(one.records for one in alone))
    assert together.refusals == tuple(chain.from_iterable(one.refusals for one in alone))
    assert len(together.records) + len(together.refusals) == len(numbers)
    assert run(numbers[::-1], config, root_seed, dial).records == together.records[::-1]


@given(st.sampled_from(EVENT_SHAPES), st.floats(0.05, 2.5), st.integers(0, 10_000), DIALS)
def test_an_anchor_in_seconds_is_met_before_its_event_and_inside_its_host(
    shape: Callable[[], Script], seconds: float, seed: int, dial: float
) -> None:
    timeline = timeline_of(by_seconds(shape(), seconds), seed, dial)
    (event,), host = timeline.events, timeline.supervision("u02")
    assert event.anchor_at == host.span.start + round(seconds * RATE)
    assert event.anchor_at <= event.onset
    if event.effect is FloorEffect.YIELDS:
        assert event.onset - event.anchor_at <= INTERRUPTER_DELAY_S[1] * RATE + 1
        assert event.onset in host.span
    else:
        assert event.onset <= timeline.supervision("u03").span.end
    if event.type is EventType.THIRD_PARTY_SPEECH and dial >= 0:
        assert event.onset - event.anchor_at <= BYSTANDER_DELAY_S[1] * RATE + 1


@pytest.mark.parametrize("shape", EVENT_SHAPES)
@pytest.mark.parametrize("seconds", [HOST_SAMPLES / RATE + 0.001, 60.0])
def test_an_anchor_behind_the_hosts_last_second_has_a_reason_code(
    shape: Callable[[], Script], seconds: float
) -> None:
    with pytest.raises(RecordError) as caught:
        timeline_of(by_seconds(shape(), seconds))
    assert caught.value.reason is Reason.CANNOT_BE_TIMED


@settings(max_examples=20)
@given(st.sampled_from(EVENT_SHAPES), st.floats(0.05, 2.5), st.integers(0, 1_000))
def test_audio_and_files_of_an_anchor_in_seconds_agree_with_its_record(
    shape: Callable[[], Script], seconds: float, seed: int
) -> None:
    timeline = timeline_of(by_seconds(shape(), seconds), seed)
    dialogue = as_dialogue(timeline)
    limits = Limits(loudness_lufs=LOUDNESS_LUFS)
    assert check_dialogue(dialogue, assemble(timeline, load_clip), RATE, limits) == ()
    made = export_track2(dialogue, "0001_0001", Track2Options(layout=Layout.DEV))
    (file,) = (
        f for f in made.files if isinstance(f, TextFile) and f.path.endswith("/0001_0001_sentence.json")
    )
    (event,) = timeline.events
    written = [segment["xmin"] for segment in json.loads(file.content)["speech_segments"]]
    assert any(abs(xmin - event.onset / RATE) <= 1 / 16_000 for xmin in written)


@given(st.integers(0, 39), st.integers(0, 1_000), DIALS, st.booleans())
def test_at_any_dial_nobody_starts_inside_a_hesitation_and_the_answer_awaits_its_end(
    number: int, seed: int, dial: float, assistant_waits: bool
) -> None:
    spoken = hesitating(number)
    profile = profile_of(spoken.script.dialogue_id, seed, dial, assistant_waits=assistant_waits)
    placed = place(gather(spoken), profile, 0.2).placed
    before, after = placed["u00"].span, placed["u01"].span
    assert before.end < after.start
    assert not [n for n, one in placed.items() if before.start < one.span.start < after.start]
    assert placed["u02"].utterance.speaker is Speaker.ASSISTANT
    assert placed["u02"].span.start >= after.end


def test_an_anchor_behind_the_last_word_has_a_reason_code() -> None:
    with pytest.raises(RecordError) as caught:
        timeline_of(interruption(words=99))
    assert caught.value.reason is Reason.CANNOT_BE_TIMED


@settings(max_examples=30)
@given(st.integers(0, 1_000))
def test_the_dev_template_holds_the_users_side_at_five_seconds(seed: int) -> None:
    spoken = speak(interruption())
    profile = profile_of("en-test-1", seed)
    placement = place_dev_template(spoken, profile)
    placed = placement.placed
    assert set(placed) == {"u00", "u04"}
    gap = placed["u04"].span.start - placed["u00"].span.end
    assert gap == round(GAP_S * RATE)
    timeline = build_timeline(spoken, placement, "humdial-dev", {}, seed, 10.0, ("timing-1",))
    assert {s.track for s in timeline.supervisions} == {Track.USER}
    assert timeline.events[0].type is EventType.FOLLOW_UP_QUESTION
    assert timeline.events[0].host is None

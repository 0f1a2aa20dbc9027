"""Timing promises of the design, as properties."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.timing.dev_template import GAP_S, place_dev_template
from pipeline.core.timing.dyad import dyad_law
from pipeline.core.timing.material import gather
from pipeline.core.timing.placement import MIN_HEARD_SHARE, place
from pipeline.core.timing.profile import HESITATION_RANGE_S, INTERRUPTER_DELAY_S, Profile, draw_between
from pipeline.core.timing.timeline import build_timeline
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Speaker, Track
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import EventType
from pipeline.domain.script import Script
from pipeline.domain.timeline import Timeline
from pipeline.io.references import load_reference
from tests.spoken import ALL_SHAPES, RATE, backchannel, bystander, hesitation, interruption, speak

REFERENCE = load_reference("switchboard")
DYADS = dyad_law(REFERENCE)
SHAPES = st.sampled_from(ALL_SHAPES)


def profile_of(dialogue_id: str, root_seed: int, dial: float = 0.0) -> Profile:
    return Profile(
        reference=REFERENCE,
        root_seed=root_seed,
        stream="timing/0",
        dialogue_id=dialogue_id,
        dyad=DYADS.draw(root_seed, "timing/0", dialogue_id),
        dial=dial,
    )


def timeline_of(script: Script, root_seed: int = 0) -> Timeline:
    spoken = speak(script)
    profile = profile_of(script.dialogue_id, root_seed)
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


@given(SHAPES, st.integers(0, 1_000), st.integers(0, 1_000))
def test_dialogues_do_not_depend_on_each_other(shape: Callable[[], Script], seed: int, other: int) -> None:
    script = shape()
    timeline_of(script.model_copy(update={"dialogue_id": f"en-test-{other}"}), seed)
    assert timeline_of(script, seed) == timeline_of(script, seed)


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


@given(st.floats(-9, 9), st.floats(-3, 3), st.floats(0, 3))
def test_a_bounded_draw_stays_in_its_bounds(score: float, lower_s: float, width_s: float) -> None:
    drawn = draw_between(REFERENCE.distribution("fto"), score, lower_s, lower_s + width_s)
    assert lower_s <= drawn <= lower_s + width_s

"""Long dialogues with many events on one clock."""

from functools import cache

from hypothesis import given, reject
from hypothesis import strategies as st

from pipeline.core.timing.calibration import DIAL_RANGE
from pipeline.core.timing.material import anchor_offset
from pipeline.core.timing.placement import MAX_INTERRUPTED_SHARE
from pipeline.core.timing.timeline import build_timeline
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AfterWords
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Timeline
from tests.core.scripting.conversations import made_up_conversation
from tests.core.timing.dialogues import placement_of
from tests.spoken import RATE, speak

NUMBERS = st.integers(0, 150)
DIALS = st.floats(*DIAL_RANGE)


@cache
def spoken(number: int) -> SpokenScript:
    return speak(made_up_conversation(number).script)


def timeline_of(number: int, dial: float = 0.0) -> Timeline:
    one = spoken(number)
    try:
        placement = placement_of(one, dial)
    except RecordError as error:
        if error.reason is not Reason.CANNOT_BE_TIMED:
            raise
        reject()  # how often that happens is a test of its own
    return build_timeline(one, placement, "reference", {}, 0, 0.5, ("timing-1",))


@given(NUMBERS, DIALS)
def test_every_dial_gives_a_timeline_that_keeps_all_invariants(number: int, dial: float) -> None:
    one = spoken(number)
    timeline = timeline_of(number, dial)  # the constructor refuses anything else
    said = {u.utterance_id for u in one.script.utterances} - one.script.unsaid()
    assert {s.supervision_id for s in timeline.supervisions} == said
    assert len(timeline.events) == len(one.script.events)


def test_nearly_every_conversation_can_be_timed() -> None:
    refused = 0
    for number in range(150):
        try:
            placement_of(spoken(number))
        except RecordError:
            refused += 1
    assert refused <= 3


@given(NUMBERS, DIALS)
def test_no_event_starts_before_its_anchor_or_after_its_host_lost_the_floor(number: int, dial: float) -> None:
    timeline = timeline_of(number, dial)
    lost = {e.host: e.yielded_at for e in timeline.events if e.effect.takes_floor}
    for event in timeline.events:
        if not isinstance(event.anchor, AfterWords) or event.host is None:
            continue
        host = timeline.supervision(event.host)
        anchored = host.span.start + anchor_offset(event.anchor, spoken(number).clip(event.host).words, RATE)
        assert event.anchor_at == anchored <= event.onset
        ends = [
            lost[s.supervision_id]
            for s in timeline.supervisions
            if s.turn == host.turn and s.supervision_id in lost
        ]
        assert all(event.onset <= (end or 0) for end in ends)


@given(NUMBERS)
def test_a_host_that_finishes_says_its_sentence_and_no_more(number: int) -> None:
    timeline = timeline_of(number)
    for event in timeline.events:
        if event.effect is FloorEffect.FINISHES and event.host is not None:
            host = timeline.supervision(event.host)
            assert not host.truncated
            assert event.yielded_at == host.span.end > event.onset
            assert host is [s for s in timeline.supervisions if s.turn == host.turn][-1]


@given(NUMBERS)
def test_a_host_that_yields_or_resumes_breaks_off_while_the_other_one_speaks(number: int) -> None:
    timeline = timeline_of(number)
    for event in timeline.events:
        if event.effect.cuts_host and event.host is not None:
            host = timeline.supervision(event.host)
            turn = timeline.supervision(event.supervision_id).turn
            spans = [s.span for s in timeline.supervisions if s.turn == turn]
            length = sum(len(span) for span in spans)
            assert host.span.end - event.onset <= MAX_INTERRUPTED_SHARE * length + RATE * 0.31


@given(NUMBERS, DIALS)
def test_a_backchannel_leaves_its_host_the_floor(number: int, dial: float) -> None:
    timeline = timeline_of(number, dial)
    for event in timeline.events:
        if event.type.is_backchannel and event.host is not None:
            assert not timeline.supervision(event.host).truncated or any(
                other.host == event.host and other.type is not EventType.HESITATION_PAUSE
                for other in timeline.events
                if other.effect.takes_floor
            )

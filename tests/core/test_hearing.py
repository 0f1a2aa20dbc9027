"""Recorded supervisions found again in runs of speech."""

from collections.abc import Callable

import pytest

from pipeline.core.hearing import clip_runs, hear, heard_activity, heard_samples
from pipeline.domain.script import Script
from pipeline.domain.span import Span
from pipeline.domain.timeline import Timeline
from pipeline.io.references import load_reference
from tests.spoken import ALL_SHAPES, RATE, backchannel, bystander, interruption, speak
from tests.timed import time_dialogues

MS = RATE // 1000


def timed(index: int) -> Timeline:
    shapes = (interruption, backchannel, bystander)
    return time_dialogues((speak(shapes[index]()),), load_reference("switchboard"))[0]


def exact(timeline: Timeline) -> tuple[list[Span], list[Span]]:
    """Runs exactly where the record has speech."""
    user = [s.span for s in timeline.supervisions if s.track.channel == 0]
    return user, [s.span for s in timeline.supervisions if s.track.channel == 1]


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_what_sounds_as_recorded_is_heard_as_recorded(shape: Callable[[], Script]) -> None:
    (timeline,) = time_dialogues((speak(shape()),), load_reference("switchboard"))
    for heard in hear(timeline, exact(timeline)):
        assert heard.span == heard.supervision.span


@pytest.mark.parametrize(("early_ms", "late_ms"), [(0, 0), (30, 20), (-40, -10)])
def test_onset_and_end_are_those_of_the_speech(early_ms: int, late_ms: int) -> None:
    timeline = timed(0)
    user, assistant = exact(timeline)
    query = timeline.supervisions[0]
    moved = Span(start=query.span.start - early_ms * MS, end=query.span.end + late_ms * MS)
    heard = hear(timeline, ([moved, *user[1:]], assistant))[0]
    assert (heard.onset, heard.end) == (moved.start, moved.end)


def test_speech_that_silence_separates_from_a_supervision_is_not_its_own() -> None:
    timeline = timed(0)
    user, assistant = exact(timeline)
    stray = Span(start=user[0].end + 200 * MS, end=user[0].end + 300 * MS)
    assert hear(timeline, ([user[0], stray, *user[1:]], assistant))[0].end == user[0].end


def test_a_supervision_without_speech_is_not_audible() -> None:
    timeline = timed(0)
    user, assistant = exact(timeline)
    heard = hear(timeline, (user[1:], assistant))[0]
    assert (heard.audible, heard.onset, heard.end, heard.span) == (False, None, None, None)


def test_under_somebody_else_on_the_same_track_neither_border_can_be_told() -> None:
    timeline = timed(0)
    query = timeline.supervisions[0]
    inside = query.model_copy(
        update={"supervision_id": "aside", "span": Span(start=query.span.start + MS, end=query.span.end - MS)}
    )
    both = timeline.model_copy(update={"supervisions": (query, inside, *timeline.supervisions[1:])})
    outer, inner = hear(both, exact(timeline))[:2]
    assert outer.span == query.span
    assert (inner.audible, inner.onset, inner.end) == (True, None, None)


def test_runs_are_clipped_to_a_stretch() -> None:
    runs = (Span(start=0, end=10), Span(start=20, end=30), Span(start=40, end=50))
    assert clip_runs(runs, 5, 45) == (Span(start=5, end=10), Span(start=20, end=30), Span(start=40, end=45))
    assert clip_runs(runs, 10, 20) == ()
    assert heard_samples(runs, 5, 45) == 20


def test_backchannels_are_named_by_the_record_and_timed_by_the_audio() -> None:
    timeline = timed(1)
    user, assistant = exact(timeline)
    event = timeline.events[0]
    recorded = timeline.supervision(event.supervision_id).span
    sounded = Span(start=recorded.start + 20 * MS, end=recorded.end - 10 * MS)
    activity = heard_activity(timeline, ([sounded if s == recorded else s for s in user], assistant))
    assert activity.backchannels == (((sounded,),), ())
    assert sounded in activity.speakers[0]

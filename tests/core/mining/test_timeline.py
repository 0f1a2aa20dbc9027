from typing import Literal

import pytest
from hypothesis import given, settings

from pipeline.core.mining.activity import talk_of
from pipeline.core.mining.events import find_events
from pipeline.core.mining.limits import SegmentLimits
from pipeline.core.mining.segments import find_segments
from pipeline.core.mining.splits import SplitRule
from pipeline.core.mining.timeline import UNTRANSCRIBED, RecordedTalk
from pipeline.core.turntaking import activity_of, measure
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Language, Recipe, Speaker, Split
from pipeline.domain.mining import MinedType, RecordedActivity, Recording, Rights, Segment
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AfterSeconds, Follows
from pipeline.domain.span import Span
from pipeline.domain.timeline import Timeline
from pipeline.domain.words import TimeSource
from pipeline.stages.script import Config as ScriptConfig
from tests.core.mining.made import RATE, Said, Times, conversations, span, talk

STAGES = ("filter-1",)
LOOSE = SegmentLimits(
    min_len_s=1, target_len_s=6, max_len_s=20, pre_context_s=0.5, post_context_s=0.5, require=tuple(MinedType)
)


def recording(
    language: Language | None = Language.EN, speakers: tuple[str, ...] = (), derivative_allowed: bool = True
) -> Recording:
    return Recording(
        recording_id="rec",
        audio=("rec.wav",),
        speakers=speakers,
        language=language,
        rights=Rights(
            corpus="made",
            licence_id="CC-BY-SA-4.0",
            consent_basis="invented",
            redistribution_allowed=True,
            derivative_allowed=derivative_allowed,
            attribution="Nobody",
        ),
    )


def on(activity: RecordedActivity, channels: tuple[int | None, ...]) -> RecordedActivity:
    """The same talk, each speaker on a channel."""
    speakers = (s.model_copy(update={"channel": c}) for s, c in zip(activity.speakers, channels, strict=True))
    return activity.model_copy(update={"speakers": tuple(speakers)})


def whole(activity: RecordedActivity) -> Segment:
    """The whole recording as one segment."""
    events = tuple(c.event for c in find_events(activity) if c.decision != "reject")
    return Segment(
        segment_id="rec:000000",
        recording_id="rec",
        span=Span(0, activity.num_samples),
        sampling_rate=RATE,
        mode=activity.mode,
        events=events,
        anchors=tuple(event.event_id for event in events),
        boundary_silence_s=(0.0, 0.0),
    )


def placed(activity: RecordedActivity, segment: Segment | None = None) -> Timeline:
    return RecordedTalk.of(recording(), activity).timeline(segment or whole(activity), Split.DEV, STAGES)


def test_talkspurts_become_supervisions_in_turns_and_a_backchannel_interrupts_none() -> None:
    timeline = placed(talk(((0, 5), (5.5, 10)), ((3, 3.5), (9, 14))))
    assert [(s.speaker, s.turn, s.span) for s in timeline.supervisions] == [
        (Speaker.USER, 0, span(0, 5)),
        (Speaker.ASSISTANT, 1, span(3, 3.5)),
        (Speaker.USER, 0, span(5.5, 10)),
        (Speaker.ASSISTANT, 2, span(9, 14)),
    ]
    backchannel, interruption = timeline.events
    assert (backchannel.type, backchannel.effect) == (EventType.BACKCHANNEL, FloorEffect.CONTINUES)
    assert backchannel.anchor == AfterSeconds(host="s0000", seconds=3.0)
    assert (interruption.type, interruption.effect) == (EventType.INTERRUPTION, FloorEffect.YIELDS)
    assert (interruption.host, interruption.yielded_at) == ("s0002", 10_000)


def test_what_a_recording_does_not_tell_stays_unsaid() -> None:
    timeline = placed(talk(((0, 5),), ((3, 8),)))
    assert (timeline.recipe, timeline.scene, timeline.split) == (Recipe.MINED, None, Split.DEV)
    assert {v.gender for v in timeline.voicing} == {None}
    assert {(s.emotion, s.style, s.text) for s in timeline.supervisions} == {(None, None, UNTRANSCRIBED)}
    assert {w.source for s in timeline.supervisions for w in s.words} == {TimeSource.DETECTOR}
    assert timeline.licence.share_alike
    assert timeline.licence.non_commercial
    assert timeline.licence.redistributable
    assert [v.person for v in timeline.voicing] == ["rec/A", "rec/B"]


def test_words_keep_their_times_and_end_where_the_next_begins() -> None:
    said: dict[str, Said] = {"A": (("so", 0, 1.2), ("then", 1, 5.5)), "B": (("no", 3, 8),)}
    timeline = placed(talk(((0, 5),), ((3, 8),), words=said))
    first = timeline.supervisions[0]
    assert first.text == "so then"
    assert [(w.text, w.span) for w in first.words] == [("so", span(0, 1.2)), ("then", span(1.2, 5))]


def test_words_that_may_not_be_copied_leave_the_times_of_speech_alone() -> None:
    said: dict[str, Said] = {"A": (("so", 0, 1.2), ("then", 1, 5)), "B": (("no", 3, 8),)}
    activity = talk(((0, 5),), ((3, 8),), words=said)
    talked = RecordedTalk.of(recording(derivative_allowed=False), activity)
    timeline = talked.timeline(whole(activity), Split.DEV, STAGES)
    assert {s.text for s in timeline.supervisions} == {UNTRANSCRIBED}
    assert [s.span for s in timeline.supervisions] == [span(0, 5), span(3, 8)]


@pytest.mark.parametrize("channels", [(0, 1), (1, 0)])
def test_tracks_are_the_channels_that_the_speakers_are_on(channels: tuple[int, int]) -> None:
    activity = on(talk(((0, 5),), ((3, 8),)), channels)
    assert RecordedTalk.of(recording(), activity).tracks(whole(activity)) == channels


@pytest.mark.parametrize(
    ("spans", "channels", "problem"),
    [
        ((((0, 5),), ((3, 8),)), (0, 0), "share channel 0"),
        ((((0, 5),), ((3, 8),), ((12, 13),)), (0, 1, 1), "share channel 1"),
        ((((0, 5),), ((3, 8),), ((12, 13),)), (0, 1, None), "'C' is known to be on no channel"),
    ],
)
def test_speakers_on_one_channel_have_no_tracks(
    spans: tuple[Times, ...], channels: tuple[int | None, ...], problem: str
) -> None:
    activity = on(talk(*spans), channels)
    with pytest.raises(RecordError, match=problem) as refused:
        RecordedTalk.of(recording(), activity).tracks(whole(activity))
    assert refused.value.reason is Reason.ONE_CHANNEL


def test_a_third_speaker_may_share_the_users_microphone() -> None:
    activity = on(talk(((0, 5),), ((3, 8),), ((12, 13),)), (0, 1, 0))
    assert RecordedTalk.of(recording(), activity).tracks(whole(activity)) == (0, 1)


@pytest.mark.parametrize(
    ("by", "persons"), [("speaker", ["made/ann", "made/bob"]), ("conversation", ["rec/ann", "rec/bob"])]
)
def test_declared_names_are_people_of_the_corpus_unless_they_are_roles(
    by: Literal["speaker", "conversation"], persons: list[str]
) -> None:
    activity = talk(((0, 5),), ((3, 8),))
    named = (
        s.model_copy(update={"speaker": n}) for s, n in zip(activity.speakers, ("ann", "bob"), strict=True)
    )
    activity = activity.model_copy(update={"speakers": tuple(named)})
    talked = RecordedTalk.of(recording(speakers=("ann", "bob")), activity, rule=SplitRule(by=by))
    timeline = talked.timeline(whole(activity), Split.DEV, STAGES)
    assert [v.person for v in timeline.voicing] == persons


def test_a_failed_bid_is_an_interruption_that_leaves_the_floor() -> None:
    (event,) = placed(talk(((0, 10),), ((3, 5),))).events
    assert (event.type, event.effect, event.yielded_at) == (
        EventType.INTERRUPTION,
        FloorEffect.CONTINUES,
        None,
    )


@pytest.mark.parametrize(("then", "host"), [((6, 9), "s0000"), ((50, 51), "s0000")])
def test_a_backchannel_between_two_talkspurts_of_a_turn_is_inside_it(
    then: tuple[float, float], host: str
) -> None:
    (event,) = [e for e in placed(talk(((0, 5), then), ((5.2, 5.6),))).events if e.type.is_backchannel]
    assert event.host == host


def test_a_backchannel_after_the_last_word_of_a_turn_is_in_nobodys() -> None:
    (event,) = placed(talk(((0, 5),), ((5.2, 5.6), (6.2, 9)))).events
    assert (event.host, event.anchor) == (None, Follows())


def test_a_third_speaker_is_heard_on_the_users_track_and_a_fourth_has_no_place() -> None:
    three = placed(talk(((0, 5),), ((3, 8),), ((12, 13),)))
    assert three.supervisions[-1].speaker is Speaker.THIRD_PARTY
    with pytest.raises(RecordError, match="4 speakers") as refused:
        placed(talk(((0, 5),), ((3, 8),), ((12, 13),), ((14, 15),)))
    assert refused.value.reason is Reason.TOO_MANY_SPEAKERS


def test_a_recording_without_a_language_is_refused() -> None:
    with pytest.raises(RecordError, match="no language"):
        RecordedTalk.of(recording(language=None), talk(((0, 5),)))


def test_a_segment_that_cuts_somebody_off_is_refused() -> None:
    activity = talk(((0, 5),), ((3, 8),))
    segment = whole(activity).model_copy(update={"span": Span(0, 7000)})
    with pytest.raises(RecordError, match="across a border"):
        placed(activity, segment)


@settings(max_examples=40)
@given(conversations())
def test_the_timeline_speaks_when_the_recording_does(activity: RecordedActivity) -> None:
    cleaned = talk_of(activity, 0.2, 0.1)
    talked = RecordedTalk.of(recording(), activity)
    for segment in find_segments(activity, find_events(activity), LOOSE).segments:
        timeline = talked.timeline(segment, Split.TRAIN, STAGES)
        described = activity_of(timeline)
        for index, spans in enumerate(described.speakers):
            inside = [
                Span(start, end)
                for start, end in zip(cleaned.starts[index], cleaned.ends[index], strict=True)
                if segment.span.start <= start < segment.span.end
            ]
            assert [one.shift(segment.span.start) for one in spans] == inside
        wanted = sum(e.type in (MinedType.BACKCHANNEL, MinedType.GAP_BACKCHANNEL) for e in segment.events)
        assert sum(len(units) for units in described.backchannels or ()) == wanted
        assert measure(described).total_s > 0
        assert Timeline.from_line(timeline.to_line()) == timeline


def test_recorded_talk_is_found_and_never_written() -> None:
    with pytest.raises(ValueError, match="nobody writes it"):
        ScriptConfig(recipe=Recipe.MINED)

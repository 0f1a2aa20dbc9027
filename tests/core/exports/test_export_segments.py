from dataclasses import replace

import pytest

from pipeline.core.exports.segments import clamp_overlaps, segments_of, spans_of, words_of_segments
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.scene import Scene
from pipeline.domain.span import Span
from tests.core.exports.build import ASSISTANT, PLANS, THIRD, USER, Say, make_timeline, scene_timeline


def test_a_turn_of_two_sentences_is_one_segment() -> None:
    answer = segments_of(scene_timeline(Scene.FOLLOW_UP_QUESTION))[1]
    assert answer.text == "Poplars grow fast. They like wet soil and"
    assert answer.span == Span(start=64_800, end=159_601)
    assert [len(span) for span in spans_of([answer])] == [36_000, 51_601]


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        (Language.EN, "Please remind me to [break] water the tomatoes."),
        (Language.ZH, "请提醒我[break]浇番茄。"),
    ],
)
def test_a_hesitation_is_marked_inside_its_segment(language: Language, wanted: str) -> None:
    query, _ = segments_of(scene_timeline(Scene.PAUSE_HANDLING, language=language))
    assert query.text == wanted
    assert query.span == Span(start=7_200, end=96_000)


def test_the_host_of_a_backchannel_ends_where_it_begins() -> None:
    timeline = scene_timeline(Scene.USER_BACKCHANNEL)
    segments, clamped = clamp_overlaps("d", segments_of(timeline))
    assert [s.speaker for s in segments] == [USER, ASSISTANT, USER]
    assert segments[1].span.end == segments[2].span.start == 129_600
    assert [(c.turn, c.speaker, c.samples) for c in clamped] == [(1, ASSISTANT, round(1.7 * 24_000))]


def test_turns_without_overlap_are_left_as_they_are() -> None:
    segments = segments_of(scene_timeline(Scene.PAUSE_HANDLING))
    assert clamp_overlaps("d", segments) == (segments, ())


def test_two_turns_with_one_onset_are_refused() -> None:
    says = (Say(0, USER, 1.0, 2.0, "A b", "一"), Say(1, ASSISTANT, 1.0, 3.0, "C d", "二"))
    segments = segments_of(make_timeline(says, Scene.PAUSE_HANDLING, with_event=False))
    with pytest.raises(RecordError, match="d-9: two turns begin at sample 24000"):
        clamp_overlaps("d-9", segments)


def test_a_turn_by_two_speakers_is_refused() -> None:
    says = (Say(0, USER, 1.0, 2.0, "A b", "一"), Say(0, THIRD, 2.5, 3.0, "C d", "二"))
    with pytest.raises(RecordError, match="turn 0 is by third_party, user; wanted one speaker"):
        segments_of(make_timeline(says, Scene.PAUSE_HANDLING, with_event=False))


def test_words_of_voices_that_overlap_are_in_order_of_time() -> None:
    says = (
        Say(0, USER, 1.0, 3.0, "a b c d", "一"),
        Say(1, THIRD, 1.2, 2.8, "e f", "二"),
    )
    segments = segments_of(make_timeline(says, Scene.THIRD_PARTY_AFTER, with_event=False))
    words = words_of_segments(segments)
    assert "".join(word.text for word in words) == "aebcfd"


def test_a_word_of_which_nothing_is_heard_is_no_word() -> None:
    (segment, *_) = segments_of(make_timeline(PLANS[Scene.PAUSE_HANDLING], Scene.PAUSE_HANDLING))
    silent = replace(segment.supervisions[0].words[-1], text="", cut=True)
    heard = segment.supervisions[0].words[:-1]
    host = segment.supervisions[0].model_copy(update={"words": (*heard, silent)})
    only = type(segment)(segment.turn, segment.speaker, segment.span, segment.text, (host,))
    assert words_of_segments([only]) == heard

import pytest
from hypothesis import given

from pipeline.core.mining.detection_eval import activity_of_recording, pool_detection, score_detection
from pipeline.core.mining.scoring import Score, total
from pipeline.core.turntaking import Activity, talk_times
from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import RecordedActivity
from pipeline.domain.span import Span
from tests.core.mining.made import RATE, Times, conversations, span


def activity(*speakers: Times) -> Activity:
    return Activity(tuple(tuple(span(*times) for times in spurts) for spurts in speakers), RATE)


WHOLE = (span(0, 20),)


def test_hits_misses_and_false_alarms_are_counted_instant_by_instant() -> None:
    # overlap: reference 3-5 and 8-8.1, hypothesis 4-6
    reference = activity(((0, 5), (7, 10)), ((3, 6), (8, 8.1)))
    hypothesis = activity(((0, 6),), ((4, 7),))
    scores = score_detection(reference, hypothesis, WHOLE)
    assert scores.speech == Score.of(hits=6, misses=3, false_alarms=1)
    assert scores.overlap == Score.of(hits=1, misses=1.1, false_alarms=1)
    assert scores.overlap.precision == 0.5
    assert scores.overlap.recall == pytest.approx(1 / 2.1)
    assert scores.overlap.f1 == pytest.approx(2 / 4.1)


def test_recall_is_told_by_the_length_of_the_reference_overlap() -> None:
    # 0.199, 0.2, 0.5 and 1.5 s long; the last is found by half
    starts = ((1, 1.199), (3, 3.2), (5, 5.5), (7, 8.5))
    scores = score_detection(
        activity(((0, 20),), starts), activity(((0, 20),), (*starts[:2], (7, 7.75))), WHOLE
    )
    rows = [(row.low_s, row.high_s, row.overlaps, row.recall) for row in scores.overlap_recall]
    assert rows == [
        (None, 0.2, 1, 1.0),
        (0.2, 0.5, 1, 1.0),
        (0.5, 1.0, 1, 0.0),
        (1.0, None, 1, 0.5),
    ]


def test_only_the_regions_are_scored_and_outside_the_reference_too() -> None:
    reference, hypothesis = activity(((0, 5),)), activity(((0, 5), (10, 12)))
    assert score_detection(reference, hypothesis, (span(0, 5),)).speech.false_alarms == 0
    assert score_detection(reference, hypothesis, WHOLE).speech.false_alarms == 2
    assert score_detection(reference, hypothesis, (span(1, 2), span(11, 20))).speech == Score.of(1, 0, 1)


def test_three_at_once_are_one_overlap() -> None:
    three = activity(((0, 4),), ((1, 3),), ((2, 5),))
    assert score_detection(three, three, WHOLE).overlap.hits == 3


@given(conversations(speakers=3))
def test_a_reference_scored_against_itself_is_perfect(recorded: RecordedActivity) -> None:
    itself = activity_of_recording(recorded)
    scores = score_detection(itself, itself, (Span(0, recorded.num_samples),))
    times = talk_times(itself.speakers)
    assert scores.speech == Score.of(times.any_speech / RATE, 0, 0)
    assert scores.overlap == Score.of(times.overlap / RATE, 0, 0)
    assert sum(row.found_s for row in scores.overlap_recall) == pytest.approx(times.overlap / RATE)


def test_recordings_are_pooled_by_time() -> None:
    long = score_detection(activity(((0, 9),)), activity(((0, 9),)), WHOLE)
    short = score_detection(activity(((0, 1),)), activity(()), WHOLE)
    pooled = pool_detection((long, short))
    assert pooled.speech.recall == 0.9
    assert total((long.speech, short.speech)) == pooled.speech
    assert pooled.overlap.f1 is None


def test_nothing_to_score_in_is_an_error() -> None:
    with pytest.raises(ConfigError, match="wanted a UEM"):
        score_detection(activity(()), activity(()), ())
    with pytest.raises(ConfigError, match="1000 Hz, hypothesis at 8000 Hz"):
        score_detection(activity(()), Activity(((),), 8000), WHOLE)
    with pytest.raises(ConfigError, match="no recording"):
        pool_detection(())


def test_a_share_of_nothing_is_none() -> None:
    nothing = Score.of(0, 0, 0)
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    missed = Score.of(0, 2, 0)
    assert (missed.precision, missed.recall, missed.f1) == (None, 0.0, 0.0)

import pytest
from hypothesis import given

from pipeline.core.mining.detection_eval import activity_of_recording
from pipeline.core.mining.diarization_eval import DiarizationScore, pool_diarization, score_diarization
from pipeline.core.turntaking import Activity
from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import RecordedActivity
from pipeline.domain.span import Span
from tests.core.mining.made import RATE, Times, conversations, span

WHOLE = (span(0, 20),)


def activity(*speakers: Times) -> Activity:
    return Activity(tuple(tuple(span(*times) for times in spurts) for spurts in speakers), RATE)


def parts(score: DiarizationScore) -> tuple[float, float, float]:
    return score.missed_s, score.false_alarm_s, score.confused_s


@pytest.mark.parametrize(
    ("reference", "hypothesis", "wanted", "der", "jer"),
    [
        ((((0, 6),), ((6, 10),)), (((6, 10),), ((0, 6),)), (0, 0, 0), 0.0, 0.0),  # names mean nothing
        ((((0, 6),), ((6, 10),)), (((0, 10),),), (0, 0, 4), 0.4, (0.4 + 1) / 2),
        ((((0, 6),), ((4, 10),)), (((0, 6),), ((6, 10),)), (2, 0, 0), 2 / 12, (0 + 2 / 6) / 2),
        ((((0, 6),),), (((0, 6),), ((2, 4),)), (0, 2, 0), 2 / 6, 0.0),
        ((((0, 6),),), (((0, 2),), ((2, 6),)), (0, 0, 2), 2 / 6, 2 / 6),  # one talker split in two
        ((((0, 6),),), (), (6, 0, 0), 1.0, 1.0),
        ((), (((0, 6),),), (0, 6, 0), None, None),
        ((), (), (0, 0, 0), None, None),
    ],
)
def test_errors_by_hand(
    reference: tuple[Times, ...],
    hypothesis: tuple[Times, ...],
    wanted: tuple[float, float, float],
    der: float | None,
    jer: float | None,
) -> None:
    score = score_diarization(activity(*reference), activity(*hypothesis), WHOLE)
    assert parts(score) == pytest.approx(wanted)
    assert score.der == (None if der is None else pytest.approx(der))
    assert score.jer == (None if jer is None else pytest.approx(jer))


def test_recordings_are_pooled_by_time_and_by_speaker() -> None:
    perfect = score_diarization(activity(((0, 9),)), activity(((0, 9),)), WHOLE)
    missed = score_diarization(activity(((0, 1),)), activity(), WHOLE)
    pooled = pool_diarization((perfect, missed))
    assert pooled.der == pytest.approx(0.1)
    assert pooled.jer == 0.5
    assert pooled.cder == 0.5


@pytest.mark.parametrize(
    ("reference", "hypothesis", "utterances", "errors"),
    [
        # A's pause is inside one utterance; B's word is worth as much as A's speech
        ((((0, 3), (4, 8)), ((9, 9.4),)), (((0, 3), (4, 8)), ((9, 9.4),)), 2, 0),
        ((((0, 3), (4, 8)), ((9, 9.4),)), (((0, 8),),), 2, 1),
        # half of A's time is still A's utterance, less is not
        ((((0, 8),),), (((0, 4),),), 1, 0),
        ((((0, 8),),), (((0, 3.9),),), 1, 1 + 1),
        # B between them makes two utterances of A's; unheard, A's are one, and like neither
        ((((0, 3), (4, 7)), ((3.3, 3.7),)), (((0, 3), (4, 7)),), 3, 3 + 1),
        # words and the talkspurt that they make are one utterance, with B over it or without
        ((((0, 1), (1.1, 2), (2.2, 6)), ((1, 2),)), (((0, 6),), ((1, 2),)), 2, 0),
        # nobody speaks like the second one that was found
        ((((0, 3),),), (((0, 3),), ((10, 11), (12, 13))), 1, 1),
        ((((0, 3),), ((4, 5),)), (), 2, 2),
        ((), (((0, 3),),), 0, 1),
    ],
)
def test_utterances_count_alike_whatever_their_length(
    reference: tuple[Times, ...], hypothesis: tuple[Times, ...], utterances: int, errors: int
) -> None:
    score = score_diarization(activity(*reference), activity(*hypothesis), WHOLE)
    assert (score.utterances, score.utterance_errors) == (utterances, errors)
    assert score.cder == (errors / utterances if utterances else None)


@given(conversations(speakers=3))
def test_a_reference_scored_against_itself_has_no_error(recorded: RecordedActivity) -> None:
    itself = activity_of_recording(recorded)
    turned = Activity(itself.speakers[::-1], RATE)
    score = score_diarization(itself, turned, (Span(0, recorded.num_samples),))
    assert parts(score) == pytest.approx((0, 0, 0), abs=1e-9)
    assert score.jer == (pytest.approx(0, abs=1e-9) if any(itself.speakers) else None)
    assert score.cder == (0 if any(itself.speakers) else None)


def test_regions_have_to_be_given() -> None:
    with pytest.raises(ConfigError, match="wanted a UEM"):
        score_diarization(activity(), activity(), ())

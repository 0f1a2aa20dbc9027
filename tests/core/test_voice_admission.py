"""Which recordings a voice may be cloned from, and what is said to the others."""

import pytest

from pipeline.core.voice_admission import (
    REFERENCE,
    SHORT_REFERENCE,
    RecordingLimits,
    doubts,
    file_problems,
    recording_problems,
    transcript_problems,
)
from pipeline.core.voice_measures import VoiceMeasures
from pipeline.domain.labels import Gender, Language
from tests.voiced import SHORT_TEXT, TEXT

GOOD = VoiceMeasures(
    duration_s=5.0,
    sampling_rate=24_000,
    spoken_s=4.8,
    lead_s=0.1,
    tail_s=0.1,
    level_dbfs=-25.0,
    noise_dbfs=-60.0,
    snr_db=35.0,
    clipped_share=0.0,
    bandwidth_hz=11_000.0,
    median_f0_hz=200.0,
)


def figures(limits: RecordingLimits, **changes: float | None) -> list[str]:
    return [problem.figure for problem in recording_problems(GOOD.model_copy(update=changes), limits)]


@pytest.mark.parametrize(
    ("changes", "limits", "figure"),
    [
        ({"duration_s": 2.99}, REFERENCE, "duration"),
        ({"duration_s": 30.01}, REFERENCE, "duration"),
        ({"duration_s": 1.99}, SHORT_REFERENCE, "duration"),
        ({"duration_s": 4.01}, SHORT_REFERENCE, "duration"),
        ({"sampling_rate": 15_999}, REFERENCE, "sampling rate"),
        ({"sampling_rate": 8000, "bandwidth_hz": 4000.0}, REFERENCE, "sampling rate"),
        ({"bandwidth_hz": 3800.0}, REFERENCE, "bandwidth"),
        ({"level_dbfs": -40.1}, REFERENCE, "level"),
        ({"snr_db": 17.9}, REFERENCE, "noise"),
        ({"clipped_share": 0.001}, REFERENCE, "clipping"),
        ({"lead_s": 1.01}, REFERENCE, "silence before"),
        ({"tail_s": 1.01}, REFERENCE, "silence after"),
        ({"median_f0_hz": None}, REFERENCE, "voice"),
        ({"level_dbfs": None, "snr_db": None, "median_f0_hz": None}, REFERENCE, "speech"),
    ],
)
def test_one_figure_out_of_bounds_is_one_problem(
    changes: dict[str, float | None], limits: RecordingLimits, figure: str
) -> None:
    assert figures(limits, **changes) == [figure]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"duration_s": 3.0},
        {"duration_s": 30.0},
        {"sampling_rate": 16_000, "bandwidth_hz": 7900.0},
        {"snr_db": 18.0},
        {"snr_db": None, "noise_dbfs": None},
        {"level_dbfs": -40.0},
        {"lead_s": 1.0, "tail_s": 1.0},
    ],
)
def test_figures_at_the_bounds_pass(changes: dict[str, float | None]) -> None:
    assert figures(REFERENCE, **changes) == []


def test_every_bad_figure_is_told_with_what_was_wanted_and_a_remedy() -> None:
    bad = GOOD.model_copy(update={"duration_s": 1.0, "snr_db": 5.0, "clipped_share": 0.2, "tail_s": 2.0})
    told = [str(problem) for problem in recording_problems(bad, REFERENCE)]
    assert [line.partition(":")[0] for line in told] == ["duration", "silence after", "noise", "clipping"]
    assert all("; wanted " in line and "; remedy: " in line for line in told)


@pytest.mark.parametrize(
    ("encoding", "channels", "problems"),
    [
        ("WAV PCM_16", 1, []),
        ("WAV PCM_24", 1, []),
        ("WAVEX PCM_32", 1, []),
        ("WAV FLOAT", 1, []),
        ("WAV DOUBLE", 1, ["encoding"]),
        ("WAV ULAW", 1, ["encoding"]),
        ("FLAC PCM_16", 1, ["encoding"]),
        ("MP3 MPEG_LAYER_III", 1, ["encoding"]),
        ("WAV PCM_16", 2, ["channels"]),
        ("OGG VORBIS", 2, ["encoding", "channels"]),
    ],
)
def test_files_are_mono_wav(encoding: str, channels: int, problems: list[str]) -> None:
    assert [problem.figure for problem in file_problems(encoding, channels)] == problems


@pytest.mark.parametrize(
    ("transcript", "language", "spoken_s"),
    [
        (TEXT, Language.EN, 4.8),
        (TEXT.upper(), Language.EN, 4.8),
        ("It’s the dog’s – isn’t it, well-known for that?", Language.EN, 4.0),
        ("她让我把钥匙带来，可是我把它们忘在厨房的桌子上了。", Language.ZH, 4.8),
        ("她让我把 keys 带来，我忘了。", Language.ZH, 3.0),
    ],
)
def test_what_is_said_word_for_word_passes(transcript: str, language: Language, spoken_s: float) -> None:
    measures = GOOD.model_copy(update={"spoken_s": spoken_s})
    assert transcript_problems(measures, transcript, language, REFERENCE) == ()


@pytest.mark.parametrize(
    ("transcript", "language", "limits", "got"),
    [
        ("", Language.EN, REFERENCE, "no word"),
        ("...!", Language.EN, REFERENCE, "no word"),
        ("We have 12 of them in the kitchen today.", Language.EN, REFERENCE, "We have 12"),
        ("It costs $5 at the station in the town.", Language.EN, REFERENCE, "It costs $5"),
        ("今天有12个人来了，他们都很高兴。", Language.ZH, REFERENCE, "今天有12"),
        ("今天天气很好，我们去河边走一走。", Language.EN, REFERENCE, "wanted en words"),
        (TEXT, Language.ZH, REFERENCE, "no Chinese character"),
        ("Yes.", Language.EN, REFERENCE, "1 words for 4.80 s"),
        (f"{TEXT} " * 4, Language.EN, REFERENCE, "56 words for 4.80 s"),
        ("Yes, that is really, really very wonderful.", Language.EN, SHORT_REFERENCE, "7 words"),
        ("好的，没有什么问题，我们一会儿再说。", Language.ZH, SHORT_REFERENCE, "15 words"),
    ],
)
def test_a_transcript_that_cannot_be_what_is_said_is_refused(
    transcript: str, language: Language, limits: RecordingLimits, got: str
) -> None:
    problems = transcript_problems(GOOD, transcript, language, limits)
    assert any(got in problem.got and problem.figure == "transcript" for problem in problems), problems


def test_a_transcript_longer_than_the_worker_takes_is_refused() -> None:
    long = GOOD.model_copy(update={"spoken_s": 29.0})
    (problem,) = transcript_problems(long, f"{TEXT} " * 5, Language.EN, REFERENCE)
    assert problem.wanted == "300 or less"


@pytest.mark.parametrize(("text", "spoken_s"), [(SHORT_TEXT, 2.1), ("嗯，是的，没有问题。", 2.2)])
def test_a_short_reference_of_few_words_passes(text: str, spoken_s: float) -> None:
    measures = GOOD.model_copy(update={"duration_s": 2.4, "spoken_s": spoken_s})
    language = Language.EN if text is SHORT_TEXT else Language.ZH
    assert recording_problems(measures, SHORT_REFERENCE) == ()
    assert transcript_problems(measures, text, language, SHORT_REFERENCE) == ()


@pytest.mark.parametrize(
    ("f0_hz", "gender", "doubted"),
    [
        (210.0, Gender.FEMALE, False),
        (120.0, Gender.MALE, False),
        (165.0, Gender.FEMALE, False),
        (165.0, Gender.MALE, False),
        (110.0, Gender.FEMALE, True),
        (230.0, Gender.MALE, True),
        (None, Gender.MALE, False),
    ],
)
def test_a_rare_pitch_is_a_doubt_and_no_problem(f0_hz: float | None, gender: Gender, doubted: bool) -> None:
    measures = GOOD.model_copy(update={"median_f0_hz": f0_hz or 200.0})
    assert bool(doubts(GOOD.model_copy(update={"median_f0_hz": f0_hz}), gender)) == doubted
    assert recording_problems(measures, REFERENCE) == ()

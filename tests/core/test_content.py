import pytest

from pipeline.core.content import ContentLimits, check_content, error_rate, is_judged
from pipeline.domain.errors import BadTakeError
from pipeline.domain.labels import Language
from pipeline.domain.takes import Flaw, Kind

EN, ZH = Language.EN, Language.ZH


@pytest.mark.parametrize(
    ("language", "text", "heard", "rate"),
    [
        (EN, "It leaves at nine thirty.", "it leaves at 9:30", 0.0),
        (EN, "It leaves at nine.", "It leaves at", 0.25),
        (EN, "It leaves at nine.", "", 1.0),
        (EN, "It leaves at nine.", "You are a helpful assistant. It leaves at nine.", 1.25),
        (ZH, "我们明天九点见。", "我们明天9点见", 0.0),
        (ZH, "我们明天九点见。", "我们今天九点见。", 1 / 7),
    ],
)
def test_the_error_rate_counts_what_differs_when_spoken(
    language: Language, text: str, heard: str, rate: float
) -> None:
    assert error_rate(text, heard, language) == pytest.approx(rate)


def test_an_instruction_that_is_read_aloud_is_no_good_take() -> None:
    heard = "You are a helpful assistant. It leaves at nine."
    with pytest.raises(BadTakeError, match="helpful assistant") as caught:
        check_content("It leaves at nine.", heard, EN, ContentLimits())
    assert caught.value.flaw is Flaw.WRONG_WORDS
    assert check_content("It leaves at nine.", "it leaves at 9", EN, ContentLimits()) == 0.0


@pytest.mark.parametrize(
    ("text", "kind", "judged"),
    [
        ("嗯。", Kind.TURN, False),
        ("Right, of course it is.", Kind.BACKCHANNEL, False),
        ("It leaves at nine.", Kind.TURN, True),
        ("No, at nine.", Kind.INTERRUPTION, True),
    ],
)
def test_interjections_are_not_judged_by_a_transcript(text: str, kind: Kind, judged: bool) -> None:
    assert is_judged(text, kind, ContentLimits()) is judged

import pytest

from pipeline.core.scripting.anchors import Place, locate, split_sentences
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason

TURN = ("Take the green line.", "Then change at the market, and walk.", "再坐两站，就到了。")


@pytest.mark.parametrize(
    ("quote", "place"),
    [
        ("Then change at the market,", Place(sentence=1, words=5, char=25)),
        ("  then CHANGE at the market ", Place(sentence=1, words=5, char=25)),
        ("“the green”", Place(sentence=0, words=3, char=14)),
        ("再坐两站", Place(sentence=2, words=4, char=4)),
        ("and walk.", Place(sentence=1, words=7, char=35)),
    ],
)
def test_a_quote_is_found_whatever_its_case_and_quotation_marks(quote: str, place: Place) -> None:
    assert locate(quote, TURN) == place


@pytest.mark.parametrize("quote", ["the red line", "the", "", "line Then", "market walk"])
def test_a_quote_that_is_absent_ambiguous_or_runs_over_a_sentence_end_has_a_reason_code(quote: str) -> None:
    with pytest.raises(RecordError) as caught:
        locate(quote, TURN)
    assert caught.value.reason is Reason.QUOTE_NOT_FOUND


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Wait. Which one?", ("Wait.", "Which one?")),
        ("妈，晚饭好了吗？我饿了。", ("妈，晚饭好了吗？", "我饿了。")),
        ("No ending here", ("No ending here",)),
        ("Really?! Yes...", ("Really?!", "Yes...")),
        ("...", ()),
    ],
)
def test_sentences_keep_their_marks(text: str, sentences: tuple[str, ...]) -> None:
    assert split_sentences(text) == sentences

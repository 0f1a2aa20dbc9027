import pytest

from pipeline.core.scripting.language import check_language
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (Language.EN, ["Where is the café?", "Over there."]),
        (Language.EN, ["Say 你好 when you come in, that is all."]),
        (Language.ZH, ["把手机连上 Wi-Fi 就行。"]),
        (Language.ZH, ["用 Python 写。"]),
        (Language.EN, []),
        (Language.ZH, ["……"]),
    ],
)
def test_a_text_in_its_language_passes_with_a_foreign_name_in_it(
    language: Language, texts: list[str]
) -> None:
    check_language(texts, language)


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (Language.EN, ["末班船晚上九点开。"]),
        (Language.ZH, ["The last ferry leaves at nine."]),
        (Language.EN, ["Последний паром уходит в девять."]),
        (Language.ZH, ["好的。", "The last ferry leaves at nine in the evening."]),
        (Language.ZH, ["さようなら"]),
    ],
)
def test_a_text_in_another_language_is_refused(language: Language, texts: list[str]) -> None:
    with pytest.raises(RecordError, match="wanted 50% or more") as refused:
        check_language(texts, language)
    assert refused.value.reason is Reason.WRONG_LANGUAGE

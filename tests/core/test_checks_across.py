"""What dialogues share that they should not is found across a dataset."""

import pytest

from pipeline.core.checks import Code, check_dataset
from pipeline.domain.labels import Split
from tests.core.sounding import dialogue, other

ACROSS = {
    Code.DUPLICATE_DIALOGUE_ID: (other("d1"), "same id as an earlier dialogue, 'd1'"),
    Code.DUPLICATE_AUDIO: (
        other().model_copy(update={"audio": dialogue().audio}),
        "same audio as an earlier dialogue, 'd1'",
    ),
    Code.DUPLICATE_TEXT: (dialogue("d2", seed="s2"), "same text as an earlier dialogue, 'd1'"),
    Code.VOICE_IN_TWO_SPLITS: (
        other(split=Split.TEST, person="ann-assistant"),
        "'ann-assistant' is in train ('d1') and in test; wanted one split",
    ),
    Code.SEED_IN_TWO_SPLITS: (
        other(split=Split.TEST, person="bob", seed="s1"),
        "'s1' is in train ('d1') and in test; wanted one split",
    ),
}


@pytest.mark.parametrize("code", ACROSS)
def test_a_fault_across_dialogues_is_found_once(code: Code) -> None:
    second, words = ACROSS[code]
    findings = check_dataset([dialogue(), second])
    assert [finding.code for finding in findings] == [code]
    assert words in findings[0].detail


def test_a_sound_dataset_has_no_findings_and_is_read_once() -> None:
    assert check_dataset(iter([dialogue(), other(split=Split.TEST, person="bob")])) == ()


def test_a_person_in_two_splits_is_reported_once_however_often_it_speaks() -> None:
    more = [other(f"d{n}", Split.DEV, "ann", f"s{n}") for n in range(2, 6)]
    findings = check_dataset([dialogue(), *more])
    assert [(f.code, f.dialogue_id) for f in findings] == [(Code.VOICE_IN_TWO_SPLITS, "d2")] * 2

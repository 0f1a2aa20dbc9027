"""What dialogues share that they should not is found across a dataset."""

import pytest

from pipeline.core.checks import Code, check_dataset
from pipeline.domain.labels import Split
from pipeline.domain.timeline import Dialogue
from tests.core.sounding import changed, dialogue, other

FERRY = (
    "the last ferry to the island leaves at nine in the evening from the old pier, and on sundays it does not go "
    "at all, so take the early one or stay until monday with whoever lets rooms there"
)


def answering(record: Dialogue, words: str) -> Dialogue:
    """The same dialogue with another answer."""
    return record.model_copy(update={"timeline": changed(record, "answer", text=words).timeline})


ACROSS = {
    Code.DUPLICATE_DIALOGUE_ID: (dialogue(), other("d1"), "same id as an earlier dialogue, 'd1'"),
    Code.DUPLICATE_AUDIO: (
        dialogue(),
        other().model_copy(update={"audio": dialogue().audio}),
        "same audio as an earlier dialogue, 'd1'",
    ),
    Code.DUPLICATE_TEXT: (dialogue(), dialogue("d2", seed="s2"), "same text as an earlier dialogue, 'd1'"),
    Code.NEAR_DUPLICATE_DIALOGUES: (
        answering(dialogue(), FERRY),
        answering(dialogue("d2", seed="s2"), FERRY.replace("monday", "tuesday")),
        "says 87% of what an earlier dialogue says, 'd1'; wanted less than 70%",
    ),
    Code.VOICE_IN_TWO_SPLITS: (
        dialogue(),
        other(split=Split.TEST, person="ann-assistant"),
        "'ann-assistant' is in train ('d1') and in test; wanted one split",
    ),
    Code.SEED_IN_TWO_SPLITS: (
        dialogue(),
        other(split=Split.TEST, person="bob", seed="s1"),
        "'s1' is in train ('d1') and in test; wanted one split",
    ),
}


@pytest.mark.parametrize("code", ACROSS)
def test_a_fault_across_dialogues_is_found_once(code: Code) -> None:
    first, second, words = ACROSS[code]
    findings = check_dataset([first, second])
    assert [finding.code for finding in findings] == [code]
    assert words in findings[0].detail


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(FERRY.split(",")[0], FERRY.split(",")[0] + " tonight", id="too short to tell"),
        pytest.param(FERRY, " ".join(reversed(FERRY.split())), id="the same words in another order"),
        pytest.param(FERRY, FERRY[: len(FERRY) // 2], id="half of it"),
    ],
)
def test_dialogues_that_share_less_than_most_are_apart(first: str, second: str) -> None:
    assert check_dataset([answering(dialogue(), first), answering(dialogue("d2", seed="s2"), second)]) == ()


def test_a_sound_dataset_has_no_findings_and_is_read_once() -> None:
    assert check_dataset(iter([dialogue(), other(split=Split.TEST, person="bob")])) == ()


def test_a_person_in_two_splits_is_reported_once_however_often_it_speaks() -> None:
    more = [other(f"d{n}", Split.DEV, "ann", f"s{n}") for n in range(2, 6)]
    findings = check_dataset([dialogue(), *more])
    assert [(f.code, f.dialogue_id) for f in findings] == [(Code.VOICE_IN_TWO_SPLITS, "d2")] * 2

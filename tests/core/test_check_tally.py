"""Sums over dialogues, and what only they show."""

from array import array

import pytest

from pipeline.core.checks import Code, DialogueCheck, EdgeErrors, Finding, Limits, Tally
from pipeline.core.turntaking import TalkTimes

RATE = 1000


def check(
    onset_s: float = 0.0,
    end_s: float = 0.0,
    recorded: tuple[int, int] = (50, 1000),
    heard: tuple[int, int] = (50, 1000),
) -> DialogueCheck:
    return DialogueCheck(
        findings=(),
        onset_errors_s=(onset_s,),
        end_errors_s=(end_s,),
        recorded=TalkTimes(total=2000, any_speech=recorded[1], overlap=recorded[0], three_or_more=0),
        heard=TalkTimes(total=2000, any_speech=heard[1], overlap=heard[0], three_or_more=0),
    )


def tally(*checks: DialogueCheck) -> Tally:
    result = Tally(limits=Limits(), detector="test-1")
    for one in checks:
        result.add(one, RATE, 2 * RATE)
    return result


def test_a_precise_dataset_has_no_findings() -> None:
    assert list(tally(*(check(0.039, -0.039) for _ in range(20))).dataset_findings()) == []


@pytest.mark.parametrize(("onset_s", "end_s", "what"), [(0.041, 0.0, "onsets"), (0.0, -0.041, "ends")])
def test_edges_that_are_off_in_more_than_five_of_a_hundred_are_found(
    onset_s: float, end_s: float, what: str
) -> None:
    few = [check()] * 97 + [check(onset_s, end_s)] * 3
    many = [check()] * 90 + [check(onset_s, end_s)] * 10
    assert list(tally(*few).dataset_findings()) == []
    (found,) = tally(*many).dataset_findings()
    assert (found.code, found.dialogue_id) == (Code.EDGES_IMPRECISE, None)
    assert f"100 {what} are heard within 41 ms" in found.detail


@pytest.mark.parametrize(("overlap", "found"), [(50, False), (59, False), (61, True), (39, True)])
def test_an_overlap_ratio_that_is_not_the_recorded_one_is_found(overlap: int, found: bool) -> None:
    findings = list(tally(check(heard=(overlap, 1000))).dataset_findings())
    assert [f.code for f in findings] == [Code.OVERLAP_RATIO_OFF] * found


def test_ratios_are_of_sums_and_not_means_of_ratios() -> None:
    summary = tally(check(heard=(0, 3000)), check(heard=(100, 1000))).summary()
    assert summary.heard_overlap_ratio == 0.025


def test_a_summary_counts_and_keeps_the_sign_of_a_bias() -> None:
    sums = tally(check(0.010), check(-0.002))
    sums.count([Finding(code=Code.DUPLICATE_TEXT, dialogue_id="d", detail="x")])
    summary = sums.summary()
    assert (summary.dialogues, summary.hours, summary.findings) == (
        2,
        round(4 / 3600, 6),
        {"duplicate_text": 1},
    )
    assert (summary.onsets.mean_ms, summary.onsets.p50_ms) == (4.0, 6.0)


def test_nothing_measured_is_none_and_not_zero() -> None:
    assert EdgeErrors.of(array("d")) == EdgeErrors(n=0, mean_ms=None, p50_ms=None, p95_ms=None)
    empty = Tally(limits=Limits(), detector="test-1")
    assert empty.summary().heard_overlap_ratio is None
    assert list(empty.dataset_findings()) == []

"""The run report's numbers, against cases small enough to work out by hand."""

import gc
import weakref
from collections.abc import Iterator
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.report import (
    RunReport,
    pick_for_listening,
    refusal_table,
    summarise,
    summary_table,
)
from pipeline.core.report_timing import TimingBasis
from pipeline.domain.events import EventType
from pipeline.domain.labels import Language, Split
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Dialogue
from pipeline.io.references import load_reference
from tests.core.said import ANSWER, ASSISTANT, BACKCHANNEL, QUERY, USER, Said, realise, timeline

BASIS = TimingBasis("switchboard", load_reference("switchboard"), "reference")


def refusal(stage: str, reason: Reason, record_id: str) -> Refusal:
    return Refusal(
        stage=stage, record_id=record_id, reason=reason, detail=f"detail of {record_id}", payload=""
    )


def three_dialogues() -> tuple[Dialogue, ...]:
    early: Said = (ASSISTANT, 1, ((500, 2000),))
    return (
        # overlap 500 of 2000 ms, response -0.5 s
        realise(timeline((USER, 0, ((0, 1000),)), early, dialogue_id="a")),
        # overlap 0 of 2700 ms, responses +0.3 s; another split
        realise(timeline(QUERY, ANSWER, dialogue_id="b", split=Split.DEV, voice="w")),
        realise(
            timeline(
                QUERY,
                ANSWER,
                BACKCHANNEL,
                events=((EventType.BACKCHANNEL, 2),),
                dialogue_id="c",
                scene=Scene.USER_BACKCHANNEL,
                language=Language.ZH,
                num_samples=72_000,
            )
        ),
    )


def test_ratios_of_a_group_weigh_every_second_alike() -> None:
    report = summarise(three_dialogues(), (), BASIS)
    first, second = report.rows
    assert (first.scene, first.language, first.split) == (Scene.FOLLOW_UP_QUESTION, Language.EN, None)
    assert first.measures.dialogues == 2
    assert first.measures.hours == pytest.approx(0.02)
    assert first.measures.overlap_ratio == pytest.approx(500 / (2000 + 2700))
    assert first.measures.median_response_offset_s == pytest.approx((-0.5 + 0.3) / 2)
    assert (second.scene, second.language) == (Scene.USER_BACKCHANNEL, Language.ZH)
    assert second.measures.events == 1
    assert report.total.dialogues == 3
    assert report.total.hours == pytest.approx(0.04)
    assert report.total.overlap_ratio == pytest.approx((500 + 200) / (2000 + 2 * 2700))
    assert report.total.median_response_offset_s == pytest.approx(0.3)


def test_every_dialogue_has_a_row_and_the_rows_add_up_to_the_total() -> None:
    report = summarise(three_dialogues(), (), BASIS)
    assert [row.dialogue_id for row in report.dialogues] == ["a", "b", "c"]
    assert [row.overlap_ratio for row in report.dialogues] == pytest.approx([500 / 2000, 0, 200 / 2700])
    assert [row.median_response_offset_s for row in report.dialogues] == pytest.approx([-0.5, 0.3, 0.3])
    assert sum(row.duration_s for row in report.dialogues) == pytest.approx(3600 * report.total.hours)


def test_a_dialogue_that_nobody_answers_has_no_response_rather_than_zero() -> None:
    (row,) = summarise((realise(timeline(QUERY)),), (), BASIS).dialogues
    assert row.median_response_offset_s is None


def test_rows_come_in_declared_order_and_by_split_on_request() -> None:
    report = summarise(reversed(three_dialogues()), (), BASIS, by_split=True)
    keys = [(row.scene, row.language, row.split) for row in report.rows]
    assert keys == [
        (Scene.FOLLOW_UP_QUESTION, Language.EN, Split.TRAIN),
        (Scene.FOLLOW_UP_QUESTION, Language.EN, Split.DEV),
        (Scene.USER_BACKCHANNEL, Language.ZH, Split.TRAIN),
    ]


def test_voices_say_where_they_are_heard() -> None:
    voices = {voice.voice_id: voice for voice in summarise(three_dialogues(), (), BASIS).voices}
    assert list(voices) == ["v-assistant", "v-user", "w-assistant", "w-user"]
    assert voices["v-user"].dialogues == 2
    assert voices["v-user"].speakers == (USER,)
    assert voices["v-user"].languages == (Language.ZH, Language.EN)
    assert voices["w-user"].splits == (Split.DEV,)


def test_refusals_are_counted_by_stage_and_reason_with_the_first_as_example() -> None:
    refusals = [
        refusal("seeds", Reason.ONE_SPEAKER, "s1"),
        refusal("seeds", Reason.EMPTY_TURN, "s2"),
        refusal("seeds", Reason.EMPTY_TURN, "s3"),
        refusal("script", Reason.EMPTY_TURN, "s4"),
    ]
    report = summarise((), refusals, BASIS)
    assert report.refused == 4
    assert refusal_table(report) == (
        ("stage", "reason", "records", "for example"),
        ("seeds", "empty_turn", "2", "s2: detail of s2"),
        ("seeds", "one_speaker", "1", "s1: detail of s1"),
        ("script", "empty_turn", "1", "s4: detail of s4"),
    )


def test_the_summary_table_ends_with_the_total() -> None:
    assert summary_table(summarise(three_dialogues(), (), BASIS)) == (
        ("scene", "language", "dialogues", "hours", "overlap ratio", "events", "median response (s)"),
        ("follow_up_question", "en", "2", "0.020", "0.106", "0", "-0.10"),
        ("user_backchannel", "zh", "1", "0.020", "0.074", "1", "+0.30"),
        ("total", "", "3", "0.040", "0.095", "1", "+0.30"),
    )


@pytest.mark.parametrize("by_split", [False, True])
def test_every_row_of_the_table_has_the_headers_width(by_split: bool) -> None:
    table = summary_table(summarise(three_dialogues(), (), BASIS, by_split=by_split))
    assert {len(row) for row in table} == {8 if by_split else 7}
    assert ("split" in table[0]) is by_split


def test_an_empty_run_has_no_ratio_rather_than_zero() -> None:
    report = summarise((), (), BASIS)
    assert report.total.overlap_ratio is None
    assert report.total.median_response_offset_s is None
    assert summary_table(report)[1:] == (("total", "", "0", "0.000", "-", "0", "-"),)
    assert len(refusal_table(report)) == 1


def test_a_report_survives_being_written_and_read() -> None:
    report = summarise(three_dialogues(), [refusal("seeds", Reason.ONE_SPEAKER, "s1")], BASIS, by_split=True)
    assert RunReport.from_line(report.to_line()) == report


def test_summarise_lets_go_of_every_dialogue() -> None:
    alive: list[weakref.ref[Dialogue]] = []
    most = 0

    def stream() -> Iterator[Dialogue]:
        nonlocal most
        for number in range(20):
            dialogue = realise(timeline(QUERY, ANSWER, dialogue_id=f"d{number}"))
            alive.append(weakref.ref(dialogue))
            yield dialogue
            del dialogue
            gc.collect(0)
            most = max(most, sum(ref() is not None for ref in alive))

    assert summarise(stream(), (), BASIS).total.dialogues == 20
    assert most <= 1


GROUPS = [(scene, language) for scene in list(Scene)[:3] for language in Language]
SHORT = timeline(QUERY, ANSWER)


def stub(group: int, number: int) -> Dialogue:
    scene, language = GROUPS[group]
    changed = {"scene": scene, "language": language, "dialogue_id": f"{group}-{number}"}
    placed = SHORT.model_copy(update=changed)
    return Dialogue.model_construct(timeline=placed, audio=realise(SHORT).audio)


@given(st.lists(st.integers(0, len(GROUPS) - 1), max_size=60), st.integers(0, 20))
def test_dialogues_to_listen_to_are_dealt_round_robin(groups: list[int], limit: int) -> None:
    dialogues = [stub(group, number) for number, group in enumerate(groups)]
    hands = [
        [d.timeline.dialogue_id for d, of in zip(dialogues, groups, strict=True) if of == group]
        for group in range(len(GROUPS))
    ]
    wanted = [one for deal in zip_longest(*hands) for one in deal if one is not None][:limit]
    picked = pick_for_listening(iter(dialogues), limit)
    assert [dialogue.timeline.dialogue_id for dialogue in picked] == wanted

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
    overlap_ratio,
    overlaps,
    pick_for_listening,
    refusal_table,
    response_offsets_s,
    summarise,
    summary_table,
)
from pipeline.core.report_timing import TimingBasis
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.scene import Scene
from pipeline.domain.script import Follows
from pipeline.domain.span import Span
from pipeline.domain.timeline import AudioFile, Dialogue, Event, Provenance, Supervision, Timeline, Voicing
from pipeline.domain.words import TimeSource, Word
from pipeline.io.references import load_reference

RATE = 1000
BASIS = TimingBasis("switchboard", load_reference("switchboard"), "reference")
USER, ASSISTANT, THIRD = Speaker.USER, Speaker.ASSISTANT, Speaker.THIRD_PARTY

Said = tuple[Speaker, int, tuple[tuple[int, int], ...]]
"""Who, in which turn, and the words from when to when, in milliseconds (= samples here)."""

QUERY: Said = (USER, 0, ((0, 400), (450, 1000)))
ANSWER: Said = (ASSISTANT, 1, ((1300, 1700), (1750, 3000)))


def supervision(index: int, said: Said) -> Supervision:
    speaker, turn, words = said
    span = Span(start=words[0][0], end=words[-1][1])
    text = " ".join(["word"] * len(words))
    return Supervision(
        supervision_id=f"u{index}",
        turn=turn,
        speaker=speaker,
        span=span,
        text=text,
        planned_text=text,
        words=tuple(Word(text="word", span=Span(start=a, end=b), source=TimeSource.ENGINE) for a, b in words),
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        clip="0" * 64,
        clip_samples=len(span),
        engine="test-1",
        fade_samples=0,
        distance=None,
    )


def event(kind: EventType, index: int, onset: int) -> Event:
    return Event(
        type=kind,
        supervision_id=f"u{index}",
        initiator=USER,
        host=None,
        effect=FloorEffect.CONTINUES,
        anchor=Follows(),
        onset=onset,
        anchor_at=None,
        yielded_at=None,
    )


def timeline(
    *said: Said,
    events: tuple[tuple[EventType, int], ...] = (),
    dialogue_id: str = "d",
    scene: Scene = Scene.FOLLOW_UP_QUESTION,
    language: Language = Language.EN,
    split: Split = Split.TRAIN,
    voice: str = "v",
    num_samples: int = 36_000,
) -> Timeline:
    supervisions = [supervision(index, one) for index, one in enumerate(said)]
    return Timeline(
        dialogue_id=dialogue_id,
        language=language,
        recipe=Recipe.FULL_DUPLEX,
        scene=scene,
        split=split,
        topic="tea",
        sampling_rate=RATE,
        num_samples=num_samples,
        profile="test",
        supervisions=tuple(sorted(supervisions, key=lambda s: (s.span.start, s.supervision_id))),
        events=tuple(event(kind, index, supervisions[index].span.start) for kind, index in events),
        unsaid=(),
        voicing=tuple(
            Voicing(
                speaker=speaker, voice_id=f"{voice}-{speaker}", person=voice, gender=Gender.FEMALE, gain_db=0
            )
            for speaker in sorted({one[0] for one in said})
        ),
        licence=Licence(
            id="CC0-1.0", non_commercial=False, share_alike=False, redistributable=True, attribution=""
        ),
        provenance=Provenance(seed_id="demo/train/1", author=(), root_seed=0, stages=()),
    )


def realise(placed: Timeline) -> Dialogue:
    audio = AudioFile(
        path=f"audio/{placed.dialogue_id}.flac",
        digest=f"xxh3:{0:032x}",
        num_bytes=1,
        num_samples=placed.num_samples,
        sampling_rate=RATE,
    )
    return Dialogue(timeline=placed, audio=audio)


def refusal(stage: str, reason: Reason, record_id: str) -> Refusal:
    return Refusal(
        stage=stage, record_id=record_id, reason=reason, detail=f"detail of {record_id}", payload=""
    )


OVERLAP_CASES: dict[str, tuple[tuple[Said, ...], float, list[tuple[int, int]]]] = {
    "nobody at once": ((QUERY, ANSWER), 0.0, []),
    # speech from 0 to 2000, both from 500 to 1000
    "one inside the next": (
        ((USER, 0, ((0, 1000),)), (ASSISTANT, 1, ((500, 2000),))),
        500 / 2000,
        [(500, 1000)],
    ),
    # 199 ms of own silence are speech, so the whole answer counts
    "a short silence is bridged": (
        ((USER, 0, ((0, 400), (599, 1000))), (ASSISTANT, 1, ((300, 700),))),
        400 / 1000,
        [(300, 700)],
    ),
    "a silence of 200 ms is none": (
        ((USER, 0, ((0, 400), (600, 1000))), (ASSISTANT, 1, ((300, 700),))),
        200 / 1000,
        [(300, 400), (600, 700)],
    ),
    "a third party is heard on the user's track": (
        ((ASSISTANT, 0, ((0, 1000),)), (THIRD, 1, ((800, 1200),))),
        200 / 1200,
        [(800, 1000)],
    ),
    "user and third party share a track": (
        ((USER, 0, ((0, 1000),)), (THIRD, 1, ((500, 1000),))),
        0.0,
        [],
    ),
}


@pytest.mark.parametrize(
    ("said", "ratio", "where"), OVERLAP_CASES.values(), ids=[name.replace(" ", "-") for name in OVERLAP_CASES]
)
def test_overlap_is_where_both_tracks_speak(
    said: tuple[Said, ...], ratio: float, where: list[tuple[int, int]]
) -> None:
    placed = timeline(*said)
    assert overlap_ratio(placed) == pytest.approx(ratio, abs=1e-12)
    assert [(span.start, span.end) for span in overlaps(placed)] == where


@st.composite
def two_tracks(draw: st.DrawFn) -> Timeline:
    said: list[Said] = []
    for turn, speaker in enumerate((USER, ASSISTANT)):
        cuts = draw(st.lists(st.integers(0, 8000), min_size=2, max_size=12, unique=True).map(sorted))
        words = tuple(zip(cuts[::2], cuts[1::2], strict=False))
        said.append((speaker, turn, words))
    return timeline(*said)


@given(two_tracks())
def test_the_shaded_overlaps_add_up_to_the_ratio(placed: Timeline) -> None:
    def speaks(speaker: Speaker) -> set[int]:
        """Sample by sample: inside a word, or in a silence of less than 200 ms between two."""
        (said,) = (s for s in placed.supervisions if s.speaker is speaker)
        samples = {t for word in said.words for t in range(word.span.start, word.span.end)}
        for a, b in zip(said.words, said.words[1:], strict=False):
            if b.span.start - a.span.end < 200:
                samples |= set(range(a.span.end, b.span.start))
        return samples

    user, assistant = speaks(USER), speaks(ASSISTANT)
    assert {t for span in overlaps(placed) for t in range(span.start, span.end)} == user & assistant
    assert overlap_ratio(placed) == pytest.approx(len(user & assistant) / len(user | assistant))


BACKCHANNEL: Said = (USER, 2, ((2000, 2200),))
RESPONSE_CASES: dict[str, tuple[tuple[Said, ...], tuple[tuple[EventType, int], ...], list[float]]] = {
    "an answer": ((QUERY, ANSWER), (), [0.3]),
    "an early answer is negative": ((QUERY, (ASSISTANT, 1, ((900, 2000),))), (), [-0.1]),
    "an interruption is answered too": (
        (QUERY, ANSWER, (USER, 2, ((2500, 3500),)), (ASSISTANT, 3, ((4000, 5000),))),
        ((EventType.FOLLOW_UP_QUESTION, 2),),
        [0.3, 0.5],
    ),
    "a question inside an answer is answered by the next turn": (
        (QUERY, ANSWER, (USER, 2, ((1500, 2000),)), (ASSISTANT, 3, ((3200, 3500),))),
        ((EventType.FOLLOW_UP_QUESTION, 2),),
        [0.3, 1.2],
    ),
    "several sentences are one turn": (
        (QUERY, (USER, 0, ((1600, 2000),)), (ASSISTANT, 1, ((2100, 2500),)), (ASSISTANT, 1, ((3000, 3500),))),
        (),
        [0.1],
    ),
    "a pause inside a query is no question": (
        (QUERY, (USER, 0, ((2000, 2400),)), (ASSISTANT, 1, ((3000, 3500),))),
        ((EventType.HESITATION_PAUSE, 1),),
        [0.6],
    ),
    "a backchannel asks nothing": (
        (QUERY, ANSWER, BACKCHANNEL, (ASSISTANT, 3, ((3100, 3300),))),
        ((EventType.BACKCHANNEL, 2),),
        [0.3],
    ),
    "a backchannel is no answer": (
        ((USER, 0, ((0, 1000),)), (ASSISTANT, 1, ((500, 600),)), (ASSISTANT, 2, ((1250, 1500),))),
        ((EventType.BACKCHANNEL, 1),),
        [0.25],
    ),
    "the last of two user turns is answered": (
        (QUERY, (USER, 1, ((1500, 2000),)), (ASSISTANT, 2, ((2400, 2500),))),
        (),
        [0.4],
    ),
    "speech to others is not for the assistant": (
        (QUERY, ANSWER, (USER, 2, ((3100, 3300),)), (ASSISTANT, 3, ((3400, 3500),))),
        ((EventType.SPEECH_DIRECTED_AT_OTHERS, 2),),
        [0.3],
    ),
    "nor is what a third party says": ((QUERY, (THIRD, 1, ((1050, 1200),)), ANSWER), (), [0.3]),
    "nobody answers": ((QUERY,), (), []),
}


@pytest.mark.parametrize(
    ("said", "events", "wanted"),
    RESPONSE_CASES.values(),
    ids=[name.replace(" ", "-") for name in RESPONSE_CASES],
)
def test_response_offsets_run_from_the_users_last_word_to_the_assistants_first(
    said: tuple[Said, ...], events: tuple[tuple[EventType, int], ...], wanted: list[float]
) -> None:
    assert list(response_offsets_s(timeline(*said, events=events))) == pytest.approx(wanted)


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

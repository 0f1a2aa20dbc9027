"""What the report measures of one dialogue: overlap, and how late answers come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.report import (
    overlap_ratio,
    overlaps,
    response_offsets_s,
)
from pipeline.domain.events import EventType
from pipeline.domain.labels import Speaker
from pipeline.domain.timeline import Timeline
from tests.core.said import ANSWER, ASSISTANT, BACKCHANNEL, QUERY, THIRD, USER, Said, timeline

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

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exports.files import TextFile
from pipeline.core.exports.humdial_track2 import Track2Options, export_track2
from pipeline.core.exports.segments import clamp_overlaps, segments_of
from pipeline.core.exports.textgrid import Interval, IntervalTier, fill_gaps, write_textgrid
from pipeline.domain.labels import Split
from pipeline.domain.scene import Scene
from pipeline.domain.span import Span
from pipeline.domain.timeline import Timeline
from tests.core.exports.build import ASSISTANT, THIRD, USER, Say, as_dialogue, make_timeline, scene_timeline
from tests.core.exports.official import read_textgrid

GOLDEN = Path(__file__).parent / "follow_up_question.TextGrid"


def grid_of(timeline: Timeline) -> str:
    files = export_track2(as_dialogue(timeline), "0001_0001", Track2Options()).files
    return next(f.content for f in files if isinstance(f, TextFile) and f.path.endswith(".TextGrid"))


def test_the_file_is_the_golden_one() -> None:
    written = grid_of(scene_timeline(Scene.FOLLOW_UP_QUESTION, split=Split.TRAIN))
    assert written == GOLDEN.read_text(encoding="utf-8")


def test_quotation_marks_come_back() -> None:
    tier = fill_gaps("a", 10, [Interval(Span(start=2, end=5), 'say "no" ""')])
    text = write_textgrid((tier,), 10)
    assert 'text = "say ""no"" """""\n' in text
    assert [i.text for i in read_textgrid(text)["a"]] == ["", 'say "no" ""', ""]


def test_numbers_are_never_written_with_an_exponent() -> None:
    tier = fill_gaps("a", 24_000, [Interval(Span(start=1, end=2), "x")])
    assert "xmin = 0.000042\n" in write_textgrid((tier,), 24_000)


@pytest.mark.parametrize(
    "spans",
    [((0, 4), (3, 10)), ((0, 4), (5, 10)), ((1, 10),), ((0, 9),), ()],
    ids=["overlap", "gap", "late start", "early end", "empty"],
)
def test_a_tier_that_does_not_tile_cannot_be_made(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="tier x"):
        IntervalTier("x", 10, tuple(Interval(Span(start=a, end=b), "") for a, b in spans))


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Any number of turns by anyone, overlapping as they like, none starting when another does."""
    starts = draw(st.lists(st.integers(0, 400_000), min_size=1, max_size=9, unique=True))
    free = {USER: 0, ASSISTANT: 0, THIRD: 0}
    says: list[Say] = []
    for start in sorted(starts):
        silent = [s for s in free if free[s] <= start]
        if not silent:
            continue
        speaker = draw(st.sampled_from(silent))
        end = start + draw(st.integers(12, 200_000))
        free[speaker] = end
        turn = says[-1].turn if says and says[-1].speaker is speaker and draw(st.booleans()) else len(says)
        says.append(
            Say(turn, speaker, start / 24_000, end / 24_000, draw(st.sampled_from(['a "b"', "c d"])), "")
        )
    tail_s = draw(st.sampled_from([0.0, 1 / 24_000, 2.0]))
    return make_timeline(tuple(says), Scene.FOLLOW_UP_QUESTION, with_event=False, tail_s=tail_s)


@given(timelines())
def test_intervals_tile_any_timeline_without_overlap(timeline: Timeline) -> None:
    segments = segments_of(timeline)
    clamped, cost = clamp_overlaps("d", segments)
    tier = fill_gaps("文本", timeline.num_samples, [Interval(s.span, s.text) for s in clamped])
    read = read_textgrid(write_textgrid((tier,), timeline.sampling_rate))["文本"]
    spoken = [interval for interval in read if interval.text]
    assert [round(i.xmin * 24_000) for i in spoken] == [s.span.start for s in segments]
    assert [i.text for i in spoken] == [s.text for s in segments]
    lost = sum(len(s.span) for s in segments) - sum(len(s.span) for s in clamped)
    assert lost == sum(c.samples for c in cost)

"""What is written as RTTM is read as RTTM."""

from pathlib import Path

import pytest

from pipeline.domain.mining import RecordedActivity, SpeakerActivity
from pipeline.domain.span import Span
from pipeline.io.recordings.rttm import write_rttm
from pipeline.io.rttm import read_rttm


def activity(recording_id: str, *names: str) -> RecordedActivity:
    speakers = (
        SpeakerActivity(speaker=name, channel=None, talkspurts=(Span(number * 800, number * 800 + 400),))
        for number, name in enumerate(names)
    )
    return RecordedActivity(
        recording_id=recording_id,
        sampling_rate=8000,
        num_samples=80_000,
        mode="given_words",
        speakers=tuple(speakers),
    )


def test_ids_that_differ_by_a_colon_have_a_file_each(tmp_path: Path) -> None:
    paths = {write_rttm(tmp_path, activity(name, "A")) for name in ("a:b", "a_b")}
    assert [read_rttm(path).recordings[0].uri for path in sorted(paths)] == ["a:b", "a_b"]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("A", "B"), ("A", "B")),
        (("Ann Lee", "Bob\tRay"), ("Ann_Lee", "Bob_Ray")),
        (("Ann Lee", "Ann_Lee"), ("Ann_Lee-2", "Ann_Lee")),
        (("a b", "a  b", "a_b", "a_b-2"), ("a_b-3", "a_b-4", "a_b", "a_b-2")),
        (("", " "), ("unnamed", "unnamed-2")),
    ],
)
def test_names_are_fields_and_stay_apart(
    tmp_path: Path, names: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    found = read_rttm(write_rttm(tmp_path, activity("call", *names)))
    assert found.refusals == ()
    (one,) = found.recordings
    starts = {name: spans.start for name, (spans,) in zip(one.speakers, one.activity.speakers, strict=True)}
    assert sorted(starts, key=lambda name: starts[name]) == list(wanted)

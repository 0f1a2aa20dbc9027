"""RTTM and UEM as they are met in the field."""

import os
from pathlib import Path

import pytest

from pipeline.core.turntaking import measure, talk_times
from pipeline.domain.errors import ConfigError
from pipeline.domain.quarantine import Reason
from pipeline.domain.span import Span
from pipeline.io.rttm import parse_rttm, parse_uem, read_rttm, read_uem

TWO_MEETINGS = """\
;; invented, two recordings interleaved, 9 and 10 columns
SPKR-INFO tea 1 <NA> <NA> <NA> unknown ann <NA>
SPEAKER tea 1 13.152 3.770 <NA> <NA> bob <NA> <NA>
SPEAKER walk 1 0.500 0.050 <NA> <NA> eve <NA>
SPEAKER tea 1 1.440 11.872 <NA> <NA> ann <NA> <NA>

SPEAKER walk 1 0.000 0.500 <NA> <NA> eve <NA> <NA>
SPEAKER tea\t1\t16.000   1.000 <NA> <NA> ann <NA> <NA>
"""


def test_recordings_speakers_and_segments_come_sorted() -> None:
    rttm = parse_rttm(TWO_MEETINGS, "tea.rttm", sampling_rate=1000)
    assert [(r.uri, r.speakers) for r in rttm.recordings] == [("tea", ("ann", "bob")), ("walk", ("eve",))]
    assert rttm.recordings[0].activity.speakers == (
        (Span(start=1440, end=13312), Span(start=16000, end=17000)),
        (Span(start=13152, end=16922),),
    )
    assert rttm.refusals == ()
    assert rttm.other_records == (("SPKR-INFO", 1),)


def test_the_fifth_column_is_a_duration_added_without_rounding() -> None:
    # in binary floating point 13.152 + 3.770 is 16.922000000000001
    span = parse_rttm(TWO_MEETINGS, "tea.rttm").recordings[0].activity.speakers[1][0]
    assert span == Span(start=210_432, end=270_752)


def test_abutting_segments_of_one_speaker_are_one_stretch_when_measured() -> None:
    walk = parse_rttm(TWO_MEETINGS, "tea.rttm").recordings[1]
    assert len(walk.activity.speakers[0]) == 2
    assert len(walk.activity.ipus(0)[0]) == 1
    assert measure(walk.activity).total_s == 0.55


BAD_LINES = {
    "few columns": ("SPEAKER tea 1 0.0 1.0 <NA> <NA> ann", "8 columns, wanted 9 or 10"),
    "unknown type": ("SPEEKER tea 1 0.0 1.0 <NA> <NA> ann <NA> <NA>", "record type 'SPEEKER' is unknown"),
    "no number": (
        "SPEAKER tea 1 zero 1.0 <NA> <NA> ann <NA> <NA>",
        "'zero' is not a number (start, column 4)",
    ),
    "negative": ("SPEAKER tea 1 0.0 -1.0 <NA> <NA> ann <NA> <NA>", "'-1.0' is not a time of 0 s or more"),
    "endless": ("SPEAKER tea 1 0.0 inf <NA> <NA> ann <NA> <NA>", "'inf' is not a time of 0 s or more"),
    "empty": ("SPEAKER tea 1 1.0 0.0 <NA> <NA> ann <NA> <NA>", "holds not one sample"),
    "nobody": ("SPEAKER tea 1 0.0 1.0 <NA> <NA> <NA> <NA> <NA>", "names no speaker"),
    "overlaps itself": (
        "SPEAKER tea 1 2.0 1.0 <NA> <NA> bob <NA> <NA>\nSPEAKER tea 1 2.9 1.0 <NA> <NA> bob <NA> <NA>",
        "starts at 2.900 s, speaks until 3.000 s",
    ),
}


@pytest.mark.parametrize("fault", BAD_LINES)
def test_a_bad_line_is_refused_with_place_and_reason_and_the_rest_is_read(fault: str) -> None:
    lines, complaint = BAD_LINES[fault]
    good = "SPEAKER tea 1 9.000 1.000 <NA> <NA> ann <NA> <NA>"
    rttm = parse_rttm(f";; head\n{lines}\n{good}\n", "tea.rttm")
    assert [r.reason for r in rttm.refusals] == [Reason.MALFORMED_RECORD]
    assert complaint in rttm.refusals[0].detail
    assert rttm.refusals[0].record_id == f"tea.rttm:{len(lines.splitlines()) + 1}"
    assert rttm.refusals[0].payload == lines.splitlines()[-1]
    assert "ann" in rttm.recordings[0].speakers


def test_a_speaker_may_touch_itself_by_a_rounding() -> None:
    text = "SPEAKER t 1 0.0 1.003 <NA> <NA> a <NA> <NA>\nSPEAKER t 1 1.0 1.0 <NA> <NA> a <NA> <NA>\n"
    rttm = parse_rttm(text, "t.rttm")
    assert rttm.refusals == ()
    assert talk_times(rttm.recordings[0].activity.speakers).any_speech == 32_000


def test_a_uem_names_regions_with_channel_1_or_na() -> None:
    uem = parse_uem(";; scored\ntea NA 10.0 30.0\ntea 1 0.000 5.5\nwalk 1 0 1113.845375\n", "tea.uem", 1000)
    assert uem.of("tea") == (Span(start=0, end=5500), Span(start=10_000, end=30_000))
    assert uem.of("walk") == (Span(start=0, end=1_113_845),)
    with pytest.raises(ConfigError, match=r"'run'; recordings in the file: tea, walk"):
        uem.of("run")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("tea 2 0.0 1.0", "channel '2', wanted 1 or NA"),
        ("tea 1 0.0", "3 columns, wanted 4"),
        ("tea 1 5.0 4.0", "holds not one sample"),
        ("tea 1 0.0 end", "'end' is not a number (end, column 4)"),
    ],
)
def test_a_bad_uem_line_is_refused(line: str, complaint: str) -> None:
    uem = parse_uem(f"{line}\n", "tea.uem")
    assert uem.regions == ()
    assert complaint in uem.refusals[0].detail
    assert uem.refusals[0].record_id == "tea.uem:1"


def test_scores_can_be_restricted_to_the_uem() -> None:
    tea = parse_rttm(TWO_MEETINGS, "tea.rttm", 1000).recordings[0].activity
    inside = tea.restricted(parse_uem("tea NA 0.0 13.2\n", "tea.uem", 1000).of("tea"))
    assert talk_times(inside.speakers).overlap == 48
    assert talk_times(tea.speakers).overlap == 160 + 922


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for read, kind in ((read_rttm, "RTTM"), (read_uem, "UEM")):
        with pytest.raises(ConfigError, match=rf"{kind} '.*gone'"):
            read(tmp_path / "gone")


def shared_data() -> Path:
    named = os.environ.get("HUMDIAL_SHARED_DATA")
    return Path(named) if named else Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.skipif(
    not shared_data().is_dir(), reason="the sample recordings (HUMDIAL_SHARED_DATA) are not here"
)
@pytest.mark.parametrize(("name", "overlap_s"), [("development", 1.415), ("train", 13.224)])
def test_real_files_read_without_refusals_and_overlap_as_published(name: str, overlap_s: float) -> None:
    folder = shared_data() / "audio" / "ami_pyannote"
    rttm, uem = read_rttm(folder / f"debug.{name}.rttm"), read_uem(folder / f"debug.{name}.uem")
    assert rttm.refusals == uem.refusals == ()
    (recording,) = rttm.recordings
    activity = recording.activity.restricted(uem.of(recording.uri))
    assert talk_times(activity.speakers).overlap / activity.sampling_rate == overlap_s


def test_every_real_rttm_of_the_sample_data_is_read_whole() -> None:
    files = sorted((shared_data() / "annot").rglob("*.rttm"))
    if not files:
        pytest.skip("the sample recordings (HUMDIAL_SHARED_DATA) are not here")
    for path in files:
        rttm = read_rttm(path)
        read = sum(len(spans) for recording in rttm.recordings for spans in recording.activity.speakers)
        assert read == len(path.read_text(encoding="utf-8").splitlines())

"""A declaration names recordings, rights and thresholds, and nothing else."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.declaration import (
    UNSTATED,
    DeclaredRecording,
    declare_audio,
    read_declaration,
    recordings_of,
)
from pipeline.io.recordings.layouts.source import id_part
from tests.io.recordings.trees import make_ami, make_audio

RIGHTS = "{corpus: made-up, licence_id: CC0-1.0, consent_basis: invented}"


def declared(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "calls.yaml"
    path.write_text(text)
    return path


def test_the_declarations_rights_hold_where_a_recording_has_none(tmp_path: Path) -> None:
    text = f"""
rights: {RIGHTS}
recordings:
  - {{recording_id: one, audio: [one.wav]}}
  - {{recording_id: two, audio: [a.wav, b.wav], rights: {{corpus: other, licence_id: X, consent_basis: asked}}}}
events: {{min_overlap_s: 0.3}}
"""
    declaration = read_declaration(declared(tmp_path, text))
    recordings, without = recordings_of(declaration)
    assert [recording.rights.corpus for recording in recordings] == ["made-up", "other"]
    assert without == ()
    assert declaration.events.min_overlap_s == 0.3


def test_a_recording_without_rights_is_named(tmp_path: Path) -> None:
    path = declared(tmp_path, "recordings: [{recording_id: one, audio: [one.wav]}]")
    assert recordings_of(read_declaration(path)) == ((), ("one",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("recordings: []", "recordings or sources: wanted at least one of either"),
        ("recordins: []", "unknown key 'recordins'; did you mean 'recordings'"),
        (
            "recordings: [{recording_id: a}]\nevents: {min_overlap: 1}",
            "unknown key 'events.min_overlap'; did you mean 'min_overlap_s'",
        ),
        ("recordings: [{recording_id: a, rttn: x}]", r"unknown key 'recordings.0.rttn'; did you mean 'rttm'"),
        (
            "recordings: [{recording_id: a}]\nlistening: {suppression: {depth: 1}}",
            "did you mean 'depth_m",
        ),
        ("recordings: [{recording_id: a}, {recording_id: A}]", "'A' differs from 'a' in case alone"),
        ("recordings: [{recording_id: a}, {recording_id: a}]", "'a' is used twice"),
        ("sources: [{layout: candorr, path: c}]", "unknown layout 'candorr'; did you mean 'candor'?"),
        ("recordings: [{recording_id: ../a}]", "recordings.0.recording_id: String should match"),
        ("a: [", "not valid YAML"),
        ("just text", "the file: Input should be an object"),
    ],
)
def test_what_is_wrong_is_said_with_key_and_remedy(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_declaration(declared(tmp_path, text))


def test_audio_on_the_command_line_comes_in_pairs_where_it_has_one_channel() -> None:
    paths = tuple(map(Path, ("s.wav", "a.wav", "b.wav", "x/s.flac", "odd.wav", "lonely.wav")))
    declaration = declare_audio(paths, (2, 1, 1, 2, 3, 1))
    assert [r.recording_id for r in declaration.recordings] == ["s", "a", "s-2", "odd", "lonely"]
    assert [len(r.audio) for r in declaration.recordings] == [1, 2, 1, 1, 1]
    assert declaration.rights == UNSTATED


def test_a_file_whose_partner_cannot_be_read_is_not_paired_with_the_next_call() -> None:
    paths = tuple(map(Path, ("1-agent.wav", "1-caller.wav", "2-agent.wav", "2-caller.wav", "3-agent.wav")))
    declaration = declare_audio(paths, (1, 0, 1, 1, 1))
    assert [one.audio for one in declaration.recordings] == [
        ("1-agent.wav",),
        ("1-caller.wav",),
        ("2-agent.wav", "2-caller.wav"),
        ("3-agent.wav",),
    ]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_every_file_is_in_one_recording_and_only_neighbours_of_one_channel_are_a_pair(
    channels: list[int],
) -> None:
    paths = tuple(Path(f"{index}.wav") for index in range(len(channels)))
    recordings = declare_audio(paths, tuple(channels)).recordings
    assert [name for one in recordings for name in one.audio] == [str(path) for path in paths]
    alone = [int(Path(one.audio[0]).stem) for one in recordings if len(one.audio) == 1]
    for one in recordings:
        assert len(one.audio) == 1 or [channels[int(Path(name).stem)] for name in one.audio] == [1, 1]
    assert not any(channels[a] == channels[b] == 1 and b == a + 1 for a, b in pairwise(alone))


@given(st.text(), st.text())
def test_different_names_are_different_parts_of_ids(first: str, second: str) -> None:
    ids = [id_part(first), id_part(second)]
    assert (ids[0] == ids[1]) == (first == second)
    assert DeclaredRecording(recording_id=ids[0]).recording_id == ids[0]


def test_any_file_name_makes_an_id_of_its_own() -> None:
    names = ("..你好 (1).wav", "-.wav", "甲.wav", "乙.wav", "X.wav", "x.wav")
    ids = [r.recording_id for r in declare_audio(tuple(map(Path, names)), (2,) * 6).recordings]
    assert ids[:2] == ["1_-3cb68fcc", "unnamed-3973e022"]
    assert ids[4:] == ["X", "x-2"]
    assert len(set(ids)) == 6


def test_two_channel_files_with_chinese_names_are_recordings_of_their_own(tmp_path: Path) -> None:
    make_audio(tmp_path / "calls" / "甲.wav", 2)
    make_audio(tmp_path / "calls" / "乙.wav", 2)
    text = f"rights: {RIGHTS}\nsources: [{{layout: two_channel, path: calls}}]"
    recordings, _ = recordings_of(read_declaration(declared(tmp_path, text)))
    assert {one.audio for one in recordings} == {("calls/甲.wav",), ("calls/乙.wav",)}
    assert len({one.recording_id for one in recordings}) == 2


@pytest.mark.parametrize("speakers", ["[x, x]", "['', b]", "[' ', b]", "[a b, a_b]", "[x]", "[x, y, z]"])
def test_two_sides_have_two_names_that_tell_them_apart(tmp_path: Path, speakers: str) -> None:
    text = f"recordings: [{{recording_id: a, audio: [l.wav, r.wav], speakers: {speakers}}}]"
    with pytest.raises(ConfigError, match=r"recordings\.0: .*speakers: got .*; wanted"):
        read_declaration(declared(tmp_path, text))


def test_a_conversation_whose_table_names_one_person_twice_is_refused_and_stops_no_other(
    tmp_path: Path,
) -> None:
    for name in ("one.wav", "two.wav"):
        make_audio(tmp_path / "calls" / name, 2)
    (tmp_path / "who.csv").write_text("conversation,first,second\none,ann,ann\ntwo,ann,bob\n")
    text = f"rights: {RIGHTS}\nsources: [{{layout: two_channel, path: calls, speaker_table: who.csv}}]"
    one, two = read_declaration(declared(tmp_path, text)).recordings
    assert one.problem is not None
    assert "wanted a different name for each" in one.problem
    assert (two.problem, two.speakers) == (None, ("ann", "bob"))


def test_the_declaration_in_the_readme_can_be_used(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Mining recordings")[1].split("\n## ")[0]
    make_ami(tmp_path / "corpora" / "ami")
    declaration = read_declaration(declared(tmp_path, section.split("```yaml")[1].split("```")[0]))
    corpora = [recording.rights.corpus for recording in recordings_of(declaration)[0]]
    assert corpora == [*["my-calls"] * 4, "ami"]

"""What a corpus lacks is said of the recording that lacks it, and what a source cannot mean, at once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import Recording
from pipeline.io.recordings.audio import UnreadableAudioError, open_audio
from pipeline.io.recordings.declaration import read_declaration, recordings_of
from pipeline.io.recordings.given import UnusableRecording, read_given
from pipeline.mining import Mine
from tests.io.recordings.trees import (
    CANDOR_ID,
    DATA,
    RIGHTS,
    declared,
    make_ami,
    make_candor,
    make_fisher,
    make_harper_valley,
    make_rttm,
    make_switchboard,
    recordings,
)


def hear(recording: Recording, base: Path) -> None:
    """As far as it takes to find what is missing."""
    read_given(recording, base)
    open_audio(tuple(base / name for name in recording.audio))


def without(*patterns: str) -> Callable[[Path], None]:
    def take_away(folder: Path) -> None:
        gone = [path for pattern in patterns for path in folder.rglob(pattern)]
        assert gone
        for path in gone:
            path.unlink()

    return take_away


def damaged(pattern: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (path,) = folder.rglob(pattern)
        path.write_bytes(b"\xff\xfe{")

    return damage


@pytest.mark.parametrize(
    ("make", "source", "harm", "problem"),
    [
        (
            make_candor,
            "{layout: candor, path: c}",
            without("channel_map.json"),
            "channel_map.json: cannot be",
        ),
        (make_candor, "{layout: candor, path: c}", damaged("channel_map.json"), "who is on which channel"),
        (make_candor, "{layout: candor, path: c}", without("*.mp3"), r"444\.mp3: cannot be read as audio"),
        (
            make_candor,
            "{layout: candor, path: c, speech_from: turns}",
            without("*cliffhanger.csv"),
            "transcript_cliffhanger.csv: cannot be read",
        ),
        (
            make_fisher,
            "{layout: fisher, path: c}",
            without("*.sph"),
            r"fe_03_99999\.sph: cannot be read as audio",
        ),
        (
            make_fisher,
            "{layout: fisher, path: c, speech_from: turns}",
            without("*.txt"),
            r"fe_03_99999\.txt: cannot be read",
        ),
        (
            make_switchboard,
            "{layout: switchboard, path: c}",
            without("sw9998*", "sw09998.sph", "sw9999B*"),
            r"sw9999B-ms98-a-word\.text: cannot be read",
        ),
        (
            make_switchboard,
            "{layout: switchboard, path: c}",
            without("sw9998*", "sw09998.sph", "sw9999A*"),
            r"sw9999A-ms98-a-word\.text: cannot be read",
        ),
        (make_ami, "{layout: ami, path: c}", without("*.xml"), r"ES9999a\.A\.words\.xml: cannot be read"),
        (make_ami, "{layout: ami, path: c}", without("*.Mix*"), r"Mix-Headset\.wav: cannot be read as audio"),
        (
            make_ami,
            "{layout: ami, path: c, speech_from: audio, pair: [A, E]}",
            without("*.Mix*"),
            "does not say whose headset agent E wears; it knows A, B",
        ),
        (
            make_ami,
            "{layout: ami, path: c, speech_from: rttm, rttm: c/r}",
            None,
            r"r/ES9999a\.rttm.*cannot be",
        ),
        (
            make_harper_valley,
            "{layout: harper_valley, path: c}",
            without("metadata/*.json"),
            "who the speakers are",
        ),
        (
            make_harper_valley,
            "{layout: harper_valley, path: c, speech_from: audio}",
            without("transcript/*.json"),
            "cannot be aligned",
        ),
        (
            make_harper_valley,
            "{layout: harper_valley, path: c}",
            without("agent/*.wav"),
            "agent/00112233aabbccdd.wav: cannot be read as audio",
        ),
        (
            make_rttm,
            f"{{layout: rttm, path: c/rttm, {RIGHTS}}}",
            damaged("*.rttm"),
            "cannot be read as UTF-8",
        ),
    ],
)
def test_a_conversation_that_lacks_something_is_refused_with_its_name(
    tmp_path: Path,
    make: Callable[[Path], None],
    source: str,
    harm: Callable[[Path], None] | None,
    problem: str,
) -> None:
    make(tmp_path / "c")
    if harm is not None:
        harm(tmp_path / "c")
    (recording,) = recordings(tmp_path, source)
    with pytest.raises(UnreadableAudioError, match=problem):
        hear(recording, tmp_path)


def test_what_a_source_lacks_is_written_down_and_read_back(tmp_path: Path) -> None:
    make_candor(tmp_path / "c")
    without("channel_map.json")(tmp_path / "c")
    declaration = declared(tmp_path, "{layout: candor, path: c}")
    written = declaration.model_dump_json(indent=1)
    assert "sources" not in json.loads(written)
    (tmp_path / "filter.yaml").write_text(written)
    again = read_declaration(tmp_path / "filter.yaml")
    assert again == declaration
    assert isinstance(recordings_of(again)[0][0], UnusableRecording)


def test_a_run_says_which_conversations_lacked_what_and_uses_the_others(tmp_path: Path) -> None:
    make_candor(tmp_path / "c")
    without("channel_map.json")(tmp_path / "c")
    make_switchboard(tmp_path / "s")
    declaration = declared(
        tmp_path,
        "{layout: candor, path: c}\n  - {layout: switchboard, path: s, with_audio: false}",
        "workers: 1",
    )
    summary = Mine(declaration, tmp_path, tmp_path / "out").run(lambda heard, kept: None)
    (error,) = map(json.loads, (tmp_path / "out" / "errors.jsonl").read_text().splitlines())
    assert error["recording_id"] == f"candor:{CANDOR_ID}"
    assert error["code"] == "io_error"
    assert "it says who is on which channel" in error["detail"]
    assert (summary.recordings["in"], summary.recordings["ok"], summary.recordings["error"]) == (3, 2, 1)


def test_kinds_of_rttm_of_one_meeting_are_not_mixed(tmp_path: Path) -> None:
    for kind in ("only_words", "word_and_vocalsounds"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "ES9999a.rttm").write_text("SPEAKER ES9999a 1 0.5 1 <NA> <NA> x <NA> <NA>\n")
    source = "{layout: ami, path: ., rttm: %s, speech_from: rttm, with_audio: false}"
    assert len(recordings(tmp_path, source % "only_words")) == 1
    with pytest.raises(
        ConfigError, match=r"only_words/ES9999a\.rttm and word_and_vocalsounds/.* one meeting"
    ):
        declared(tmp_path, source % ".")


def test_an_rttm_name_that_is_no_id_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.rttm").write_text("SPEAKER a/b 1 0.5 1.0 <NA> <NA> x <NA> <NA>\n")
    (recording,) = recordings(tmp_path, f"{{layout: rttm, path: ., {RIGHTS}}}")
    with pytest.raises(UnreadableAudioError, match="uri 'a/b': wanted letters"):
        read_given(recording, tmp_path)


def test_an_rttm_file_in_which_nobody_speaks_is_refused_with_its_first_bad_line(tmp_path: Path) -> None:
    (tmp_path / "a.rttm").write_text("SPEAKER a 1 x 1.0 <NA> <NA> x <NA> <NA>\n")
    (recording,) = recordings(tmp_path, f"{{layout: rttm, path: ., {RIGHTS}}}")
    with pytest.raises(
        UnreadableAudioError, match=r"names nobody who speaks; a\.rttm:1: 'x' is not a number"
    ):
        read_given(recording, tmp_path)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{layout: candor, path: nowhere}", r"mine\.yaml: sources: .*nowhere: is no folder; wanted CANDOR"),
        ("{layout: candor, path: empty}", "holds no conversation; wanted CANDOR: folders with names of 36"),
        ("{layout: fisher, path: empty}", "wanted Fisher: fe_03_#####.sph"),
        (
            "{layout: icsi, path: empty}",
            "sources.0: unknown layout 'icsi'; did you mean .* known: candor, fisher, switchboard",
        ),
        ("{path: empty}", "sources.0: Unable to extract tag using discriminator 'layout'"),
        (
            "{layout: ami, path: empty, pairs: [A, B]}",
            r"unknown key 'sources\.0\.ami\.pairs'; did you mean 'pair'",
        ),
        ("{layout: candor, path: empty, rights: {corpsu: a}}", r"did you mean 'corpus'"),
        ("{layout: ami, path: empty, pair: [A, B]}", "wanted two agents, as .* with speech_from: audio"),
        ("{layout: ami, path: empty, speech_from: audio, pair: [A, A]}", "two different headsets"),
        ("{layout: ami, path: empty, speech_from: rttm}", "wanted a folder with speech_from: rttm"),
        ("{layout: two_channel, path: empty, pair: [a.wav, b.wav]}", "wanted two different names with {id}"),
        ("{layout: two_channel, path: empty, words: a.jsonl}", "words: wanted a name with {id} in it"),
        ("{layout: rttm, path: empty, audio_name: a.wav}", "wanted a name with {id} in it"),
        ("{layout: candor, path: empty, limit: 0}", "limit: Input should be greater than or equal to 1"),
        (
            "{layout: fisher, path: full, speaker_table: nowhere.csv}",
            "speaker_table: .*nowhere.csv: cannot be",
        ),
        ("{layout: fisher, path: full, speaker_table: mine.yaml}", "no column .* wanted conversation, first"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused_with_key_and_remedy(
    tmp_path: Path, source: str, problem: str
) -> None:
    (tmp_path / "empty").mkdir()
    shutil.copytree(DATA / "fisher", tmp_path / "full")
    with pytest.raises(ConfigError, match=problem):
        declared(tmp_path, source)

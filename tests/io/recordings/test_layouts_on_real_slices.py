"""Layouts of files on slices of real recordings, where a developer has them."""

import os
from pathlib import Path

import pytest

from pipeline.io.recordings.audio import open_audio
from pipeline.io.recordings.given import given_activity, read_given
from tests.io.recordings.trees import RIGHTS, recordings

SHARED = Path(os.environ.get("HUMDIAL_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="no sample of real recordings: set HUMDIAL_SHARED_DATA"
)


def test_real_calls_of_two_files_each(tmp_path: Path) -> None:
    source = (
        f"{{layout: two_channel, path: {SHARED / 'audio' / 'aws_call'}, pair: "
        '["Auto_Repairs_{id}_UTC_agent.part1.wav", "Auto_Repairs_{id}_UTC_caller.part1.wav"]}'
    )
    found = recordings(tmp_path, source, RIGHTS)
    assert [one.recording_id for one in found] == ["my-calls:40", "my-calls:49"]
    sources = [open_audio(tuple(map(Path, one.audio))) for one in found]
    assert [audio.channels for audio in sources] == [2, 2]
    assert [round(audio.num_samples / audio.sampling_rate, 2) for audio in sources] == [42.0, 118.78]


def test_real_meetings_with_rttm_and_audio(tmp_path: Path) -> None:
    excerpts = SHARED / "audio" / "ami_pyannote"
    found = recordings(tmp_path, f"{{layout: rttm, path: {excerpts}, audio: {excerpts}}}", RIGHTS)
    assert [(one.recording_id, one.dyadic) for one in found] == [
        ("my-calls:dev00", True),
        ("my-calls:trn09", False),
    ]
    for one in found:
        given = read_given(one, tmp_path)
        assert given is not None
        audio = open_audio((Path(one.audio[0]),))
        assert given_activity(one.recording_id, given, audio).num_samples == audio.num_samples == 480_001


def test_real_meetings_with_rttm_alone(tmp_path: Path) -> None:
    folder = SHARED / "annot" / "ami_but" / "only_words" / "rttms"
    found = recordings(
        tmp_path, f"{{layout: ami, path: {folder}, rttm: {folder}, speech_from: rttm, with_audio: false}}"
    )
    assert [one.recording_id for one in found] == ["ami:EN2002a", "ami:ES2011a", "ami:IS1008a", "ami:TS3003a"]
    for one in found:
        given = read_given(one, tmp_path)
        assert given is not None
        assert len(given.stretches) >= 4
        assert given.num_samples > 600 * given.sampling_rate

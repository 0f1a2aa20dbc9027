"""Recordings are read whole, and lie beside their catalogue as they were given."""

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.errors import ConfigError
from pipeline.io.voice_recordings import decode_recording, read_recording, store_recording, writing_alone
from tests.voiced import encoded, talk, write_clip

SAMPLES = talk(seconds=0.5)


@pytest.mark.parametrize(
    ("content", "encoding", "channels"),
    [
        (encoded(SAMPLES), "WAV PCM_16", 1),
        (encoded(SAMPLES, subtype="PCM_24"), "WAV PCM_24", 1),
        (encoded(SAMPLES, subtype="FLOAT"), "WAV FLOAT", 1),
        (encoded(SAMPLES, subtype="PCM_24", file_format="WAVEX"), "WAVEX PCM_24", 1),
        (encoded(SAMPLES, file_format="FLAC"), "FLAC PCM_16", 1),
        (encoded(np.stack([SAMPLES, SAMPLES], axis=1)), "WAV PCM_16", 2),
    ],
)
def test_a_recording_says_how_it_is_encoded(content: bytes, encoding: str, channels: int) -> None:
    recording = decode_recording(content, "anna.wav")
    assert (recording.encoding, len(recording.channels)) == (encoding, channels)
    assert recording.sha256 == hashlib.sha256(content).hexdigest()
    np.testing.assert_allclose(recording.channels[0].samples, SAMPLES, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Anna, calm (1).wav", "Anna-calm-1"),
        ("../../etc/passwd", "passwd"),
        ("安娜.wav", "安娜"),
        ("....wav", "voice"),
        (f"{'a' * 90}.wav", "a" * 40),
    ],
)
def test_its_place_is_a_file_name_with_its_digest(name: str, stem: str) -> None:
    recording = decode_recording(encoded(SAMPLES), name)
    assert recording.place == f"references/{recording.sha256[:16]}-{stem}.wav"


@pytest.mark.parametrize("content", [None, b"", b"RIFF\0\0\0\0WAVE", b"not audio at all"])
def test_what_is_no_audio_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "anna.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"anna\.wav"):
        read_recording(path)


def test_a_recording_is_stored_once_and_again_where_it_is_damaged(tmp_path: Path) -> None:
    content = write_clip(tmp_path / "in.wav", SAMPLES).read_bytes()
    catalogue = tmp_path / "mine" / "voices.yaml"
    assert store_recording(catalogue, "references/x.wav", content)
    assert not store_recording(catalogue, "references/x.wav", content)
    stored = catalogue.parent / "references" / "x.wav"
    stored.write_bytes(content[:-10])
    assert store_recording(catalogue, "references/x.wav", content)
    assert stored.read_bytes() == content
    assert [path.name for path in stored.parent.iterdir()] == ["x.wav"]


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait()
        with writing_alone(tmp_path):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with writing_alone(tmp_path):
        inside.set()
        thread.join(timeout=0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]

"""What libsndfile cannot read comes through ffmpeg, in bounded memory, or says what to install."""

import shutil
import stat
import struct
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.io.recordings.audio import UnreadableAudioError, count_channels, open_audio

TALK = np.stack([np.linspace(-0.5, 0.5, 9000), np.linspace(0.25, -0.25, 9000)], axis=1).astype(np.float32)
HEAD = b"\0\0\0\x18ftypM4A "
AU = struct.pack(">4s5I", b".snd", 28, 0xFFFFFFFF, 6, 8000, 2) + b"made"


def fake_ffmpeg(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """An ffmpeg whose files hold, after the head of an m4a, what it is to write."""
    program = folder / "bin" / "ffmpeg"
    program.parent.mkdir()
    find = 'for word in "$@"; do case "$word" in file:*) file="${word#file:}";; esac; done'
    program.write_text(f"#!/bin/sh\n{find}\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def m4a(folder: Path, content: bytes, name: str = "call.m4a") -> Path:
    path = folder / name
    path.write_bytes(HEAD + content)
    return path


@pytest.mark.parametrize("block", [1000, 9000, 100_000])
def test_blocks_and_excerpts_are_what_ffmpeg_decodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, 'tail -c +13 "$file"')
    path = m4a(tmp_path, AU + TALK.astype(">f4").tobytes(), "a call: 1.m4a")
    source = open_audio((path,))
    assert (source.sampling_rate, source.num_samples, source.channels) == (8000, 9000, 2)
    assert source.encoding == "FFMPEG/MP4"
    np.testing.assert_array_equal(np.concatenate(list(source.blocks(block))), TALK)
    np.testing.assert_array_equal(source.excerpt(8500, 9500), np.pad(TALK[8500:], ((0, 500), (0, 0))))
    assert count_channels(path) == 2


def test_a_file_beside_one_that_libsndfile_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, 'tail -c +13 "$file"')
    mono = struct.pack(">4s5I", b".snd", 24, 0, 6, 8000, 1) + TALK[:, 0].astype(">f4").tobytes()
    soundfile.write(tmp_path / "b.wav", TALK[:, 1], 8000, subtype="FLOAT")
    source = open_audio((m4a(tmp_path, mono), tmp_path / "b.wav"))
    np.testing.assert_array_equal(source.excerpt(0, 9000), TALK)


def test_a_long_file_is_never_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, 'tail -c +13 "$file"; head -c 80000000 /dev/zero')
    path = m4a(tmp_path, AU)
    tracemalloc.start()
    try:
        source = open_audio((path,))
        heard = sum(len(block) for block in source.blocks(8 * 8000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert heard == source.num_samples == 10_000_000
    assert peak < 8_000_000


def test_who_reads_no_further_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, 'tail -c +13 "$file"; exec cat /dev/zero')
    assert count_channels(m4a(tmp_path, AU)) == 2


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (
            "echo 'moov atom not found' >&2; echo more >&2; exit 1",
            r"cannot decode it \(moov atom not found\)",
        ),
        (
            'tail -c +13 "$file"; echo broken >&2; exit 69',
            r"cannot decode it \(broken\); or convert it to wav",
        ),
        ("exit 3", "exit code 3"),
        ("exit 0", "finds no audio in it"),
        ("head -c 4000 /dev/zero", "wanted an AU header"),
    ],
)
def test_what_ffmpeg_cannot_decode_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, problem: str
) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, script)
    path = m4a(tmp_path, AU + TALK.astype(">f4").tobytes())
    with pytest.raises(UnreadableAudioError, match=problem):
        open_audio((path,))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (HEAD, "MP4"),
        (b"\xff\xf1\x50\x80", "AAC"),
        (b"\x1aE\xdf\xa3", "Matroska"),
        (b"#!AMR\n", "AMR"),
        (b"\x30\x26\xb2\x75", "Windows Media"),
        (b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\n", "shorten-compressed SPHERE"),
    ],
)
def test_without_ffmpeg_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes, kind: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "call.wav").write_bytes(head + bytes(2000))
    with pytest.raises(
        UnreadableAudioError, match=f"{kind} is read through ffmpeg, .* install it; or convert"
    ):
        open_audio((tmp_path / "call.wav",))
    assert count_channels(tmp_path / "call.wav") == 0


def test_ffmpeg_is_never_asked_for_what_libsndfile_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, "exit 9")
    for suffix, format_ in (
        ("wav", "WAV"),
        ("flac", "FLAC"),
        ("mp3", "MP3"),
        ("ogg", "OGG"),
        ("sph", "NIST"),
    ):
        soundfile.write(tmp_path / f"a.{suffix}", TALK, 8000, format=format_)
        assert open_audio((tmp_path / f"a.{suffix}",)).encoding.startswith(format_[:3])


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg on PATH")
@pytest.mark.parametrize(("suffix", "codec"), [("m4a", "aac"), ("mka", "flac"), ("webm", "libopus")])
def test_the_real_ffmpeg_gives_back_what_it_encoded(tmp_path: Path, suffix: str, codec: str) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, tone / 2], axis=1), 48_000, subtype="FLOAT")
    encoded = tmp_path / f"a.{suffix}"
    made = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(tmp_path / "a.wav"), "-c:a", codec, str(encoded)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"this ffmpeg has no encoder {codec}")
    source = open_audio((encoded,))
    heard = source.excerpt(0, 48_000)
    assert (source.sampling_rate, source.channels) == (48_000, 2)
    # A codec changes samples but must not move them: 1024 of delay, AAC's, would turn this tone nearly upside down.
    assert np.corrcoef(heard[:, 0], tone)[0, 1] > 0.98
    assert np.corrcoef(heard[:, 1], tone)[0, 1] > 0.98

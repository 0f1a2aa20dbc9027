"""Audio of every kind is read block by block, and what cannot be read says why."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.io.recordings.audio import UnreadableAudioError, WrongChannelsError, count_channels, open_audio

RAMP = np.stack([np.linspace(-0.5, 0.5, 9000), np.linspace(0.25, -0.25, 9000)], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        ("wav", "PCM_16", 1e-4),
        ("wav", "PCM_24", 1e-6),
        ("wav", "FLOAT", 0.0),
        ("wav", "ULAW", 0.02),
        ("flac", "PCM_16", 1e-4),
        ("flac", "PCM_24", 1e-6),
        ("sph", "ULAW", 0.02),
    ],
)
@pytest.mark.parametrize("block", [1000, 4096, 9000, 100_000])
def test_blocks_are_the_file(tmp_path: Path, suffix: str, subtype: str, tolerance: float, block: int) -> None:
    path = tmp_path / f"call.{suffix}"
    soundfile.write(path, RAMP, 8000, subtype=subtype, format={"sph": "NIST"}.get(suffix))
    source = open_audio((path,))
    assert (source.sampling_rate, source.num_samples, source.channels) == (8000, 9000, 2)
    assert np.abs(np.concatenate(list(source.blocks(block))) - RAMP).max() <= tolerance
    assert np.abs(source.excerpt(100, 250) - RAMP[100:250]).max() <= tolerance


def test_the_header_decides_not_the_suffix(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.sph", RAMP, 8000, subtype="ULAW", format="NIST")
    named = (tmp_path / "a.sph").rename(tmp_path / "a.wav")
    assert open_audio((named,)).encoding == "NIST/ULAW"


def test_two_files_are_two_channels_and_the_shorter_one_is_padded(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", RAMP[:, 0], 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", RAMP[:8500, 1], 8000, subtype="FLOAT")
    blocks = np.concatenate(list(open_audio((tmp_path / "a.wav", tmp_path / "b.wav")).blocks(700)))
    assert blocks.shape == (9000, 2)
    np.testing.assert_array_equal(blocks[:8500], RAMP[:8500])
    assert not blocks[8500:, 1].any()


def shorten(path: Path) -> None:
    header = "NIST_1A\n   1024\nsample_coding -s26 ulaw,embedded-shorten-v2.00\nend_head\n"
    path.write_bytes(header.ljust(1024).encode() + bytes(500))


def cut(path: Path) -> None:
    path.write_bytes(b"RIFF" + struct.pack("<I", 99) + b"WAVEfm")


def empty_wav(path: Path) -> None:
    soundfile.write(path, RAMP[:0], 8000)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (shorten, "shorten-compressed SPHERE: convert it with sph2pipe"),
        (cut, "cannot be read as audio"),
        (empty_wav, "holds not one sample"),
        (lambda path: path.write_bytes(b""), "cannot be read as audio"),
        (lambda path: path.write_text("no audio"), "wanted wav, flac, ogg, mp3 or plain sph"),
        (lambda path: None, "cannot be read as audio"),
    ],
)
def test_what_is_no_audio_says_why(tmp_path: Path, make: object, problem: str) -> None:
    path = tmp_path / "call.wav"
    make(path)  # type: ignore[operator]
    with pytest.raises(UnreadableAudioError, match=problem):
        open_audio((path,))


def test_three_channels_are_no_conversation_of_two(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((800, 3)), 8000)
    with pytest.raises(WrongChannelsError, match="3 channels; wanted one or two"):
        open_audio((tmp_path / "a.wav",))


@pytest.mark.parametrize(
    ("rate", "samples", "problem"), [(16_000, 9000, "rates differ"), (8000, 5000, "equal length")]
)
def test_two_sides_must_fit(tmp_path: Path, rate: int, samples: int, problem: str) -> None:
    soundfile.write(tmp_path / "a.wav", RAMP[:, 0], 8000)
    soundfile.write(tmp_path / "b.wav", RAMP[:samples, 1], rate)
    with pytest.raises(UnreadableAudioError, match=problem):
        open_audio((tmp_path / "a.wav", tmp_path / "b.wav"))


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    broken = RAMP.copy()
    broken[500, 1] = np.nan
    soundfile.write(tmp_path / "a.wav", broken, 8000, subtype="FLOAT")
    with pytest.raises(UnreadableAudioError, match="are no numbers"):
        list(open_audio((tmp_path / "a.wav",)).blocks(4000))


def test_channels_are_counted_without_reading(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", RAMP, 8000)
    assert count_channels(tmp_path / "a.wav") == 2
    assert count_channels(tmp_path / "b.wav") == 0

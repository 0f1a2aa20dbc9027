"""Recordings as they come: one file or two, any depth, any rate."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.domain.errors import ConfigError
from pipeline.io.waves import read_channels, read_conversations


def write(path: Path, channels: int, subtype: str = "PCM_16") -> Path:
    samples = np.linspace(-0.5, 0.5, 800 * channels).reshape(-1, channels)
    soundfile.write(path, samples, 8000, subtype=subtype)
    return path


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
def test_every_depth_is_read_at_its_level(tmp_path: Path, subtype: str) -> None:
    (channel,) = read_channels(write(tmp_path / "a.wav", 1, subtype))
    assert channel.samples.dtype == np.float32
    assert channel.sampling_rate == 8000
    assert float(np.abs(channel.samples).max()) == pytest.approx(0.5, abs=0.02)


def test_channels_are_apart_and_contiguous(tmp_path: Path) -> None:
    left, right = read_channels(write(tmp_path / "a.wav", 2))
    assert (left.name, right.name) == ("a:0", "a:1")
    assert left.samples.flags.c_contiguous
    assert right.samples[0] > left.samples[0]


def test_two_mono_files_or_one_of_two_channels_make_a_conversation(tmp_path: Path) -> None:
    stereo, a, b = (write(tmp_path / f"{n}.wav", c) for n, c in (("s", 2), ("a", 1), ("b", 1)))
    assert read_conversations((stereo, a, b, stereo)) == ((stereo,), (a, b), (stereo,))


@pytest.mark.parametrize(
    ("channels", "complaint"),
    [
        ((1,), "who speaks on the other side"),
        ((1, 2), "got 2 channel"),
        ((3,), "got 3 channel"),
    ],
)
def test_what_is_no_conversation_of_two_is_refused(
    tmp_path: Path, channels: tuple[int, ...], complaint: str
) -> None:
    paths = tuple(write(tmp_path / f"{i}.wav", count) for i, count in enumerate(channels))
    with pytest.raises(ConfigError, match=complaint):
        read_conversations(paths)


def test_what_is_no_audio_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no audio", encoding="utf-8")
    for read in (read_channels, lambda one: read_conversations((one,))):
        with pytest.raises(ConfigError, match=r"notes\.txt: cannot be read as audio"):
            read(path)

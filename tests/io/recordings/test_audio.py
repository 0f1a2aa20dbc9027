"""Audio of every kind is read block by block, and what cannot be read says why."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pipeline.io.recordings.audio import (
    AudioFile,
    UnreadableAudioError,
    WrongChannelsError,
    count_channels,
    open_audio,
)

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
        (shorten, "shorten-compressed SPHERE is read through ffmpeg, .* or convert it with sph2pipe -f wav"),
        (cut, "cannot be read as audio"),
        (empty_wav, "holds not one sample"),
        (lambda path: path.write_bytes(b""), "cannot be read as audio"),
        (lambda path: path.write_text("no audio"), "wanted wav, flac, ogg, mp3, sph, or what ffmpeg reads"),
        (lambda path: None, "there is no such file"),
    ],
)
def test_what_is_no_audio_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object, problem: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # without an ffmpeg
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


def lay_out_call(
    folder: Path, leads_ms: dict[str, tuple[int, ...]], lengths: dict[str, int]
) -> tuple[Path, Path]:
    """A Harper Valley call: each side's file holds its column of RAMP from the lead on, silence before."""
    rows = [
        {"speaker_role": role, "start_ms": 500 * n, "offset_ms": 500 * n + lead}
        for role, leads in leads_ms.items()
        for n, lead in enumerate(leads)
    ]
    (folder / "transcript").mkdir()
    (folder / "transcript" / "00112233aabbccdd.json").write_text(json.dumps(rows))
    paths = []
    for column, role in enumerate(("caller", "agent")):
        side = np.zeros(lengths[role], np.float32)
        lead = 8 * leads_ms[role][0]
        said = RAMP[max(-lead, 0) :, column][: max(len(side) - max(lead, 0), 0)]
        side[max(lead, 0) :][: len(said)] = said
        paths.append(folder / "audio" / role / "00112233aabbccdd.wav")
        paths[-1].parent.mkdir(parents=True)
        soundfile.write(paths[-1], side, 8000, subtype="FLOAT")
    return paths[0], paths[1]


@pytest.mark.parametrize("lead_ms", [250, 0, -250])
@pytest.mark.parametrize("block", [1000, 4096, 100_000])
def test_sides_that_were_not_started_together_are_on_one_clock(
    tmp_path: Path, lead_ms: int, block: int
) -> None:
    lengths = {"caller": 9000, "agent": 9000 + 8 * lead_ms}
    source = open_audio(
        lay_out_call(tmp_path, {"caller": (0,), "agent": (lead_ms, lead_ms + 10, lead_ms)}, lengths)
    )
    expected = RAMP.copy()
    expected[: max(-8 * lead_ms, 0), 1] = 0
    assert source.num_samples == 9000
    np.testing.assert_array_equal(np.concatenate(list(source.blocks(block))), expected)
    np.testing.assert_array_equal(source.excerpt(1500, 3500), expected[1500:3500])


@pytest.mark.parametrize(
    ("leads_ms", "agent", "problem"),
    [
        ({"caller": (0,), "agent": (2000, 2500)}, 9000, "begins between 2000 and 2500 ms before"),
        ({"caller": (0,)}, 9000, "no segment of the agent"),
        ({"caller": (0,), "agent": (2000,)}, 9000, "one ends before the conversation starts"),
    ],
)
def test_sides_that_cannot_be_aligned_are_refused(
    tmp_path: Path, leads_ms: dict[str, tuple[int, ...]], agent: int, problem: str
) -> None:
    paths = lay_out_call(tmp_path, {"agent": (0,), **leads_ms}, {"caller": 9000, "agent": agent})
    if "agent" not in leads_ms:
        rows = json.dumps([{"speaker_role": "caller", "start_ms": 0, "offset_ms": 0}])
        (tmp_path / "transcript" / "00112233aabbccdd.json").write_text(rows)
    with pytest.raises(UnreadableAudioError, match=problem):
        open_audio(paths)


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audio") / "a.wav"
    soundfile.write(path, RAMP, 8000, subtype="FLOAT")
    return path


@given(
    lead=st.integers(-12_000, 12_000),
    start=st.integers(0, 20_000),
    pieces=st.lists(st.integers(0, 9000), max_size=4),
)
def test_a_file_is_silent_before_its_beginning_and_after_its_end(
    one_file: Path, lead: int, start: int, pieces: list[int]
) -> None:
    with AudioFile(one_file, 8000, 9000, 2, "WAV/FLOAT", lead=lead).opened(start) as read:
        heard = [read(piece) for piece in pieces]
    assert [len(block) for block in heard] == pieces
    everything = np.pad(RAMP, ((40_000, 60_000), (0, 0)))[40_000 + start + lead :]
    np.testing.assert_array_equal(np.concatenate([RAMP[:0], *heard]), everything[: sum(pieces)])

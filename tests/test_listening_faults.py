"""Files as they come: cut off, damaged, mislabelled, tiny, huge. Each is heard, or refused with code and reason."""

import os
import re
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from pipeline.backends.vad.frames import find_frame_detector
from pipeline.core.heard import Frames, Heard
from pipeline.domain.mining import Recording, RejectCode, Rights
from pipeline.io.recordings.declaration import Listening
from pipeline.listening import listen_to
from tests.calls import SECONDS, TALK_A, TALK_B, call, write_call

RIGHTS = Rights(corpus="made-up", licence_id="CC0-1.0", consent_basis="invented")


def heard_in(path: Path) -> tuple[Heard, Frames | None]:
    recording = Recording(recording_id="call", audio=(path.name,), rights=RIGHTS)
    return listen_to(recording, path.parent, Listening(), find_frame_detector("energy"))


def talkspurts(heard: Heard) -> list[int]:
    assert heard.activity is not None, heard.detail
    return [len(speaker.talkspurts) for speaker in heard.activity.speakers]


FORMATS = ("PCM_U8.wav", "ULAW.wav", "PCM_24.wav", "FLOAT.wav", "DOUBLE.wav", "PCM_24.flac", "VORBIS.ogg")


@pytest.mark.parametrize(
    ("rate", "name"),
    [
        *((8000, name) for name in FORMATS),
        *((rate, "PCM_16.wav") for rate in (8000, 11_025, 44_100, 192_000)),
    ],
)
def test_every_rate_and_sample_format_is_heard_alike(tmp_path: Path, rate: int, name: str) -> None:
    a, b = ((0.5, 2.0), (4.0, 5.0)), ((2.5, 3.5),)
    subtype, suffix = name.split(".")
    path = write_call(tmp_path / f"call.{suffix}", call(rate, a, b, seconds=6.0), rate, subtype)
    heard, frames = heard_in(path)
    assert heard.activity is not None, heard.detail
    for speaker, wanted in zip(heard.activity.speakers, (a, b), strict=True):
        found = [span.seconds(rate) for span in speaker.talkspurts]
        assert np.abs(np.array(found) - np.array(wanted)).max() <= 0.04
    assert frames is not None
    assert frames.levels.shape == frames.clipped.shape == (2, 600)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])


def scratched(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = np.random.default_rng(2).bytes(4000)
    path.write_bytes(content)


def set_flac_length(path: Path, num_samples: int) -> None:
    """36 bits of the stream's head; 0 is what a stream has that was written before its end was known."""
    content = bytearray(path.read_bytes())
    content[21] = content[21] & 0xF0 | num_samples >> 32
    content[22:26] = struct.pack(">I", num_samples & 0xFFFFFFFF)
    path.write_bytes(content)


def set_wav_bytes(path: Path, num_bytes: int) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", num_bytes)
    path.write_bytes(content)


REFUSED: dict[str, tuple[str, Callable[[Path], object], RejectCode, str]] = {
    "not one byte": (
        "a.wav",
        lambda path: path.write_bytes(b""),
        RejectCode.IO_ERROR,
        "cannot be read as audio",
    ),
    "a head alone": (
        "a.wav",
        lambda path: os.truncate(path, 30),
        RejectCode.IO_ERROR,
        "cannot be read as audio",
    ),
    "text": ("a.wav", lambda path: path.write_text("hello\n" * 99), RejectCode.IO_ERROR, "wanted wav, flac"),
    "a folder": ("a.wav", lambda path: (path.unlink(), path.mkdir()), RejectCode.IO_ERROR, "a.wav"),
    "gone": ("a.wav", lambda path: path.unlink(), RejectCode.IO_ERROR, "a.wav"),
    "a flac that was cut off": ("a.flac", cut_off, RejectCode.IO_ERROR, "cannot be decoded"),
    "a scratched flac": ("a.flac", scratched, RejectCode.IO_ERROR, "cannot be decoded"),
    "a stream without a length": (
        "a.flac",
        lambda path: set_flac_length(path, 0),
        RejectCode.IO_ERROR,
        "how long",
    ),
    "a length of months": (
        "a.flac",
        lambda path: set_flac_length(path, 2**36 - 1),
        RejectCode.IO_ERROR,
        "2386",
    ),
    "one sample": (
        "a.wav",
        lambda path: write_call(path, call()[:1]),
        RejectCode.ONE_SPEAKER,
        "0 of 2 speakers are heard in 0.000 s; wanted two",
    ),
    "one second": (
        "a.wav",
        lambda path: write_call(path, call()[8000:16_000]),
        RejectCode.ONE_SPEAKER,
        "1 of 2 speakers are heard in 1.000 s; wanted two",
    ),
    "a rate of 1 Hz": (
        "a.wav",
        lambda path: write_call(path, call(), 1),
        RejectCode.IO_ERROR,
        "1 Hz; wanted 4000 to 768000 Hz",
    ),
    "a rate of 3 MHz": (
        "a.wav",
        lambda path: write_call(path, call(), 3_000_000),
        RejectCode.IO_ERROR,
        "3000000 Hz; wanted 4000 to 768000 Hz",
    ),
    "samples beyond every scale": (
        "a.wav",
        lambda path: write_call(path, call() * 1e30, subtype="FLOAT"),
        RejectCode.IO_ERROR,
        "e+29; wanted -1 to 1, or the scale of integers",
    ),
    "a wav that was cut off": (
        "a.wav",
        cut_off,
        RejectCode.IO_ERROR,
        f"its head says {SECONDS:.3f} s, it holds {0.6 * SECONDS - 0.001:.3f} s; wanted all of it",
    ),
    "three channels": (
        "a.wav",
        lambda path: write_call(path, np.zeros((8000, 3), np.float32)),
        RejectCode.CHANNEL_COUNT,
        "3 channels; wanted one or two",
    ),
    "an infinite sample": (
        "a.wav",
        lambda path: write_call(
            path, np.where(np.arange(8000)[:, None] == 5, np.inf, call()[:8000]), subtype="FLOAT"
        ),
        RejectCode.IO_ERROR,
        "no numbers",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_cannot_be_heard_is_refused_with_code_and_reason(tmp_path: Path, fault: str) -> None:
    name, break_it, code, reason = REFUSED[fault]
    path = write_call(tmp_path / name, call())
    break_it(path)
    heard, _ = heard_in(path)
    assert heard.activity is None
    assert [problem.code for problem in heard.problems] == [code]
    assert reason in (heard.detail or "")


def test_a_wav_that_lacks_some_samples_of_its_last_block_is_heard(tmp_path: Path) -> None:
    path = write_call(tmp_path / "a.wav", call())
    os.truncate(path, path.stat().st_size - 1000)
    heard, _ = heard_in(path)
    assert talkspurts(heard) == [len(TALK_A), len(TALK_B)]


def test_a_wav_of_a_stream_that_claims_four_gigabytes_is_as_long_as_it_is(tmp_path: Path) -> None:
    path = write_call(tmp_path / "a.wav", call())
    set_wav_bytes(path, 0xFFFFFFF0)
    heard, _ = heard_in(path)
    assert heard.probed is not None
    assert heard.probed.duration_s == pytest.approx(SECONDS, abs=0.01)
    assert talkspurts(heard) == [len(TALK_A), len(TALK_B)]


PAIRS: dict[str, tuple[Callable[[], npt.NDArray[np.float32]], RejectCode, str]] = {
    "one side twice": (
        lambda: np.repeat(call()[:, :1], 2, axis=1),
        RejectCode.DUPLICATE_CHANNEL,
        r"call: the two channels are alike \(correlation 1\.000; wanted below 0\.98\).*; give",
    ),
    "one side twice, later": (
        lambda: np.stack([call()[:, 0], np.roll(call()[:, 0], 2000)], axis=1),
        RejectCode.CHANNEL_SWAP_SUSPECT,
        r"call: the second channel repeats the first 0\.250 s later; wanted 0\.1 s or less.*; shift",
    ),
    "bleed of -6 dB": (
        lambda: call(bleed_db=-6.0),
        RejectCode.CROSSTALK,
        r"call: .* [5-7]\.\d dB weaker in the other channel; wanted 11\.5 dB or more; .*diarizer",
    ),
}


@pytest.mark.parametrize("fault", PAIRS)
def test_two_channels_that_are_no_two_sides_are_refused_with_figure_and_remedy(
    tmp_path: Path, fault: str
) -> None:
    samples, code, reason = PAIRS[fault]
    heard, _ = heard_in(write_call(tmp_path / "a.wav", samples()))
    assert [problem.code for problem in heard.problems] == [code]
    assert re.search(reason, heard.detail or ""), heard.detail


@pytest.mark.parametrize("speakers", [("ann",), ("ann", "bob", "cyd")])
def test_names_that_do_not_fit_two_channels_are_refused(tmp_path: Path, speakers: tuple[str, ...]) -> None:
    path = write_call(tmp_path / "a.wav", call())
    recording = Recording(recording_id="call", audio=(path.name,), speakers=speakers, rights=RIGHTS)
    heard, _ = listen_to(recording, tmp_path, Listening(), find_frame_detector("energy"))
    assert [problem.code for problem in heard.problems] == [RejectCode.IO_ERROR]
    assert "for two channels; wanted two, by channel, or none" in (heard.detail or "")


def test_samples_on_the_scale_of_integers_are_heard_and_known_to_clip(tmp_path: Path) -> None:
    heard, frames = heard_in(write_call(tmp_path / "a.wav", call() * 32768, subtype="FLOAT"))
    assert talkspurts(heard) == [len(TALK_A), len(TALK_B)]
    assert heard.probed is not None
    assert min(channel.clipped_share for channel in heard.probed.channels) > 0.1
    assert frames is not None
    assert frames.clipped.sum() > 1000


@pytest.mark.slow
def test_four_hours_are_heard_in_a_fifth_of_the_memory_that_their_samples_would_take(tmp_path: Path) -> None:
    """Blocks pass by; what stays are levels and decisions per 5 and 10 ms."""
    path, repeats = tmp_path / "long.wav", 314
    samples = call()
    with soundfile.SoundFile(path, "w", 8000, 2, subtype="ULAW") as file:
        for _ in range(repeats):
            file.write(samples)
    tracemalloc.start()
    try:
        heard, frames = heard_in(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert heard.probed is not None
    assert heard.probed.duration_s == pytest.approx(repeats * SECONDS)
    assert heard.probed.duration_s > 4 * 3600
    assert talkspurts(heard) == [repeats * len(TALK_A), repeats * len(TALK_B)]
    assert frames is not None
    assert peak < repeats * samples.nbytes / 5

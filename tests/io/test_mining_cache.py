"""What was heard is kept under its key, and damage counts as absence."""

import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.heard import Frames, Heard, pack_levels
from pipeline.core.probing import ProbedAudio
from pipeline.domain.mining import RecordedActivity, SpeakerActivity
from pipeline.domain.span import Span
from pipeline.io.mining_cache import MiningCache, content_key

HEARD = Heard(
    recording_id="corpus:one",
    probed=ProbedAudio(
        paths=("a.wav",),
        sampling_rate=8000,
        num_samples=8000,
        encoding="WAV/PCM_16",
        channels=(),
        correlation=None,
        lag_s=None,
    ),
    activity=RecordedActivity(
        recording_id="corpus:one",
        sampling_rate=8000,
        num_samples=8000,
        mode="two_channel",
        speakers=(SpeakerActivity(speaker="A", channel=0, talkspurts=(Span(0, 800),)),),
    ),
)
FRAMES = Frames(np.full((2, 100), 80, np.uint8), np.zeros((2, 100), np.uint16))


def test_what_was_put_is_found_under_its_key_only(tmp_path: Path) -> None:
    cache = MiningCache(tmp_path)
    cache.put("key", HEARD, FRAMES)
    assert cache.find("corpus:one", "key") == HEARD
    assert cache.find("corpus:one", "other") is None
    assert cache.find("corpus:two", "key") is None
    frames = cache.load_frames(HEARD)
    assert frames is not None
    np.testing.assert_array_equal(frames.levels, FRAMES.levels)


def test_ids_that_differ_by_a_colon_do_not_meet(tmp_path: Path) -> None:
    cache = MiningCache(tmp_path)
    cache.put("key", HEARD, FRAMES)
    assert cache.find("corpus_one", "key") is None


def test_what_a_killed_writer_left_is_no_entry(tmp_path: Path) -> None:
    cache = MiningCache(tmp_path)
    cache.put("key", HEARD, FRAMES)
    (entry,) = tmp_path.glob("*.json")
    (tmp_path / f".partial-1-0-{entry.name}").write_bytes(entry.read_bytes())
    assert list(cache.entries()) == [HEARD]


def test_levels_are_kept_to_half_a_decibel() -> None:
    levels = np.linspace(-100, 0, 999, dtype=np.float32)[None]
    kept = Frames(pack_levels(levels), np.zeros((1, 999), np.uint16)).levels_db(0)
    assert np.abs(kept - levels[0]).max() <= 0.2501


def write_at(path: Path, content: bytes, changed_ns: int = 10**18) -> Path:
    path.write_bytes(content)
    os.utime(path, ns=(changed_ns, changed_ns))
    return path


def test_a_key_follows_the_file_not_its_name(tmp_path: Path) -> None:
    first, second = (write_at(tmp_path / name, b"x" * 3_000_000) for name in "ab")
    assert content_key((first,)) == content_key((second,))
    write_at(second, b"x" * 2_999_999 + b"y")
    assert content_key((first,)) != content_key((second,))
    assert content_key((first, second)) != content_key((second, first))


def test_an_edit_in_the_middle_gives_another_key(tmp_path: Path) -> None:
    """Neither size, head nor tail tell."""
    path = write_at(tmp_path / "a", b"x" * 5_000_000)
    before = content_key((path,))
    with path.open("r+b") as file:
        file.seek(2_500_000)
        file.write(b"y")
    assert content_key((path,)) != before


def test_a_file_of_nothing_has_a_key_and_a_missing_one_has_none(tmp_path: Path) -> None:
    assert content_key((write_at(tmp_path / "a", b""),)) != content_key(())
    with pytest.raises(FileNotFoundError):
        content_key((tmp_path / "b",))

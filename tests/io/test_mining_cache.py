"""What was heard is kept under its key, and damage counts as absence."""

from pathlib import Path

import numpy as np

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


def test_levels_are_kept_to_half_a_decibel() -> None:
    levels = np.linspace(-100, 0, 999, dtype=np.float32)[None]
    kept = Frames(pack_levels(levels), np.zeros((1, 999), np.uint16)).levels_db(0)
    assert np.abs(kept - levels[0]).max() <= 0.2501


def test_a_key_follows_the_content_not_the_name(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"x" * 3_000_000)
    second.write_bytes(b"x" * 3_000_000)
    assert content_key((first,)) == content_key((second,))
    second.write_bytes(b"x" * 2_999_999 + b"y")
    assert content_key((first,)) != content_key((second,))
    assert content_key((first, second)) != content_key((second, first))

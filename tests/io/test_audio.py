from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from pipeline.io.audio import RunAudio
from pipeline.io.files import audio_digest, audio_file_digest

NOISE = np.random.default_rng(1).integers(-9_000, 9_000, (700_000, 2)).astype(np.int16)
"""More than one piece of reading, as wav and as flac."""


@pytest.mark.parametrize("file_format", ["wav", "flac"])
def test_a_written_file_is_known_by_its_bytes(tmp_path: Path, file_format: Literal["wav", "flac"]) -> None:
    audio = RunAudio(tmp_path).write_audio("en-1", NOISE, 24_000, file_format)
    content = (tmp_path / audio.path).read_bytes()
    assert len(content) == audio.num_bytes > 2**20
    assert audio.digest == audio_digest([content]) == audio_file_digest(tmp_path / audio.path)


def test_the_digest_is_the_published_xxh3_of_128_bits() -> None:
    # Test vector of the algorithm's own description: the empty input, seed 0.
    assert audio_digest([]) == "xxh3:99aa06d3014798d86001c324468d497f"


@pytest.mark.parametrize("place", [0, 44, 1_000_000, -1])
def test_one_flipped_bit_makes_another_digest(tmp_path: Path, place: int) -> None:
    audio = RunAudio(tmp_path).write_audio("en-1", NOISE, 24_000, "wav")
    content = bytearray((tmp_path / audio.path).read_bytes())
    content[place] ^= 1
    (tmp_path / audio.path).write_bytes(content)
    assert audio_file_digest(tmp_path / audio.path) != audio.digest

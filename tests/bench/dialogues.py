"""Long made-up dialogues with clips in a real store, no two alike."""

import zlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from pipeline.domain.labels import Speaker
from pipeline.domain.script import Follows
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.voice import Clip
from pipeline.io.store import Store
from tests.spoken import RATE, Line, script_of, speak

SENTENCE = "The green line goes every ten minutes from market"
"""With the dialogue's and the sentence's own words 3.3 s in made-up clips: 27 of them with their pauses are
100 s."""


def long_dialogue(number: int, sentences: int) -> SpokenScript:
    """Turns of three sentences, by turns; every clip is this dialogue's own."""
    lines: list[Line] = []
    for index in range(sentences):
        turn = index // 3
        speaker = Speaker.USER if turn % 2 == 0 else Speaker.ASSISTANT
        lines.append((speaker, turn, f"{SENTENCE} {_spelt(number)} {_spelt(index)}", Follows()))
    return speak(script_of(tuple(lines), dialogue_id=f"en-bench-{number}"))


def _spelt(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def store_clips(store: Store, dialogues: Iterable[SpokenScript]) -> None:
    """Put made-up clips into a store, under the digests that their dialogues know them by."""
    for entry in {e.clip.digest: e for one in dialogues for e in one.clips}.values():
        clip = entry.clip
        samples = _speechlike(clip.digest, clip.num_samples)
        store.put_clip(
            clip.digest, Clip(samples=samples, sampling_rate=RATE, words=clip.words, engine=clip.engine)
        )


def _speechlike(name: str, num_samples: int) -> npt.NDArray[np.float32]:
    """Noise with more bass than treble that swells and fades with every word: it compresses as speech does."""
    noise = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(num_samples)
    swell = 0.02 + np.sin(np.pi * np.arange(num_samples) / (0.3 * RATE)) ** 2
    wave = swell * lfilter([1.0], [1.0, -1.6, 0.7], noise)
    return np.asarray(0.5 * wave / np.abs(wave).max(), dtype=np.float32)

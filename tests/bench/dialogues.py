"""Long made-up dialogues with clips in a real store."""

import numpy as np

from pipeline.domain.labels import Speaker
from pipeline.domain.script import Follows, Script
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.voice import Clip
from pipeline.io.store import Store
from tests.spoken import RATE, Line, load_clip, script_of, speak

SENTENCE = "The green line goes there every ten minutes from the market"
"""3.3 s in made-up clips: thirty of them with their pauses are about 100 s."""


def long_dialogue(number: int, sentences: int) -> SpokenScript:
    """Turns of three sentences, by turns."""
    lines: list[Line] = []
    for index in range(sentences):
        turn = index // 3
        speaker = Speaker.USER if turn % 2 == 0 else Speaker.ASSISTANT
        lines.append((speaker, turn, f"{SENTENCE} {'abcdefghij'[index % 10]}", Follows()))
    return speak(bare_script(tuple(lines), number))


def bare_script(lines: tuple[Line, ...], number: int) -> Script:
    return script_of(lines, dialogue_id=f"en-bench-{number}")


def store_clips(store: Store, spoken: SpokenScript) -> None:
    """Put the made-up clips of a dialogue into a store, under the digests that they are known by."""
    for entry in spoken.clips:
        samples = load_clip(entry.clip.digest).astype(np.float32) / np.float32(32_768)
        store.put_clip(
            entry.clip.digest,
            Clip(samples=samples, sampling_rate=RATE, words=entry.clip.words, engine=entry.clip.engine),
        )

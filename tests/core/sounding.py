"""A sound dialogue made of noise bursts, for faults to be planted in.

::

    user       |= query =|                  |= stop =|                     0.5-1.5   3.0-4.0 s
    assistant               |=== answer ==~|             |= reaction =|    1.8-3.3   4.3-5.3 s
"""

import numpy as np
import numpy.typing as npt

from pipeline.core.loudness import integrated_loudness_lufs
from pipeline.domain.events import EventType
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.scene import Scene
from pipeline.domain.span import Span, to_samples
from pipeline.domain.timeline import (
    AudioFile,
    Dialogue,
    Provenance,
    Supervision,
    Timeline,
    Voicing,
)
from pipeline.domain.words import TimeSource, Word
from pipeline.io.files import audio_digest
from tests.placed import event_of

RATE = 8000
SECONDS = 5.6
FADE = to_samples(0.02, RATE)
Pcm = npt.NDArray[np.int16]


def at(seconds: float) -> int:
    return to_samples(seconds, RATE)


def supervision(
    name: str, speaker: Speaker, start_s: float, end_s: float, *, truncated: bool = False, turn: int = 0
) -> Supervision:
    start, middle, end = at(start_s), at((start_s + end_s) / 2), at(end_s)
    text = f"{name} tea"
    return Supervision(
        supervision_id=name,
        turn=turn,
        speaker=speaker,
        span=Span(start=start, end=end),
        text=text,
        planned_text=f"{text} and milk" if truncated else text,
        words=(
            Word(text=name, span=Span(start=start, end=middle), source=TimeSource.ENGINE),
            Word(text="tea", span=Span(start=middle, end=end), source=TimeSource.ENGINE),
        ),
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        clip="00",
        clip_samples=end - start + (at(0.5) if truncated else 0),
        engine="noise-1",
        fade_samples=FADE if truncated else 0,
        distance=None,
    )


def dialogue(name: str = "d1", split: Split = Split.TRAIN, person: str = "ann", seed: str = "s1") -> Dialogue:
    answer = supervision("answer", Speaker.ASSISTANT, 1.8, 3.3, truncated=True, turn=1)
    stop = supervision("stop", Speaker.USER, 3.0, 4.0, turn=2)
    timeline = Timeline(
        dialogue_id=name,
        language=Language.EN,
        recipe=Recipe.FULL_DUPLEX,
        scene=Scene.SILENCE_OR_TERMINATION,
        split=split,
        topic="tea",
        sampling_rate=RATE,
        num_samples=at(SECONDS),
        profile="test",
        supervisions=(
            supervision("query", Speaker.USER, 0.5, 1.5),
            answer,
            stop,
            supervision("reaction", Speaker.ASSISTANT, 4.3, 5.3, turn=3),
        ),
        events=(event_of(EventType.STOP_REQUEST, stop, answer, anchor_at=at(2.55)),),
        unsaid=(),
        voicing=tuple(
            Voicing(speaker=speaker, voice_id=voice, person=voice, gender=Gender.FEMALE, gain_db=0)
            for speaker, voice in ((Speaker.USER, person), (Speaker.ASSISTANT, f"{person}-assistant"))
        ),
        licence=Licence(
            id="CC0-1.0", non_commercial=False, share_alike=False, redistributable=True, attribution=""
        ),
        provenance=Provenance(seed_id=seed, author=(), root_seed=0, stages=()),
    )
    audio = AudioFile(
        path=f"audio/{name}.flac",
        digest=audio_digest([f"{name} {seed}".encode()]),
        num_bytes=9,
        num_samples=at(SECONDS),
        sampling_rate=RATE,
    )
    return Dialogue(timeline=timeline, audio=audio)


def rendered(record: Dialogue, lufs: float = -23.0) -> Pcm:
    """Noise in every span at the loudness target, faded where truncated, silence elsewhere."""
    rng = np.random.default_rng(7)
    samples = np.zeros((record.timeline.num_samples, 2))
    for one in record.timeline.supervisions:
        burst = rng.normal(0, 0.05, len(one.span))
        burst *= 10 ** ((lufs - integrated_loudness_lufs(burst, RATE)) / 20)
        if one.fade_samples:
            burst[-FADE:] *= 0.5 * (1 + np.cos(np.pi * np.arange(1, FADE + 1) / FADE))
        samples[one.span.start : one.span.end, one.track.channel] += burst
    return np.rint(samples * 32767).astype(np.int16)


def changed(record: Dialogue, name: str, **update: object) -> Dialogue:
    """A record that its constructors would refuse: one supervision's fields replaced without checks."""
    supervisions = tuple(
        one.model_copy(update=update) if one.supervision_id == name else one
        for one in record.timeline.supervisions
    )
    timeline = record.timeline.model_copy(update={"supervisions": supervisions})
    return Dialogue.model_construct(timeline=timeline, audio=record.audio)


def other(name: str = "d2", split: Split = Split.TRAIN, person: str = "ann", seed: str = "s2") -> Dialogue:
    """A dialogue with other words, so that only what a test plants is shared."""
    record = dialogue(name, split, person, seed)
    said = tuple(
        s.model_copy(update={"text": f"{s.text} {name} {seed}"}) for s in record.timeline.supervisions
    )
    return record.model_copy(update={"timeline": record.timeline.model_copy(update={"supervisions": said})})

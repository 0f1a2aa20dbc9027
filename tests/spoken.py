"""Scripts with made-up clips: every word a burst of noise, so that timing and audio can be tested alone."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.core.tokens import words_of
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Gender, Language, Recipe, Speaker, Split
from pipeline.domain.licence import Licence
from pipeline.domain.scene import Scene
from pipeline.domain.script import (
    AfterHesitation,
    AfterWords,
    Anchor,
    Follows,
    Script,
    ScriptedEvent,
    Utterance,
)
from pipeline.domain.span import Span
from pipeline.domain.spoken import SpokenScript, SpokenUtterance
from pipeline.domain.timeline import Voicing
from pipeline.domain.voice import ClipRef
from pipeline.domain.words import TimeSource, Word

RATE = 24_000
WORD = RATE * 3 // 10
"""Samples of a word in these clips: 0.3 s."""

LICENCE = Licence(id="CC0-1.0", non_commercial=False, share_alike=False, redistributable=True, attribution="")

Line = tuple[Speaker, int, str, Anchor]

QUERY = (Speaker.USER, 0, "Which tram goes to the old harbour?", Follows())
ANSWER = (
    (Speaker.ASSISTANT, 1, "The green line goes there every ten minutes.", Follows()),
    (Speaker.ASSISTANT, 1, "You can board it at the market, right beside the fountain.", Follows()),
    (Speaker.ASSISTANT, 1, "The ride takes a quarter of an hour.", Follows()),
)


def script_of(
    lines: tuple[Line, ...],
    events: tuple[ScriptedEvent, ...] = (),
    scene: Scene = Scene.FOLLOW_UP_QUESTION,
    dialogue_id: str = "en-test-1",
    split: Split = Split.TRAIN,
) -> Script:
    return Script(
        dialogue_id=dialogue_id,
        seed_id=f"test/{dialogue_id}",
        language=Language.EN,
        recipe=Recipe.FULL_DUPLEX,
        scene=scene,
        split=split,
        topic="trams",
        user_gender=None,
        utterances=tuple(
            Utterance(utterance_id=f"u{i:02d}", turn=turn, speaker=speaker, text=text, anchor=anchor)
            for i, (speaker, turn, text, anchor) in enumerate(lines)
        ),
        events=events,
        frames=(),
        licence=LICENCE,
        author=(),
    )


def interruption(words: int = 6, dialogue_id: str = "en-test-1") -> Script:
    """A user who breaks into the assistant's second sentence after its n-th word."""
    return script_of(
        (
            QUERY,
            *ANSWER,
            (Speaker.USER, 2, "And on Sundays, does it run then?", AfterWords(host="u02", words=words)),
            (Speaker.ASSISTANT, 3, "On Sundays it runs every half hour.", Follows()),
        ),
        (
            ScriptedEvent(
                type=EventType.FOLLOW_UP_QUESTION, utterance_id="u04", host="u02", effect=FloorEffect.YIELDS
            ),
        ),
        dialogue_id=dialogue_id,
    )


def backchannel(words: int = 4) -> Script:
    """A listener who shows attention in the assistant's second sentence."""
    return script_of(
        (QUERY, *ANSWER, (Speaker.USER, 2, "Right.", AfterWords(host="u02", words=words))),
        (
            ScriptedEvent(
                type=EventType.BACKCHANNEL, utterance_id="u04", host="u02", effect=FloorEffect.CONTINUES
            ),
        ),
        scene=Scene.USER_BACKCHANNEL,
    )


def bystander(words: int = 4) -> Script:
    """Somebody else who speaks two sentences while the assistant answers."""
    return script_of(
        (
            QUERY,
            *ANSWER,
            (Speaker.THIRD_PARTY, 2, "Your parcel is here.", AfterWords(host="u02", words=words)),
            (Speaker.THIRD_PARTY, 2, "I left it in the hall.", Follows()),
        ),
        (
            ScriptedEvent(
                type=EventType.THIRD_PARTY_SPEECH,
                utterance_id="u04",
                host="u02",
                effect=FloorEffect.CONTINUES,
            ),
        ),
        scene=Scene.THIRD_PARTY_AFTER,
    )


def hesitation() -> Script:
    """A user who pauses inside the query."""
    return script_of(
        (
            (Speaker.USER, 0, "Which tram goes to", Follows()),
            (Speaker.USER, 0, "the old harbour?", AfterHesitation()),
            *ANSWER,
        ),
        (
            ScriptedEvent(
                type=EventType.HESITATION_PAUSE, utterance_id="u01", host="u00", effect=FloorEffect.CONTINUES
            ),
        ),
        scene=Scene.PAUSE_HANDLING,
    )


ALL_SHAPES: tuple[Callable[[], Script], ...] = (interruption, backchannel, bystander, hesitation)


def speak(script: Script) -> SpokenScript:
    """Give every utterance that is said a clip of 0.3 s per word."""
    unspoken = script.unspoken()
    said = [u for u in script.utterances if u.utterance_id not in unspoken]
    return SpokenScript(
        script=script,
        voicing=tuple(
            Voicing(
                speaker=speaker,
                voice_id=f"en-{speaker.value}",
                person=f"person-{speaker.value}",
                gender=Gender.FEMALE,
                gain_db=-6.0,
            )
            for speaker in Speaker
            if any(u.speaker is speaker for u in said)
        ),
        clips=tuple(SpokenUtterance(utterance_id=u.utterance_id, clip=clip_of(u.text)) for u in said),
    )


def clip_of(text: str) -> ClipRef:
    words = words_of(text)
    return ClipRef(
        digest=f"clip of {text}",
        num_samples=len(words) * WORD,
        sampling_rate=RATE,
        words=tuple(
            Word(text=word, span=Span(start=i * WORD, end=(i + 1) * WORD), source=TimeSource.ENGINE)
            for i, word in enumerate(words)
        ),
        engine="noise-1",
    )


def load_clip(digest: str) -> npt.NDArray[np.int16]:
    """Samples of a made-up clip: noise that is never zero."""
    words = words_of(digest.removeprefix("clip of "))
    rng = np.random.default_rng(len(digest))
    samples = rng.integers(1_000, 20_000, len(words) * WORD) * rng.choice((-1, 1), len(words) * WORD)
    return samples.astype(np.int16)

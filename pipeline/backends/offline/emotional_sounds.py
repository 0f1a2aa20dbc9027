"""Which sounds go with a feeling, and where in a turn they are made."""

from collections.abc import Sequence
from enum import Enum, auto

from pipeline.backends.offline.frames import Composer
from pipeline.domain.emotional import Tag
from pipeline.domain.labels import Emotion, Language


class Spot(Enum):
    """Where a sound may stand: never inside a sentence, where it would break a phrase."""

    START = auto()
    BETWEEN = auto()
    END = auto()


_S, _B, _E = Spot.START, Spot.BETWEEN, Spot.END
SOUNDS: dict[Emotion, tuple[tuple[Tag, tuple[Spot, ...]], ...]] = {
    Emotion.HAPPY: ((Tag.LAUGHTER, (_S, _B, _E)),),
    Emotion.SAD: ((Tag.SIGH, (_S, _B, _E)), (Tag.SOB, (_B, _E)), (Tag.SNIFF, (_S, _B))),
    Emotion.ANGER: ((Tag.GROAN, (_S, _B)), (Tag.SIGH, (_S, _E))),
    Emotion.FEAR: ((Tag.GASP, (_S, _B)), (Tag.CLEARS_THROAT, (_S,)), (Tag.SOB, (_E,))),
    Emotion.NEUTRAL: ((Tag.CLEARS_THROAT, (_S,)),),
    Emotion.SURPRISE: ((Tag.GASP, (_S, _B)), (Tag.LAUGHTER, (_E,))),
    Emotion.DISGUST: ((Tag.GROAN, (_S, _B, _E)), (Tag.COUGH, (_S, _B))),
}
"""One gasps in the middle of a story or at its start, not when it is told."""


def with_sound(sentences: Sequence[str], emotion: Emotion, composer: Composer) -> str:
    """The turn as one text with one sound that fits the voice's feeling.

    `("Two years!", "Nothing back.")` -> `"Two years! [sigh] Nothing back."`
    """
    tag, spots = composer.pick(SOUNDS[emotion])
    possible = [spot for spot in spots if spot is not Spot.BETWEEN or len(sentences) > 1]
    spot = composer.pick(possible or [Spot.END])
    at = {Spot.START: 0, Spot.END: len(sentences)}.get(spot)
    if at is None:
        at = 1 + int(composer.rng.integers(len(sentences) - 1))
    return join([*sentences[:at], f"[{tag.value}]", *sentences[at:]], composer.language)


def join(parts: Sequence[str], language: Language) -> str:
    """Sentences side by side, as the language is written."""
    return ("" if language is Language.ZH else " ").join(part for part in parts if part)

"""How emotion and style sound on this engine: one table of relative changes.

Each row multiplies the neutral setting. The pitch columns are the engine's own 0-99 scales, where 50 is
the voice's own pitch and range. Measured on en-us+f3 (median f0 of neutral 202 Hz): happy 235 Hz at 0.91
of the length, sad 172 Hz at 1.23, anger 225 Hz at 0.91, fear 245 Hz at 0.86. The settings separate
acoustically; no listening test supports the labels.
"""

from dataclasses import dataclass

from pipeline.domain.labels import Emotion, Language, Style


@dataclass(frozen=True, slots=True)
class Prosody:
    """Parameters of one utterance in the engine's units."""

    rate_wpm: int
    """80-400; below, the engine clamps it."""
    pitch: int
    pitch_range: int
    volume: int


@dataclass(frozen=True, slots=True)
class Shift:
    """A row of the table: factors on rate and volume, steps on the pitch and range scales."""

    rate: float
    pitch: int
    pitch_range: int
    volume: float


_NEUTRAL = Shift(1.0, 0, 0, 1.0)

EMOTIONS: dict[Emotion, Shift] = {
    Emotion.NEUTRAL: _NEUTRAL,
    Emotion.HAPPY: Shift(1.09, 10, 25, 1.05),
    Emotion.SAD: Shift(0.83, -10, -25, 0.80),
    Emotion.ANGER: Shift(1.09, 2, 30, 1.20),
    Emotion.FEAR: Shift(1.14, 18, 10, 0.85),
    Emotion.SURPRISE: Shift(1.09, 20, 40, 1.05),
    Emotion.DISGUST: Shift(0.89, -10, -5, 0.95),
}

STYLES: dict[Style, Shift] = {
    Style.PLAIN: _NEUTRAL,
    Style.CALM: Shift(0.89, -5, -15, 0.90),
    Style.EXCITED: Shift(1.17, 16, 35, 1.10),
    Style.SERIOUS: Shift(0.91, -8, -20, 1.0),
}

# 175 wpm in English; Mandarin at that rate takes 245 ms per syllable, conversation about 200.
NEUTRAL_RATE_WPM = {Language.EN: 175, Language.ZH: 215}
# At 100 the lower voices reach full scale; 65 leaves room for the loudest row. Level
# is set later, per speaker.
NEUTRAL_VOLUME = 65


def prosody(language: Language, emotion: Emotion, style: Style) -> Prosody:
    """Settings for one utterance. An emotion outranks a style: style counts where the emotion is neutral.

    >>> prosody(Language.EN, Emotion.SAD, Style.EXCITED) == prosody(Language.EN, Emotion.SAD, Style.PLAIN)
    True
    """
    shift = EMOTIONS[emotion] if emotion is not Emotion.NEUTRAL else STYLES[style]
    return Prosody(
        rate_wpm=round(NEUTRAL_RATE_WPM[language] * shift.rate),
        pitch=50 + shift.pitch,
        pitch_range=50 + shift.pitch_range,
        volume=round(NEUTRAL_VOLUME * shift.volume),
    )

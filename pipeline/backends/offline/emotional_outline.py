"""Step 1 of an emotional dialogue: a situation, and an event of it for every new feeling."""

import re
from collections.abc import Sequence
from itertools import groupby

from pipeline.backends.offline.emotional_bank import Beat, EmotionalBank, Situation
from pipeline.backends.offline.emotional_seed import own_words
from pipeline.backends.offline.frames import Composer
from pipeline.backends.offline.words import mentions, vocabulary
from pipeline.core.scripting.emotional import ASKING
from pipeline.core.scripting.emotional_steps import EmotionalInput, EmotionalOutline, OutlinedTurn
from pipeline.domain.emotional import Intensity
from pipeline.domain.labels import Emotion, Gender

_MILD, _CLEAR, _STRONG = Intensity.MILD, Intensity.CLEAR, Intensity.STRONG
_GENDERED = re.compile(r"\{([^{}/]*)/([^{}/]*)\}")


def outline(given: EmotionalInput, bank: EmotionalBank, composer: Composer) -> EmotionalOutline:
    """Who it is, what it is about, and what brings each feeling.

    A feeling that stays begins with the lighter of its two beats, so that the other one can add to it.
    """
    situation = _situation(given, bank, composer)
    left = {emotion: list(beats) for emotion, beats in situation.beats.items()}
    spare = {emotion: list(composer.sample(beats, len(beats))) for emotion, beats in bank.dwell.items()}
    asked = given.task in ASKING
    felt = given.emotions[:-1] if asked else given.emotions
    turns: list[OutlinedTurn] = []
    for emotion, run in groupby(felt):
        length = len(list(run))
        if emotion is Emotion.NEUTRAL:
            turns += [OutlinedTurn(cause=None, intensity=_CLEAR)] * length
            continue
        own = None if turns else own_words(given.lines, emotion, given.topic, bank)
        beat = _take(left[emotion] or spare[emotion], length, composer)
        levels = _levels(emotion, beat, length, strong=beat in situation.beats[emotion][1:])
        cause = beat.cause if own is None else own
        turns.append(OutlinedTurn(cause=cause, intensity=composer.pick(levels)))
        for nth in range(1, length):
            level = composer.pick((_CLEAR, _STRONG)) if nth == 1 else _STRONG
            turns.append(OutlinedTurn(cause=None, intensity=level))
    if asked:
        turns.append(OutlinedTurn(cause=None, intensity=_CLEAR))
    persona = gendered(composer.pick(situation.personas), given.gender)
    return EmotionalOutline(persona=persona, matter=situation.matter, turns=tuple(turns))


def gendered(text: str, gender: Gender) -> str:
    """Personas fit the voice.

    >>> gendered("a {woman/man} who runs {her/his} own bakery", Gender.MALE)
    'a man who runs his own bakery'
    """
    return _GENDERED.sub(lambda match: match.group(1 if gender is Gender.FEMALE else 2), text)


def _situation(given: EmotionalInput, bank: EmotionalBank, composer: Composer) -> Situation:
    """The one of the topic that the seed's words point to most; any where they point nowhere."""
    text = " ".join((given.seed_topic or "", *(line.text for line in given.lines)))
    words = vocabulary(text, bank.language)
    group = bank.situations[given.topic]
    scores = [mentions(situation.cues, words, text, bank.language) for situation in group]
    best = [one for one, score in zip(group, scores, strict=True) if score == max(scores)]
    return composer.pick(best)


def _take(beats: list[Beat], run: int, composer: Composer) -> Beat:
    return beats.pop(0) if run > 1 else beats.pop(int(composer.rng.integers(len(beats))))


def _levels(emotion: Emotion, beat: Beat, run: int, *, strong: bool) -> Sequence[Intensity]:
    """How strongly a feeling may come: one that will grow does not start at its height, danger is never mild."""
    if strong and run == 1:
        return (_CLEAR, _STRONG)
    if emotion is Emotion.FEAR and not beat.mild:
        return (_CLEAR,) if run > 1 else (_CLEAR, _STRONG)
    return (_MILD, _CLEAR)

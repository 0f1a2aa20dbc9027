"""What the assistant answers when asked how the feelings went, or where they came from.

    trajectory   start - hold - shift - hold - course      "You were sad at first, when ... Then ..., and you ..."
    reasoning    clue - pile - turn - pile - root           "First ... Then ... What ties it together: ..."

Every turn has its part, in order, with its label by the very word: the official judge compares labels as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.backends.offline.emotional_bank import EmotionalBank
from pipeline.backends.offline.emotional_sounds import join
from pipeline.backends.offline.frames import Composer
from pipeline.domain.emotional import EmotionalTask
from pipeline.domain.labels import Emotion, Language


@dataclass(frozen=True, slots=True)
class Told:
    """One user turn as it was written."""

    emotion: Emotion
    """In the voice."""
    words: Emotion
    """In the words: the same, but for a conflict."""
    cause: str
    """As the assistant tells it."""
    own: bool = False
    """The seed's own words, not the bank's."""


_PARTS = {
    EmotionalTask.TRAJECTORY: ("start", "hold", "shift", "course"),
    EmotionalTask.REASONING: ("clue", "pile", "turn", "root"),
}


def as_told(cause: str, language: Language) -> str:
    """A cause as one tells it to the user. In the Chinese ones the user is 自己, in the English ones nobody.

    >>> as_told("有人背出了自己写的诗", Language.ZH)
    '有人背出了你写的诗'
    """
    return cause.replace("自己", "你") if language is Language.ZH else cause


def answer(
    task: EmotionalTask, told: Sequence[Told], stake: str, bank: EmotionalBank, composer: Composer
) -> str:
    """The whole way, event by event, and what it comes down to."""
    first, more, change, end = _PARTS[task]
    runs = [list(run) for _, run in groupby(told, key=lambda one: one.emotion)]
    sentences: list[str] = []
    for number, run in enumerate(runs):
        for nth, turn in enumerate(run):
            part = more if nth else _change(change, turn) if number else _start(first, turn)
            composer.slots = _slots(turn, bank)
            sentences.append(composer.say(bank.frames[f"answer/{part}"]))
            if turn.words is not turn.emotion:
                sentences.append(composer.say(bank.frames["answer/conflict"]))
    course = [bank.labels[run[0].emotion]["label"] for run in runs]
    composer.slots = {
        "course": (" to " if bank.language is Language.EN else "到").join(course),
        "first": course[0],
        "last": course[-1],
        "stake": stake,
    }
    sentences.append(composer.say(bank.frames[f"answer/{end}"]))
    return join(sentences, bank.language)


def _start(part: str, turn: Told) -> str:
    """The seed's own words are quoted, for they are in the first person."""
    return "own" if turn.own else part


def _change(part: str, turn: Told) -> str:
    """Feelings turn at an event; they calm down without one."""
    return "calm" if turn.emotion is Emotion.NEUTRAL else part


def _slots(turn: Told, bank: EmotionalBank) -> dict[str, str]:
    return {
        **bank.labels[turn.emotion],
        "cause": turn.cause,
        "said": bank.labels[turn.words]["label"],
    }

"""Emotional dialogues (HumDial Track 1): what the user feels, why, and how it is to be heard."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from pipeline.domain.labels import Emotion, Gender
from pipeline.domain.record import Record


class EmotionalTask(StrEnum):
    """The tasks of Track 1, by the numbers of the README's second generation (from 10 October 2025 on)."""

    TRAJECTORY = "trajectory"
    """Task 1: the last turn asks how the feelings changed. Anchor -> override -> recall."""
    REASONING = "reasoning"
    """Task 2: the last turn asks why. Implied cause -> accumulation -> inquiry."""
    EMPATHY = "empathy"
    """Task 3: the second non-neutral turn wants a reply that feels with the user."""
    RECOGNITION = "recognition"
    """Task 4, unranked: one turn, whose emotion is to be recognised."""
    GENERATION = "generation"
    """Task 5, unranked: one text, to be spoken with a given emotion."""

    @property
    def number(self) -> int:
        """1 to 5."""
        return tuple(EmotionalTask).index(self) + 1

    @property
    def single_turn(self) -> bool:
        """Whether a dialogue has one turn only."""
        return self in (EmotionalTask.RECOGNITION, EmotionalTask.GENERATION)


class Intensity(StrEnum):
    """How strongly an emotion is felt, and heard."""

    MILD = "mild"
    CLEAR = "clear"
    STRONG = "strong"


class Tag(StrEnum):
    """Sounds beside words (closed set), written `[sigh]` in the texts of Track 1.

    HumDial shows the first three and closes no list; `[break]` belongs to Track 2 and is none of them.
    """

    SIGH = "sigh"
    LAUGHTER = "laughter"
    CLEARS_THROAT = "clears throat"
    COUGH = "cough"
    GASP = "gasp"
    SOB = "sob"
    SNIFF = "sniff"
    GROAN = "groan"


class TagPlace(Record):
    """A tag and its place: after the n-th word of its utterance, before the first for 0."""

    tag: Tag
    words: int = Field(ge=0)


class Feeling(Record):
    """What the user feels in one turn."""

    emotion: Emotion
    intensity: Intensity
    cause: str | None
    """What brought it about, in words of the dialogue's language; None where it is neutral or goes on."""
    said_as: Emotion | None = None
    """What the words alone say, where they are in conflict with the voice; None: the same."""

    @model_validator(mode="after")
    def _conflict(self) -> Self:
        if self.said_as is self.emotion:
            raise ValueError("said_as is for words in conflict with the voice; leave it out where they agree")
        return self


class Topic(StrEnum):
    """What emotional dialogues are about (closed set, so that a dataset can be balanced by it)."""

    WORK = "work"
    STUDY = "study"
    FAMILY = "family"
    FRIENDS = "friends"
    LOVE = "love"
    HOME = "home"
    HEALTH = "health"
    MONEY = "money"
    TRAVEL = "travel"
    PETS = "pets"
    LEISURE = "leisure"
    TOWN = "town"


class EmotionalAssignment(Record):
    """What a seed is to become, so that the dataset is balanced: who, which task, which feelings in a row."""

    task: EmotionalTask
    topic: Topic
    gender: Gender
    """Of the user's voice."""
    emotions: tuple[Emotion, ...] = Field(min_length=1)
    """Per user turn; the last one of tasks 1 and 2 is the neutral question."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        check_trajectory(self.task, self.emotions)
        return self

    @property
    def transition(self) -> tuple[Emotion, Emotion] | None:
        """The first change of feeling, the one that the dataset is balanced by; None for a single turn."""
        return first_change(self.emotions)


def first_change(emotions: Iterable[Emotion]) -> tuple[Emotion, Emotion] | None:
    """The first change of feeling in a row; None where nothing changes."""
    return next(((a, b) for a, b in pairwise(emotions) if a is not b), None)


class EmotionalArc(Record):
    """What one dialogue is about, emotionally. `feelings` are the user's, turn by turn."""

    task: EmotionalTask
    topic: Topic
    persona: str
    """Who the user is, in a phrase."""
    feelings: tuple[Feeling, ...] = Field(min_length=1)
    found: tuple[Emotion, ...] | None = None
    """What a judge who saw nothing but the words found, turn by turn; None where nobody judged."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.found is not None and len(self.found) != len(self.feelings):
            raise ValueError(f"{len(self.found)} feelings were found in {len(self.feelings)} turns")
        check_trajectory(self.task, tuple(feeling.emotion for feeling in self.feelings))
        return self


def agreement(arc: EmotionalArc) -> float | None:
    """Share of the turns whose feeling a judge found in their words; turns in conflict do not count.

    None where nobody judged, or every turn is in conflict.
    """
    if arc.found is None:
        return None
    pairs = [
        (feeling.emotion, found)
        for feeling, found in zip(arc.feelings, arc.found, strict=True)
        if feeling.said_as is None
    ]
    return sum(wanted is found for wanted, found in pairs) / len(pairs) if pairs else None


def check_trajectory(task: EmotionalTask, emotions: tuple[Emotion, ...]) -> None:
    """Refuse feelings that the task cannot be asked about. Raises ValueError that says why."""
    spelled = " -> ".join(emotion.value for emotion in emotions)
    if task.single_turn:
        if len(emotions) != 1:
            raise ValueError(f"{task.value} has one turn, got {spelled}")
        return
    if not 3 <= len(emotions) <= 5:
        raise ValueError(f"{task.value} has 3 to 5 turns, got {len(emotions)}: {spelled}")
    asked = emotions[:-1] if task is not EmotionalTask.EMPATHY else emotions
    if task is not EmotionalTask.EMPATHY and emotions[-1] is not Emotion.NEUTRAL:
        raise ValueError(f"the last turn of {task.value} is the neutral question, got {spelled}")
    if len(set(asked)) < 2:
        raise ValueError(f"nothing changes in {spelled}; wanted a change of feeling")
    if sum(emotion is not Emotion.NEUTRAL for emotion in emotions) < 2:
        raise ValueError(f"{spelled} has fewer than two turns that are not neutral, which nobody can score")

"""What each step of the `emotional` recipe is given and has to answer. The same for every author.

seed + assignment -> emotional_outline -> emotional_write -> script
script -> emotion_judge, rubric_<task> -> what a judge found, and how well it was answered
"""

from typing import Literal

from pydantic import Field

from pipeline.core.scripting.steps import Line
from pipeline.domain.emotional import EmotionalTask, Intensity, Topic
from pipeline.domain.labels import Emotion, Gender, Language
from pipeline.domain.record import Record


class EmotionalInput(Record):
    """Step 1: who the user is, what happens, and why each feeling comes."""

    dialogue_id: str
    language: Language
    task: EmotionalTask
    topic: Topic
    gender: Gender
    """Of the user."""
    emotions: tuple[Emotion, ...]
    """The user's, turn by turn; not to be changed."""
    seed_topic: str | None
    lines: tuple[Line, ...]
    """The seed: material for what happens."""


class OutlinedTurn(Record):
    """What is felt in one user turn, and what brings it about."""

    cause: str | None
    """The event or thought behind a new feeling, in a short clause; None where a feeling goes on, where it is
    neutral, and for the question at the end."""
    intensity: Intensity


class EmotionalOutline(Record):
    """A believable stretch of somebody's day."""

    persona: str = Field(min_length=1)
    """Who the user is: age, work or situation, in one phrase."""
    matter: str = Field(min_length=1)
    """What it is all about, in one sentence."""
    turns: tuple[OutlinedTurn, ...]


class TurnToWrite(Record):
    """One user turn to be written."""

    turn: str
    """`t1`, `t2` ..."""
    emotion: Emotion
    """What the voice will say."""
    said_as: Emotion | None
    """What the words are to say instead, where voice and words are in conflict."""
    intensity: Intensity
    cause: str | None
    sound: bool
    """Whether a sound such as `[sigh]` is wanted."""
    question: bool
    """The neutral question at the end: for the course of the feelings (trajectory), or their reason."""


class EmotionalWriteInput(Record):
    """Step 2: the user's turns in their feelings, and a response to each."""

    dialogue_id: str
    language: Language
    task: EmotionalTask
    topic: Topic
    persona: str
    matter: str
    turns: tuple[TurnToWrite, ...]
    names_feeling: bool
    """Whether one turn may name its feeling outright."""


class EmotionalTurn(Record):
    """What the user says, sounds in square brackets, and what the assistant answers."""

    text: str = Field(min_length=1)
    response: str
    """One to three sentences that hold for what was said so far; the last one answers the question from all
    turns. Empty for tasks of one turn."""


class EmotionalDialogue(Record):
    """The whole dialogue."""

    turns: tuple[EmotionalTurn, ...]


class JudgeInput(Record):
    """Review, 1: the bare words of the user's turns, without labels and sounds."""

    dialogue_id: str
    language: Language
    turns: tuple[str, ...]


class JudgedTurn(Record):
    """What somebody who only reads makes of a turn."""

    reason: str
    emotion: Emotion


class Judged(Record):
    """One for every turn."""

    turns: tuple[JudgedTurn, ...]


class RubricLine(Record):
    """One turn as the official judges see it."""

    emotion: Emotion
    text: str
    response: str


class RubricInput(Record):
    """Review, 2: the dialogue with labels and responses, for the dimensions of its task."""

    dialogue_id: str
    language: Language
    task: EmotionalTask
    lines: tuple[RubricLine, ...]
    """For the empathy task: up to the second turn that is not neutral."""


class RubricScore(Record):
    """The official scale."""

    reason: str
    score: Literal[1, 3, 5]


class TrajectoryRubric(Record):
    """Task 1."""

    accuracy_completeness: RubricScore
    depth_granularity: RubricScore
    added_value: RubricScore


class ReasoningRubric(Record):
    """Task 2."""

    information_integration: RubricScore
    insight_root_cause: RubricScore
    clarity_logic: RubricScore


class EmpathyRubric(Record):
    """Task 3, as far as it can be read."""

    textual_empathy_insight: RubricScore

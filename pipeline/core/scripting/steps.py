"""What each step of the author is given and has to answer. The same for every author.

    seed -> adapt -> place -> write -> script        (`single` asks for all three at once)

Models count badly, so places are quoted, never numbered: code turns a quote into a word index.
"""

from typing import Literal

from pydantic import Field

from pipeline.domain.events import EventType
from pipeline.domain.labels import Emotion, Language, Speaker
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene

Party = Literal[Speaker.USER, Speaker.ASSISTANT]


class Line(Record):
    """One turn of the seed dialogue with its role in the dialogue to be written."""

    speaker: Party
    text: str


class AdaptInput(Record):
    """Step 1: turn the seed into a spoken exchange between a user and a voice assistant."""

    dialogue_id: str
    language: Language
    scene: Scene
    topic: str | None
    lines: tuple[Line, ...]


class AdaptedTurn(Record):
    """One turn, a sentence per item; speakable (no digits, symbols, markup)."""

    speaker: Party
    sentences: tuple[str, ...] = Field(min_length=1)


class Adapted(Record):
    """user, assistant - or user, assistant, user, assistant where the scene asks for two exchanges.

    The last assistant turn is long enough for something to happen in it.
    """

    topic: str = Field(min_length=1)
    """A short noun phrase in the dialogue's language."""
    turns: tuple[AdaptedTurn, ...]


class PlaceInput(Record):
    """Step 2: where the event belongs. The host is the last assistant turn; for a hesitation, the first user turn."""

    dialogue_id: str
    language: Language
    scene: Scene
    event: EventType
    adapted: Adapted


class Placement(Record):
    """The last words that are heard before the event starts, quoted exactly from one sentence of the host turn."""

    quote: str = Field(min_length=1)
    why: str


class WriteInput(Record):
    """Step 3: the words of the event and the reaction to it."""

    dialogue_id: str
    language: Language
    scene: Scene
    event: EventType
    adapted: Adapted
    heard: tuple[str, ...]
    """Sentences of the host turn up to the event, the last one broken off there; empty where the event has no host."""
    unsaid: tuple[str, ...]
    """The rest of the host turn."""


class Written(Record):
    """The event's words, and what the assistant says afterwards."""

    event_text: str | None
    """What the interrupter, listener, bystander or user says; None for a hesitation pause."""
    event_emotion: Emotion
    reaction: tuple[str, ...]
    """The assistant's sentences in answer to it; empty where it goes on undisturbed."""


class Single(Record):
    """All of it in one answer, for comparison with the steps: the fields mean what they mean there."""

    topic: str = Field(min_length=1)
    turns: tuple[AdaptedTurn, ...]
    quote: str | None
    """None where the scene's event has no host."""
    why: str
    event_text: str | None
    event_emotion: Emotion
    reaction: tuple[str, ...]

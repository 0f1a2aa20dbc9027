"""What each step of the `conversation` recipe is given and has to answer. The same for every author.

    seed + event plan -> conversation_adapt -> conversation_place -> conversation_write -> script

Turns have labels (`t0`, `t1` ...) and events have ids (`e1` ...): models copy labels well and count badly.
"""

from pydantic import Field

from pipeline.core.scripting.steps import AdaptedTurn, Line
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Emotion, Language, Speaker
from pipeline.domain.record import Record


class PlannedEvent(Record):
    """One event that the conversation is to hold."""

    event_id: str
    type: EventType
    initiator: Speaker
    effect: FloorEffect


class ConversationInput(Record):
    """Step 1: turn the seed into a long spoken dialogue in which the planned events can happen."""

    dialogue_id: str
    language: Language
    topic: str | None
    turns: int
    """How many turns to write, the user first, the assistant last."""
    events: tuple[PlannedEvent, ...]
    """What later steps will put in; the dialogue has to make room for it."""
    lines: tuple[Line, ...]


class Conversation(Record):
    """The dialogue without its events: user and assistant in turn, speakable, a sentence per item."""

    topic: str = Field(min_length=1)
    """A short noun phrase in the dialogue's language."""
    turns: tuple[AdaptedTurn, ...]


class LabelledTurn(AdaptedTurn):
    """A turn with the label that answers name it by."""

    turn: str
    """`t0`, `t1` ..."""


class ConversationPlaceInput(Record):
    """Step 2: which turn hosts each event, and after which of its words it starts."""

    dialogue_id: str
    language: Language
    topic: str
    turns: tuple[LabelledTurn, ...]
    events: tuple[PlannedEvent, ...]


class EventPlace(Record):
    """Where one event starts: the last words that are heard before it, quoted exactly from one sentence."""

    event_id: str
    turn: str
    quote: str = Field(min_length=1)
    why: str


class ConversationPlacement(Record):
    """A place for every planned event."""

    places: tuple[EventPlace, ...]


class EventSite(Record):
    """An event with its place, for whoever writes its words."""

    event_id: str
    type: EventType
    initiator: Speaker
    effect: FloorEffect
    turn: str
    heard: tuple[str, ...]
    """Sentences of the host turn up to the event, the last one broken off there."""
    unsaid: tuple[str, ...]
    """The rest of the host turn: never heard where the event takes the floor."""


class ConversationWriteInput(Record):
    """Step 3: the words of every event, and the host's reaction to those that take the floor."""

    dialogue_id: str
    language: Language
    topic: str
    turns: tuple[LabelledTurn, ...]
    sites: tuple[EventSite, ...]
    """By place in the dialogue."""


class WrittenEvent(Record):
    """What is said in one event and afterwards."""

    event_id: str
    text: str | None
    """What its initiator says; None for a hesitation pause."""
    emotion: Emotion
    reaction: tuple[str, ...]
    """The host's sentences in answer to it, before the dialogue goes on with its next turn; empty where the
    host goes on undisturbed. With the effect `resumes` they end in what the host was about to say."""


class WrittenEvents(Record):
    """The words of every event."""

    events: tuple[WrittenEvent, ...]


class SingleEvent(Record):
    """Place and words of one event, for `conversation_single`."""

    event_id: str
    turn: str
    quote: str = Field(min_length=1)
    why: str
    text: str | None
    emotion: Emotion
    reaction: tuple[str, ...]


class SingleConversation(Record):
    """All of it in one answer, for comparison with the steps: turns are labelled `t0`, `t1` ... in order."""

    topic: str = Field(min_length=1)
    turns: tuple[AdaptedTurn, ...]
    events: tuple[SingleEvent, ...]

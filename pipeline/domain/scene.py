"""HumDial Track 2 scenes, and the event that each is built around."""

from enum import StrEnum

from pipeline.domain.record import Record


class Scene(StrEnum):
    """The nine scenes of HumDial Track 2; third-party speech before and after counted apart makes ten."""

    FOLLOW_UP_QUESTION = "follow_up_question"
    NEGATION_OR_DISSATISFACTION = "negation_or_dissatisfaction"
    REPETITION_REQUEST = "repetition_request"
    TOPIC_SWITCHING = "topic_switching"
    SILENCE_OR_TERMINATION = "silence_or_termination"
    USER_BACKCHANNEL = "user_backchannel"
    PAUSE_HANDLING = "pause_handling"
    THIRD_PARTY_BEFORE = "third_party_before"
    THIRD_PARTY_AFTER = "third_party_after"
    DIRECTED_AT_OTHERS = "directed_at_others"


class EventType(StrEnum):
    """Planned interactions (closed set)."""

    FOLLOW_UP_QUESTION = "follow_up_question"
    DISSATISFACTION = "dissatisfaction"
    REPETITION_REQUEST = "repetition_request"
    TOPIC_SHIFT = "topic_shift"
    STOP_REQUEST = "stop_request"
    BACKCHANNEL = "backchannel"
    HESITATION_PAUSE = "hesitation_pause"
    THIRD_PARTY_SPEECH = "third_party_speech"
    SPEECH_DIRECTED_AT_OTHERS = "speech_directed_at_others"

    @property
    def is_interruption(self) -> bool:
        """Whether the incoming speaker claims the floor from the one who holds it."""
        return self in _INTERRUPTIONS


_INTERRUPTIONS = frozenset(
    {
        EventType.FOLLOW_UP_QUESTION,
        EventType.DISSATISFACTION,
        EventType.REPETITION_REQUEST,
        EventType.TOPIC_SHIFT,
        EventType.STOP_REQUEST,
    }
)


class FloorEffect(StrEnum):
    """What the event does to whoever holds the floor."""

    YIELDS = "yields"
    """The host falls silent a reaction time after the onset; the incoming speaker takes the floor."""
    CONTINUES = "continues"
    """The host goes on undisturbed; the floor stays where it was."""


class SceneDefinition(Record):
    """One row of the scene table."""

    scene: Scene
    event: EventType
    effect: FloorEffect
    summary: str


SCENES: tuple[SceneDefinition, ...] = tuple(
    SceneDefinition(scene=scene, event=event, effect=effect, summary=summary)
    for scene, event, effect, summary in (
        (
            Scene.FOLLOW_UP_QUESTION,
            EventType.FOLLOW_UP_QUESTION,
            FloorEffect.YIELDS,
            "The user breaks in with a further question on what is being said; the assistant yields and answers it.",
        ),
        (
            Scene.NEGATION_OR_DISSATISFACTION,
            EventType.DISSATISFACTION,
            FloorEffect.YIELDS,
            "The user breaks in to reject or complain; the assistant yields and repairs.",
        ),
        (
            Scene.REPETITION_REQUEST,
            EventType.REPETITION_REQUEST,
            FloorEffect.YIELDS,
            "The user breaks in to have something said again; the assistant yields and repeats it.",
        ),
        (
            Scene.TOPIC_SWITCHING,
            EventType.TOPIC_SHIFT,
            FloorEffect.YIELDS,
            "The user breaks in with another matter; the assistant yields and follows.",
        ),
        (
            Scene.SILENCE_OR_TERMINATION,
            EventType.STOP_REQUEST,
            FloorEffect.YIELDS,
            "The user asks for silence or an end; the assistant yields and confirms in a few words.",
        ),
        (
            Scene.USER_BACKCHANNEL,
            EventType.BACKCHANNEL,
            FloorEffect.CONTINUES,
            "The user shows attention while the assistant speaks; the assistant goes on undisturbed.",
        ),
        (
            Scene.PAUSE_HANDLING,
            EventType.HESITATION_PAUSE,
            FloorEffect.CONTINUES,
            "The user hesitates inside the query; the assistant waits until it is complete.",
        ),
        (
            Scene.THIRD_PARTY_BEFORE,
            EventType.THIRD_PARTY_SPEECH,
            FloorEffect.CONTINUES,
            "Somebody else speaks near the user before the query; the assistant answers the user only.",
        ),
        (
            Scene.THIRD_PARTY_AFTER,
            EventType.THIRD_PARTY_SPEECH,
            FloorEffect.CONTINUES,
            "Somebody else speaks near the user while the assistant answers; the assistant goes on.",
        ),
        (
            Scene.DIRECTED_AT_OTHERS,
            EventType.SPEECH_DIRECTED_AT_OTHERS,
            FloorEffect.CONTINUES,
            "The user turns to somebody else while the assistant answers; the assistant goes on.",
        ),
    )
)


def scene_definition(scene: Scene) -> SceneDefinition:
    """The table row of one scene."""
    return next(row for row in SCENES if row.scene is scene)

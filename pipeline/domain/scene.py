"""HumDial Track 2 scenes, and the event that each is built around."""

from enum import StrEnum

from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Recipe
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


def check_scene(recipe: Recipe, scene: Scene | None) -> None:
    """A scene belongs to `full_duplex`, and to nothing else. Raises ValueError."""
    if (scene is not None) != (recipe is Recipe.FULL_DUPLEX):
        got = "none" if scene is None else scene.value
        raise ValueError(f"recipe {recipe.value} with scene {got}; wanted a scene for full_duplex only")


RECIPE_SUMMARIES = {
    Recipe.FULL_DUPLEX: "A query, a response and one event in it.",
    Recipe.CONVERSATION: "A long dialogue: both sides interrupt, encourage and go on.",
    Recipe.EMOTIONAL: "A user whose feelings change, and a question about them.",
    Recipe.MINED: "A stretch of recorded talk between people.",
}

Kind = Scene | Recipe
"""What a dialogue is counted as: its scene, or its recipe where that has no scenes."""


def kind_of(recipe: Recipe, scene: Scene | None) -> Kind:
    """The scene if there is one, else the recipe."""
    return recipe if scene is None else scene


def scene_definition(scene: Scene) -> SceneDefinition:
    """The table row of one scene."""
    return next(row for row in SCENES if row.scene is scene)

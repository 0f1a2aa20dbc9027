"""A script under construction."""

from collections.abc import Sequence

from pipeline.core.scripting.steps import Line
from pipeline.domain.emotional import EmotionalArc, Intensity, TagPlace
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Emotion, Gender, Speaker
from pipeline.domain.script import Anchor, DialoguePlan, Follows, Script, ScriptedEvent, Utterance


class Draft:
    """Numbers turns and utterances as they are added."""

    def __init__(self) -> None:
        self._utterances: list[Utterance] = []
        self._events: list[ScriptedEvent] = []
        self._turn = -1

    def turn(
        self,
        speaker: Speaker,
        sentences: Sequence[str],
        first_anchor: Anchor | None = None,
        emotion: Emotion = Emotion.NEUTRAL,
        intensity: Intensity = Intensity.CLEAR,
        *,
        aloud: bool = True,
    ) -> tuple[str, ...]:
        """Add a turn, one utterance per sentence; returns their ids."""
        self._turn += 1
        return tuple(
            self.say(
                speaker,
                sentence,
                first_anchor if first_anchor and not i else Follows(),
                emotion,
                intensity,
                aloud=aloud,
            )
            for i, sentence in enumerate(sentences)
        )

    def say(
        self,
        speaker: Speaker,
        text: str,
        anchor: Anchor,
        emotion: Emotion = Emotion.NEUTRAL,
        intensity: Intensity = Intensity.CLEAR,
        *,
        aloud: bool = True,
    ) -> str:
        """Add one utterance to the current turn; returns its id."""
        name = f"u{len(self._utterances):02d}"
        self._utterances.append(
            Utterance(
                utterance_id=name,
                turn=max(self._turn, 0),
                speaker=speaker,
                text=text,
                anchor=anchor,
                emotion=emotion,
                intensity=intensity,
                aloud=aloud,
            )
        )
        return name

    def add_tags(self, tags: Sequence[tuple[TagPlace, ...]]) -> None:
        """Give the last utterances their sounds, one entry per utterance."""
        first = len(self._utterances) - len(tags)
        for index, places in enumerate(tags, start=first):
            self._utterances[index] = self._utterances[index].model_copy(update={"tags": places})

    def event(self, event: EventType, effect: FloorEffect, utterance_id: str, host: str | None) -> None:
        """Say which utterance brings an event, to whom, and what it does to the floor."""
        self._events.append(ScriptedEvent(type=event, utterance_id=utterance_id, host=host, effect=effect))

    def script(self, plan: DialoguePlan, topic: str, arc: EmotionalArc | None = None) -> Script:
        """The finished script; who wrote it is for whoever asked the author to add."""
        return Script(
            dialogue_id=plan.dialogue_id,
            seed_id=plan.seed.seed_id,
            language=plan.seed.language,
            recipe=plan.recipe,
            scene=plan.scene,
            split=plan.split,
            topic=topic,
            user_gender=user_gender(plan),
            utterances=tuple(self._utterances),
            events=tuple(self._events),
            frames=(),
            licence=plan.seed.licence,
            author=(),
            arc=arc,
        )


def is_assistant(plan: DialoguePlan, label: str) -> bool:
    """Whether a speaker of the seed becomes the assistant: the corpus's system does; where there is none, who
    speaks first is the user."""
    first, second = plan.seed.speakers[:2]
    a_is_system = first.is_system and not second.is_system
    return (label == "A") == a_is_system


def seed_lines(plan: DialoguePlan) -> tuple[Line, ...]:
    """The seed's turns with their roles in the dialogue to be written."""
    return tuple(
        Line(speaker=Speaker.ASSISTANT if is_assistant(plan, turn.speaker) else Speaker.USER, text=turn.text)
        for turn in plan.seed.turns
    )


def user_gender(plan: DialoguePlan) -> Gender | None:
    """The gender of who becomes the user, where the plan or the seed tells."""
    if plan.emotional is not None:
        return plan.emotional.gender
    return next((s.gender for s in plan.seed.speakers if not is_assistant(plan, s.label)), None)

"""Scripts: what the author wrote. Ordered utterances with anchors, no times."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.domain.emotional import EmotionalArc, EmotionalAssignment, Intensity, TagPlace
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene, check_scene
from pipeline.domain.seed import SeedDialogue


class DialoguePlan(Record):
    """A seed dialogue with what will be made of it: the unit that every later stage works on."""

    dialogue_id: str
    """Unique in the run, usable as a file name."""
    seed: SeedDialogue
    recipe: Recipe
    scene: Scene | None
    """Of HumDial Track 2; None for the other recipes."""
    split: Split
    emotional: EmotionalAssignment | None = None
    """For `emotional` alone."""

    @model_validator(mode="after")
    def _scene_of_recipe(self) -> "DialoguePlan":
        check_scene(self.recipe, self.scene)
        if (self.emotional is not None) != (self.recipe is Recipe.EMOTIONAL):
            raise ValueError(
                f"recipe {self.recipe.value}: an assignment is for emotional dialogues, and for all"
            )
        return self


class Follows(Record):
    """Placed after whatever was last said on the floor: a pause within a turn, else a floor transfer."""

    kind: Literal["follows"] = "follows"


class AfterWords(Record):
    """Placed when the host's n-th word has been spoken (n >= 1)."""

    kind: Literal["after_words"] = "after_words"
    host: str
    words: int = Field(ge=1)


class AfterSeconds(Record):
    """Placed when the host has spoken for so long."""

    kind: Literal["after_seconds"] = "after_seconds"
    host: str
    seconds: float = Field(gt=0)


class AfterHesitation(Record):
    """Placed after a hesitation pause of the same speaker, inside the same turn (`[break]`)."""

    kind: Literal["after_hesitation"] = "after_hesitation"


Anchor = Annotated[Follows | AfterWords | AfterSeconds | AfterHesitation, Field(discriminator="kind")]


class Utterance(Record):
    """The unit given to the synthesizer: a sentence or less.

    A turn of several sentences is several utterances with one `turn` number, so that the pauses between
    them are drawn, not baked into the audio.
    """

    utterance_id: str
    turn: int = Field(ge=0)
    speaker: Speaker
    text: str = Field(min_length=1)
    """Speakable words and punctuation: no digits, symbols or markup."""
    anchor: Anchor
    emotion: Emotion = Emotion.NEUTRAL
    style: Style = Style.PLAIN
    intensity: Intensity = Intensity.CLEAR
    """Of the emotion."""
    tags: tuple[TagPlace, ...] = ()
    """Sounds beside the words, by place."""
    aloud: bool = True
    """False: a text that goes with the dialogue and that nobody renders (a reference response)."""


class ScriptedEvent(Record):
    """A planned interaction: which utterance brings it, to whom, and what it does to the floor."""

    type: EventType
    utterance_id: str
    """The utterance that realises it (for a hesitation pause: the one after the pause)."""
    host: str | None
    """The utterance it falls into; None where nobody holds the floor."""
    effect: FloorEffect


class PromptUse(Record):
    """One author step that contributed to a script."""

    step: str
    prompt: str
    """`<stage>/<name>.v<N>`"""
    prompt_sha256: str
    model: str
    request: str
    """Fingerprint of the request: the key of the stored reply."""


class AxisScore(Record):
    """What a judge gave a script on one axis of its rubric: 1 unusable, 5 as good as people talking."""

    axis: str
    score: int = Field(ge=1, le=5)


class Script(Record):
    """An ordered list of utterances, of which the author says who speaks and where each attaches.

    Utterances of a host's turn that come after the host are what it leaves unsaid if an event takes the
    floor from it: they stay in the script and are never spoken.
    """

    dialogue_id: str
    seed_id: str
    language: Language
    recipe: Recipe
    scene: Scene | None
    """Of HumDial Track 2; None for the other recipes."""
    split: Split
    topic: str
    user_gender: Gender | None
    """Where the seed dialogue tells; the voice is chosen accordingly."""
    utterances: tuple[Utterance, ...] = Field(min_length=1)
    events: tuple[ScriptedEvent, ...]
    frames: tuple[str, ...]
    """Sentence frames that the offline author used; empty for a language model."""
    arc: EmotionalArc | None = None
    """For `emotional` alone."""
    licence: Licence
    author: tuple[PromptUse, ...]
    review: tuple[AxisScore, ...] = ()
    """Empty where nobody judged."""

    @model_validator(mode="after")
    def _consistent(self) -> "Script":
        check_scene(self.recipe, self.scene)
        if (self.arc is not None) != (self.recipe is Recipe.EMOTIONAL):
            raise ValueError(
                f"recipe {self.recipe.value}: an arc is for emotional dialogues, and for all of them"
            )
        position = {utterance.utterance_id: i for i, utterance in enumerate(self.utterances)}
        if len(position) != len(self.utterances):
            raise ValueError("utterance ids repeat")
        for i, utterance in enumerate(self.utterances):
            anchor = utterance.anchor
            if isinstance(anchor, AfterWords | AfterSeconds) and position.get(anchor.host, i) >= i:
                raise ValueError(
                    f"{utterance.utterance_id} is anchored in {anchor.host!r}, which does not precede it"
                )
            before = self.utterances[i - 1] if i else None
            if isinstance(anchor, AfterHesitation) and (before is None or before.turn != utterance.turn):
                raise ValueError(f"{utterance.utterance_id} hesitates, but does not continue a turn")
        for event in self.events:
            for name in (event.utterance_id, event.host):
                if name is not None and name not in position:
                    raise ValueError(f"event {event.type.value} names unknown utterance {name!r}")
        return self

    def utterance(self, utterance_id: str) -> Utterance:
        """Look one up by id; raises KeyError."""
        for utterance in self.utterances:
            if utterance.utterance_id == utterance_id:
                return utterance
        raise KeyError(utterance_id)

    def unspoken(self) -> frozenset[str]:
        """Ids of utterances that nobody renders: what an event keeps from being said, and what is text only."""
        return self.unsaid() | {u.utterance_id for u in self.utterances if not u.aloud}

    def unsaid(self) -> frozenset[str]:
        """Ids of utterances that are never spoken: the rest of a turn whose host loses the floor."""
        silent: set[str] = set()
        for event in self.events:
            if not event.effect.takes_floor or event.host is None:
                continue
            host = self.utterance(event.host)
            after = False
            for utterance in self.utterances:
                if after and utterance.turn == host.turn:
                    silent.add(utterance.utterance_id)
                after = after or utterance.utterance_id == host.utterance_id
        return frozenset(silent)

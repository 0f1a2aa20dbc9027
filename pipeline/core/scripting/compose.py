"""Assembly of a script from what the author answered."""

from collections.abc import Sequence

from pipeline.core.scripting.anchors import Place, locate, split_sentences
from pipeline.core.scripting.steps import (
    Adapted,
    AdaptInput,
    Line,
    PlaceInput,
    Placement,
    WriteInput,
    Written,
)
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import FloorEffect, Scene, scene_definition
from pipeline.domain.script import (
    AfterHesitation,
    AfterWords,
    Anchor,
    DialoguePlan,
    Follows,
    PromptUse,
    Script,
    ScriptedEvent,
    Utterance,
)
from pipeline.domain.seed import SeedDialogue

_ROLES = (Speaker.USER, Speaker.ASSISTANT)


def adapt_input(plan: DialoguePlan) -> AdaptInput:
    """The seed with roles: the corpus's system is the assistant; where there is none, who speaks first is the user."""
    return AdaptInput(
        dialogue_id=plan.dialogue_id,
        language=plan.seed.language,
        scene=plan.scene,
        topic=plan.seed.topic,
        lines=tuple(
            Line(
                speaker=Speaker.ASSISTANT if _is_assistant(plan.seed, turn.speaker) else Speaker.USER,
                text=turn.text,
            )
            for turn in plan.seed.turns
        ),
    )


def _is_assistant(seed: SeedDialogue, label: str) -> bool:
    a_is_system = seed.speakers[0].is_system and not seed.speakers[1].is_system
    return (label == "A") == a_is_system


def check_adapted(adapted: Adapted, scene: Scene) -> None:
    """Refuse turns that are not user, assistant (twice where the scene has two exchanges)."""
    exchanges = 2 if scene is Scene.DIRECTED_AT_OTHERS else 1
    got = tuple(turn.speaker for turn in adapted.turns)
    if got != _ROLES * exchanges:
        roles = ", ".join(speaker.value for speaker in got)
        raise RecordError(
            Reason.WRONG_SPEAKER_ROLES,
            f"adapted turns are by {roles or 'nobody'}; wanted user, assistant x {exchanges}",
        )
    for turn in adapted.turns:
        for sentence in turn.sentences:
            check_speakable(sentence)


def check_speakable(text: str) -> None:
    """Refuse text without words, or with digits or markup left in it."""
    if not words_of(text):
        raise RecordError(Reason.NO_WORDS, f"nothing to say in {text!r}")
    unwanted = sorted({char for char in text if char.isdigit() or char in "[]{}<>|#*_/\\@&%$^~`=+"})
    if unwanted:
        raise RecordError(
            Reason.UNSPEAKABLE_TEXT, f"{text!r} holds {' '.join(unwanted)}; wanted words and punctuation only"
        )


def place_input(plan: DialoguePlan, adapted: Adapted) -> PlaceInput:
    """Ask where the event belongs."""
    return PlaceInput(
        dialogue_id=plan.dialogue_id,
        language=plan.seed.language,
        scene=plan.scene,
        event=scene_definition(plan.scene).event,
        adapted=adapted,
    )


def has_host(scene: Scene) -> bool:
    """Whether the scene's event falls into somebody's turn, so that there is a place to ask for."""
    return scene is not Scene.THIRD_PARTY_BEFORE


def host_sentences(scene: Scene, adapted: Adapted) -> tuple[str, ...]:
    """The turn that the event falls into: the query for a hesitation, else the last answer."""
    return adapted.turns[0 if scene is Scene.PAUSE_HANDLING else -1].sentences


def find_place(scene: Scene, adapted: Adapted, placement: Placement) -> Place:
    """Where the quote ends. Raises RecordError where an event cannot happen there."""
    sentences = host_sentences(scene, adapted)
    place = locate(placement.quote, sentences)
    remaining = len(words_of(sentences[place.sentence])) - place.words
    if scene is not Scene.USER_BACKCHANNEL and remaining == 0:
        raise RecordError(
            Reason.ANCHOR_AT_EDGE,
            f"the quote {placement.quote!r} ends its sentence; wanted words of it left to say",
        )
    return place


def write_input(plan: DialoguePlan, adapted: Adapted, place: Place | None) -> WriteInput:
    """Ask for the event's words, told what was heard and what is left unsaid."""
    heard: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    if place is not None:
        sentences = host_sentences(plan.scene, adapted)
        broken = sentences[place.sentence]
        heard = (*sentences[: place.sentence], broken[: place.char].strip())
        rest = broken[place.char :].strip()
        unsaid = ((rest,) if words_of(rest) else ()) + tuple(sentences[place.sentence + 1 :])
    return WriteInput(
        dialogue_id=plan.dialogue_id,
        language=plan.seed.language,
        scene=plan.scene,
        event=scene_definition(plan.scene).event,
        adapted=adapted,
        heard=heard,
        unsaid=unsaid,
    )


def check_written(written: Written, scene: Scene) -> None:
    """Refuse a reply that does not fit the scene: words missing, reaction missing or unwanted."""
    definition = scene_definition(scene)
    if (written.event_text is None) != (scene is Scene.PAUSE_HANDLING):
        wanted = "none" if scene is Scene.PAUSE_HANDLING else "some"
        raise RecordError(
            Reason.INVALID_REPLY, f"event_text is {written.event_text!r}; wanted {wanted} for {scene.value}"
        )
    if bool(written.reaction) != (definition.effect is FloorEffect.YIELDS):
        raise RecordError(
            Reason.INVALID_REPLY,
            f"reaction has {len(written.reaction)} sentences, which does not fit {scene.value}",
        )
    for sentence in (*(() if written.event_text is None else (written.event_text,)), *written.reaction):
        check_speakable(sentence)


def compose(
    plan: DialoguePlan,
    adapted: Adapted,
    place: Place | None,
    written: Written,
    frames: tuple[str, ...],
    author: tuple[PromptUse, ...],
) -> Script:
    """One script from one author's answers. Raises RecordError where they do not fit together."""
    check_adapted(adapted, plan.scene)
    check_written(written, plan.scene)
    draft = _Draft()
    if plan.scene is Scene.PAUSE_HANDLING:
        _compose_hesitation(draft, adapted, place)
    elif plan.scene is Scene.THIRD_PARTY_BEFORE:
        _compose_before(draft, adapted, written)
    else:
        _compose_inside(draft, plan.scene, adapted, place, written)
    return Script(
        dialogue_id=plan.dialogue_id,
        seed_id=plan.seed.seed_id,
        language=plan.seed.language,
        scene=plan.scene,
        split=plan.split,
        topic=adapted.topic,
        user_gender=next(
            (s.gender for s in plan.seed.speakers if not _is_assistant(plan.seed, s.label)), None
        ),
        utterances=tuple(draft.utterances),
        events=tuple(draft.events),
        frames=frames,
        licence=plan.seed.licence,
        author=author,
    )


class _Draft:
    """A script under construction: numbers turns and utterances."""

    def __init__(self) -> None:
        self.utterances: list[Utterance] = []
        self.events: list[ScriptedEvent] = []
        self._turn = -1

    def turn(
        self,
        speaker: Speaker,
        sentences: Sequence[str],
        first_anchor: Anchor | None = None,
        emotion: Emotion = Emotion.NEUTRAL,
    ) -> tuple[str, ...]:
        """Add a turn, one utterance per sentence; returns their ids."""
        self._turn += 1
        return tuple(
            self.say(speaker, sentence, first_anchor if first_anchor and not i else Follows(), emotion)
            for i, sentence in enumerate(sentences)
        )

    def say(self, speaker: Speaker, text: str, anchor: Anchor, emotion: Emotion = Emotion.NEUTRAL) -> str:
        """Add one utterance to the current turn."""
        name = f"u{len(self.utterances):02d}"
        self.utterances.append(
            Utterance(
                utterance_id=name,
                turn=max(self._turn, 0),
                speaker=speaker,
                text=text,
                anchor=anchor,
                emotion=emotion,
            )
        )
        return name

    def event(self, scene: Scene, utterance_id: str, host: str | None) -> None:
        """Add the scene's event."""
        row = scene_definition(scene)
        self.events.append(
            ScriptedEvent(type=row.event, utterance_id=utterance_id, host=host, effect=row.effect)
        )


def _compose_hesitation(draft: _Draft, adapted: Adapted, place: Place | None) -> None:
    if place is None:
        raise RecordError(Reason.QUOTE_NOT_FOUND, "a hesitation needs a place in the query")
    query, answer = adapted.turns
    before, after = query.sentences[: place.sentence], query.sentences[place.sentence + 1 :]
    broken = query.sentences[place.sentence]
    ids = draft.turn(query.speaker, (*before, broken[: place.char].strip()))
    resumed = draft.say(query.speaker, broken[place.char :].lstrip(" ,;:，、；：。."), AfterHesitation())
    for sentence in after:
        draft.say(query.speaker, sentence, Follows())
    draft.event(Scene.PAUSE_HANDLING, resumed, host=ids[-1])
    draft.turn(answer.speaker, answer.sentences)


def _compose_before(draft: _Draft, adapted: Adapted, written: Written) -> None:
    first = draft.turn(
        Speaker.THIRD_PARTY, split_sentences(written.event_text or ""), emotion=written.event_emotion
    )
    draft.event(Scene.THIRD_PARTY_BEFORE, first[0], host=None)
    for turn in adapted.turns:
        draft.turn(turn.speaker, turn.sentences)


def _compose_inside(
    draft: _Draft, scene: Scene, adapted: Adapted, place: Place | None, written: Written
) -> None:
    if place is None:
        raise RecordError(Reason.QUOTE_NOT_FOUND, f"{scene.value} needs a place in the answer")
    ids: tuple[str, ...] = ()
    for turn in adapted.turns:
        ids = draft.turn(turn.speaker, turn.sentences)
    host = ids[place.sentence]
    speaker = Speaker.THIRD_PARTY if scene is Scene.THIRD_PARTY_AFTER else Speaker.USER
    event = draft.turn(
        speaker,
        split_sentences(written.event_text or ""),
        AfterWords(host=host, words=place.words),
        written.event_emotion,
    )
    draft.event(scene, event[0], host=host)
    if written.reaction:
        draft.turn(Speaker.ASSISTANT, written.reaction)

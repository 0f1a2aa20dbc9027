"""The `full_duplex` recipe: an exchange, one event in it, and the reaction to it.

seed -> adapt -> place -> write -> script        or all of it in one question: `single`, for comparison
"""

from pipeline.core.scripting.anchors import Place, locate, split_sentences
from pipeline.core.scripting.asking import Ask
from pipeline.core.scripting.draft import Draft, seed_lines
from pipeline.core.scripting.speakable import check_speakable
from pipeline.core.scripting.steps import (
    Adapted,
    AdaptInput,
    PlaceInput,
    Placement,
    Single,
    WriteInput,
    Written,
)
from pipeline.core.scripting.validators import check_repetition, check_sentences
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.events import FloorEffect
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene, scene_definition
from pipeline.domain.script import AfterHesitation, AfterWords, DialoguePlan, Follows, Script

PROMPTS = ("script/adapt", "script/place", "script/write")
PROMPTS_SINGLE = ("script/single",)

_ROLES = (Speaker.USER, Speaker.ASSISTANT)


async def write_full_duplex(plan: DialoguePlan, ask: Ask) -> Script:
    """Three questions: the exchange, where its event starts, what is said in it."""
    scene, language = scene_of(plan), plan.seed.language
    adapted = await ask(
        "adapt", adapt_input(plan), Adapted, lambda reply: _accept_adapted(reply, scene, language)
    )
    place: Place | None = None
    if has_host(scene):
        place = await ask(
            "place",
            place_input(plan, adapted),
            Placement,
            lambda placement: find_place(scene, adapted, placement),
        )
    return await ask(
        "write",
        write_input(plan, adapted, place),
        Written,
        lambda reply: _composed(plan, adapted, place, _accept_written(reply, scene, language)),
    )


async def write_full_duplex_at_once(plan: DialoguePlan, ask: Ask) -> Script:
    """The same in one question, for comparison."""
    scene, language = scene_of(plan), plan.seed.language

    def accept(reply: Single) -> Script:
        adapted = _accept_adapted(Adapted(topic=reply.topic, turns=reply.turns), scene, language)
        place: Place | None = None
        if has_host(scene):
            if not reply.quote:
                raise RecordError(Reason.QUOTE_NOT_FOUND, f"no quote is given; {scene.value} needs a place")
            place = find_place(scene, adapted, Placement(quote=reply.quote, why=reply.why))
        written = Written(
            event_text=reply.event_text, event_emotion=reply.event_emotion, reaction=reply.reaction
        )
        return _composed(plan, adapted, place, _accept_written(written, scene, language))

    return await ask("single", adapt_input(plan), Single, accept)


def _composed(plan: DialoguePlan, adapted: Adapted, place: Place | None, written: Written) -> Script:
    script = compose(plan, adapted, place, written)
    check_repetition(script)
    return script


def scene_of(plan: DialoguePlan) -> Scene:
    """The scene of a `full_duplex` plan. Raises ValueError for another recipe's."""
    if plan.scene is None:
        raise ValueError(f"{plan.dialogue_id} is a plan of {plan.recipe.value}, wanted full_duplex")
    return plan.scene


def _accept_adapted(adapted: Adapted, scene: Scene, language: Language) -> Adapted:
    check_adapted(adapted, scene)
    check_sentences([sentence for turn in adapted.turns for sentence in turn.sentences], language)
    return adapted


def _accept_written(written: Written, scene: Scene, language: Language) -> Written:
    check_written(written, scene)
    spoken = [text for text in (written.event_text, *written.reaction) if text is not None]
    check_sentences(spoken, language)
    return written


def adapt_input(plan: DialoguePlan) -> AdaptInput:
    """The seed with roles: the corpus's system is the assistant; where there is none, who speaks first is the user."""
    return AdaptInput(
        dialogue_id=plan.dialogue_id,
        language=plan.seed.language,
        scene=scene_of(plan),
        topic=plan.seed.topic,
        lines=seed_lines(plan),
    )


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


def place_input(plan: DialoguePlan, adapted: Adapted) -> PlaceInput:
    """Ask where the event belongs."""
    return PlaceInput(
        dialogue_id=plan.dialogue_id,
        language=plan.seed.language,
        scene=scene_of(plan),
        event=scene_definition(scene_of(plan)).event,
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
        sentences = host_sentences(scene_of(plan), adapted)
        broken = sentences[place.sentence]
        heard = (*sentences[: place.sentence], broken[: place.char].strip())
        rest = broken[place.char :].strip()
        unsaid = ((rest,) if words_of(rest) else ()) + tuple(sentences[place.sentence + 1 :])
    return WriteInput(
        dialogue_id=plan.dialogue_id,
        language=plan.seed.language,
        scene=scene_of(plan),
        event=scene_definition(scene_of(plan)).event,
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


def compose(plan: DialoguePlan, adapted: Adapted, place: Place | None, written: Written) -> Script:
    """One script from one author's answers. Raises RecordError where they do not fit together."""
    scene = scene_of(plan)
    draft = Draft()
    if scene is Scene.PAUSE_HANDLING:
        _compose_hesitation(draft, adapted, place)
    elif scene is Scene.THIRD_PARTY_BEFORE:
        _compose_before(draft, adapted, written)
    else:
        _compose_inside(draft, scene, adapted, place, written)
    return draft.script(plan, adapted.topic)


def _add_event(draft: Draft, scene: Scene, utterance_id: str, host: str | None) -> None:
    row = scene_definition(scene)
    draft.event(row.event, row.effect, utterance_id, host)


def _compose_hesitation(draft: Draft, adapted: Adapted, place: Place | None) -> None:
    if place is None:
        raise RecordError(Reason.QUOTE_NOT_FOUND, "a hesitation needs a place in the query")
    query, answer = adapted.turns
    before, after = query.sentences[: place.sentence], query.sentences[place.sentence + 1 :]
    broken = query.sentences[place.sentence]
    ids = draft.turn(query.speaker, (*before, broken[: place.char].strip()))
    resumed = draft.say(query.speaker, broken[place.char :].lstrip(" ,;:，、；：。."), AfterHesitation())
    for sentence in after:
        draft.say(query.speaker, sentence, Follows())
    _add_event(draft, Scene.PAUSE_HANDLING, resumed, host=ids[-1])
    draft.turn(answer.speaker, answer.sentences)


def _compose_before(draft: Draft, adapted: Adapted, written: Written) -> None:
    first = draft.turn(
        Speaker.THIRD_PARTY, split_sentences(written.event_text or ""), emotion=written.event_emotion
    )
    _add_event(draft, Scene.THIRD_PARTY_BEFORE, first[0], host=None)
    for turn in adapted.turns:
        draft.turn(turn.speaker, turn.sentences)


def _compose_inside(
    draft: Draft, scene: Scene, adapted: Adapted, place: Place | None, written: Written
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
    _add_event(draft, scene, event[0], host=host)
    if written.reaction:
        draft.turn(Speaker.ASSISTANT, written.reaction)

"""The `emotional` recipe: a user whose feelings change, for a reason, and who asks about it in the end.

    seed, assignment -> emotional_outline -> emotional_write -> script

The assignment says what is felt when; the author says why, and in which words. Which turn's words contradict
its voice, and which hold a sound, is drawn per dialogue.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.emotional_plan import EmotionalConfig
from pipeline.core.scripting.anchors import split_sentences
from pipeline.core.scripting.asking import Ask
from pipeline.core.scripting.draft import Draft, seed_lines
from pipeline.core.scripting.emotional_checks import (
    check_cause,
    check_length,
    check_names,
    check_question,
    check_stations,
)
from pipeline.core.scripting.emotional_steps import (
    EmotionalDialogue,
    EmotionalInput,
    EmotionalOutline,
    EmotionalTurn,
    EmotionalWriteInput,
    TurnToWrite,
)
from pipeline.core.scripting.tags import split_tags
from pipeline.core.scripting.validators import check_repetition, check_sentences
from pipeline.core.seeding import draw_uniform
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import EmotionalArc, EmotionalAssignment, EmotionalTask, Feeling, TagPlace
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import DialoguePlan, Script

PROMPTS = ("script/emotional_outline", "script/emotional_write")
ASKING = frozenset({EmotionalTask.TRAJECTORY, EmotionalTask.REASONING})
"""Tasks whose last turn is a question about the feelings before it."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What is drawn for one dialogue: how its feelings are to be heard."""

    said_as: tuple[Emotion | None, ...]
    sound: tuple[bool, ...]
    names_feeling: bool


async def write_emotional(plan: DialoguePlan, config: EmotionalConfig, root_seed: int, ask: Ask) -> Script:
    """Two questions: what happens and why it is felt, then the words."""
    assigned = assignment_of(plan)
    manner = draw_manner(assigned, config, root_seed, plan.dialogue_id)
    outline = await ask(
        "emotional_outline",
        EmotionalInput(
            dialogue_id=plan.dialogue_id,
            language=plan.seed.language,
            task=assigned.task,
            topic=assigned.topic,
            gender=assigned.gender,
            emotions=assigned.emotions,
            seed_topic=plan.seed.topic,
            lines=seed_lines(plan),
        ),
        EmotionalOutline,
        lambda reply: accept_outline(reply, assigned, plan.seed.language),
    )
    arc = arc_of(assigned, outline, manner)
    return await ask(
        "emotional_write",
        EmotionalWriteInput(
            dialogue_id=plan.dialogue_id,
            language=plan.seed.language,
            task=assigned.task,
            topic=assigned.topic,
            persona=outline.persona,
            matter=outline.matter,
            turns=turns_to_write(arc, manner),
            names_feeling=manner.names_feeling,
        ),
        EmotionalDialogue,
        lambda reply: compose_emotional(
            plan, arc, reply.turns, manner, outline.matter, spoken_responses=config.response_audio
        ),
    )


def assignment_of(plan: DialoguePlan) -> EmotionalAssignment:
    """What the plan is to become. Raises ValueError for another recipe's."""
    if plan.emotional is None:
        raise ValueError(f"{plan.dialogue_id} is a plan of {plan.recipe.value}, wanted emotional")
    return plan.emotional


def draw_manner(
    assigned: EmotionalAssignment, config: EmotionalConfig, root_seed: int, dialogue_id: str
) -> Manner:
    """Which turn's words contradict its voice, which turns hold a sound, whether a feeling may be named."""

    def draw(what: str) -> float:
        return draw_uniform(root_seed, "script/emotional", dialogue_id, what)

    felt = [i for i, emotion in enumerate(assigned.emotions) if emotion is not Emotion.NEUTRAL]
    said_as: list[Emotion | None] = [None] * len(assigned.emotions)
    if felt and draw("conflict") < config.conflict_share:
        turn = felt[int(draw("conflict/turn") * len(felt))]
        others = [emotion for emotion in Emotion if emotion is not assigned.emotions[turn]]
        said_as[turn] = others[int(draw("conflict/emotion") * len(others))]
    sound = tuple(i in felt and draw(f"sound/{i}") < config.tag_share for i in range(len(assigned.emotions)))
    return Manner(tuple(said_as), sound, names_feeling=draw("names") < config.max_label_share)


def accept_outline(
    outline: EmotionalOutline, assigned: EmotionalAssignment, language: Language
) -> EmotionalOutline:
    """Refuse an outline of another length, a new feeling without a cause, and text that cannot be used."""
    if len(outline.turns) != len(assigned.emotions):
        raise RecordError(
            Reason.INVALID_REPLY,
            f"the outline has {len(outline.turns)} turns; wanted {len(assigned.emotions)}, one per feeling",
        )
    before: Emotion | None = None
    for number, (turn, emotion) in enumerate(zip(outline.turns, assigned.emotions, strict=True), start=1):
        if emotion not in (before, Emotion.NEUTRAL) and not (turn.cause or "").strip():
            raise RecordError(
                Reason.INVALID_REPLY, f"turn {number} brings {emotion.value} without a cause; wanted one"
            )
        before = emotion
    check_sentences([outline.matter, *(turn.cause for turn in outline.turns if turn.cause)], language)
    return outline


def arc_of(assigned: EmotionalAssignment, outline: EmotionalOutline, manner: Manner) -> EmotionalArc:
    """What is felt, how strongly, and why."""
    return EmotionalArc(
        task=assigned.task,
        topic=assigned.topic,
        persona=outline.persona,
        feelings=tuple(
            Feeling(emotion=emotion, intensity=turn.intensity, cause=turn.cause, said_as=said_as)
            for emotion, turn, said_as in zip(assigned.emotions, outline.turns, manner.said_as, strict=True)
        ),
    )


def turns_to_write(arc: EmotionalArc, manner: Manner) -> tuple[TurnToWrite, ...]:
    """The author's view of the arc."""
    last = len(arc.feelings) - 1
    return tuple(
        TurnToWrite(
            turn=f"t{number + 1}",
            emotion=feeling.emotion,
            said_as=feeling.said_as,
            intensity=feeling.intensity,
            cause=feeling.cause,
            sound=manner.sound[number],
            question=arc.task in ASKING and number == last,
        )
        for number, feeling in enumerate(arc.feelings)
    )


def compose_emotional(
    plan: DialoguePlan,
    arc: EmotionalArc,
    turns: Sequence[EmotionalTurn],
    manner: Manner,
    matter: str,
    *,
    spoken_responses: bool,
) -> Script:
    """One script from one author's answers. Raises RecordError for what cannot be used."""
    language = plan.seed.language
    if len(turns) != len(arc.feelings):
        raise RecordError(Reason.INVALID_REPLY, f"{len(turns)} turns are written; wanted {len(arc.feelings)}")
    texts = [split_tags(turn.text) for turn in turns]
    _check_turns(arc, turns, [text for text, _ in texts], manner, language)
    draft = Draft()
    for feeling, turn, (text, tags) in zip(arc.feelings, turns, texts, strict=True):
        draft.turn(Speaker.USER, split_sentences(text), emotion=feeling.emotion, intensity=feeling.intensity)
        draft.add_tags(_per_sentence(split_sentences(text), tags))
        if turn.response:
            draft.turn(Speaker.ASSISTANT, split_sentences(turn.response), aloud=spoken_responses)
    script = draft.script(plan, matter, arc)
    check_repetition(script)
    return script


def _check_turns(
    arc: EmotionalArc,
    turns: Sequence[EmotionalTurn],
    texts: Sequence[str],
    manner: Manner,
    language: Language,
) -> None:
    last = len(turns) - 1
    check_sentences([s for text in texts for s in split_sentences(text)], language)
    for number, (turn, text, feeling) in enumerate(zip(turns, texts, arc.feelings, strict=True)):
        name = f"turn {number + 1}"
        check_length(name, text, language)
        if not arc.task.single_turn and not words_of(turn.response):
            raise RecordError(Reason.INVALID_REPLY, f"{name} has no response; wanted one to three sentences")
        if turn.response:
            check_sentences(split_sentences(turn.response), language)
        if arc.task in ASKING and number == last:
            check_question(name, text, arc.task, language)
        elif feeling.cause is not None and feeling.said_as is None:
            check_cause(name, feeling.cause, " ".join(texts[: number + 1]), language)
    if arc.task is EmotionalTask.TRAJECTORY:
        check_stations(turns[-1].response, arc.feelings, language)
    check_names(texts, arc.feelings, language, allowed=1 if manner.names_feeling else 0)


def _per_sentence(sentences: Sequence[str], tags: Sequence[TagPlace]) -> list[tuple[TagPlace, ...]]:
    """Places counted within each sentence; a sound at a border belongs to the sentence that follows."""
    found: list[tuple[TagPlace, ...]] = []
    start = 0
    for index, sentence in enumerate(sentences):
        end = start + len(words_of(sentence))
        last = index == len(sentences) - 1
        here = [tag for tag in tags if start <= tag.words < end or (last and tag.words >= end)]
        found.append(tuple(TagPlace(tag=tag.tag, words=min(tag.words, end) - start) for tag in here))
        start = end
    return found

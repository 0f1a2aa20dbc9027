"""Review of an emotional dialogue: can its feelings be read, and does it answer what is asked about them?

emotion_judge     sees the bare words of the user's turns and must find the labels back
rubric_<task>     scores the official dimensions of the task, 1, 3 or 5
"""

from pipeline.core.scripting.asking import Ask
from pipeline.core.scripting.emotional_steps import (
    EmpathyRubric,
    Judged,
    JudgeInput,
    ReasoningRubric,
    RubricInput,
    RubricLine,
    RubricScore,
    TrajectoryRubric,
)
from pipeline.domain.emotional import EmotionalArc, EmotionalTask, agreement
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AxisScore, Script

PROMPTS = (
    "script/emotion_judge",
    "script/rubric_trajectory",
    "script/rubric_reasoning",
    "script/rubric_empathy",
)


async def review_emotional(
    script: Script, ask: Ask, min_agreement: float, min_score: int
) -> tuple[Script, str | None]:
    """The script with what a judge found and scored, and what its author has to mend."""
    arc = arc_of_script(script)
    lines = _lines(script, arc)
    judged = await ask(
        "emotion_judge",
        JudgeInput(
            dialogue_id=script.dialogue_id, language=script.language, turns=tuple(line.text for line in lines)
        ),
        Judged,
        lambda reply: _one_per_turn(reply, len(lines)),
    )
    found = arc.model_copy(update={"found": tuple(turn.emotion for turn in judged.turns)})
    scores = await _rubric(script, arc, lines, ask)
    reviewed = script.model_copy(
        update={
            "arc": found,
            "review": tuple(AxisScore(axis=axis, score=score.score) for axis, score in scores.items()),
        }
    )
    return reviewed, _fault(found, judged, scores, min_agreement, min_score)


def arc_of_script(script: Script) -> EmotionalArc:
    """The arc of an emotional script. Raises ValueError for another recipe's."""
    if script.arc is None:
        raise ValueError(f"{script.dialogue_id} is a script of {script.recipe.value}, wanted emotional")
    return script.arc


def _one_per_turn(judged: Judged, turns: int) -> Judged:
    if len(judged.turns) != turns:
        raise RecordError(
            Reason.INVALID_REPLY, f"{len(judged.turns)} turns are judged; wanted {turns}, one per turn"
        )
    return judged


def _lines(script: Script, arc: EmotionalArc) -> tuple[RubricLine, ...]:
    """User turns with the response to each."""
    space = " " if script.language.value == "en" else ""
    turns: dict[int, list[str]] = {}
    speakers: dict[int, Speaker] = {}
    for utterance in script.utterances:
        turns.setdefault(utterance.turn, []).append(utterance.text)
        speakers[utterance.turn] = utterance.speaker
    said = [turn for turn in turns if speakers[turn] is Speaker.USER]
    return tuple(
        RubricLine(
            emotion=feeling.emotion,
            text=space.join(turns[turn]),
            response=space.join(turns[turn + 1]) if speakers.get(turn + 1) is Speaker.ASSISTANT else "",
        )
        for turn, feeling in zip(said, arc.feelings, strict=True)
    )


async def _rubric(
    script: Script, arc: EmotionalArc, lines: tuple[RubricLine, ...], ask: Ask
) -> dict[str, RubricScore]:
    """Scores by dimension; none for the tasks of one turn, which have no rubric."""
    if arc.task is EmotionalTask.EMPATHY:
        felt = [i for i, line in enumerate(lines) if line.emotion is not Emotion.NEUTRAL]
        lines = lines[: felt[1] + 1]
    record = RubricInput(dialogue_id=script.dialogue_id, language=script.language, task=arc.task, lines=lines)
    if arc.task is EmotionalTask.TRAJECTORY:
        first = await ask("rubric_trajectory", record, TrajectoryRubric, lambda reply: reply)
        return {
            "accuracy_completeness": first.accuracy_completeness,
            "depth_granularity": first.depth_granularity,
            "added_value": first.added_value,
        }
    if arc.task is EmotionalTask.REASONING:
        second = await ask("rubric_reasoning", record, ReasoningRubric, lambda reply: reply)
        return {
            "information_integration": second.information_integration,
            "insight_root_cause": second.insight_root_cause,
            "clarity_logic": second.clarity_logic,
        }
    if arc.task is EmotionalTask.EMPATHY:
        third = await ask("rubric_empathy", record, EmpathyRubric, lambda reply: reply)
        return {"textual_empathy_insight": third.textual_empathy_insight}
    return {}


def _fault(
    arc: EmotionalArc, judged: Judged, scores: dict[str, RubricScore], min_agreement: float, min_score: int
) -> str | None:
    """What to mend, for the author: feelings that cannot be read first."""
    share = agreement(arc)
    if share is not None and share < min_agreement:
        missed = [
            f"t{number} reads as {turn.emotion.value}, not {feeling.emotion.value} ({turn.reason})"
            for number, (feeling, turn) in enumerate(zip(arc.feelings, judged.turns, strict=True), start=1)
            if feeling.said_as is None and turn.emotion is not feeling.emotion
        ]
        return f"{share:.0%} of the feelings can be read; wanted {min_agreement:.0%}; {'; '.join(missed)}"
    poor = [
        f"{axis} scored {one.score} ({one.reason})" for axis, one in scores.items() if one.score < min_score
    ]
    return f"{'; '.join(poor)}; wanted {min_score} or more" if poor else None

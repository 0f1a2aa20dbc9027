"""The last step of the author: a judge reads the script as a transcript and scores it by a rubric.

    script -> review_input -> (a judge) -> Review -> find_fault -> None, or what to repair

The judge sees what is heard, in order of speaking, and what stays unsaid; ids and anchors mean nothing to it::

    assistant   Put it on the second rack, close—
    assistant   the door.                            left unsaid
    user        The second from the top?             breaks in (clarification request); the other one falls
                                                     silent, and comes back to it
    assistant   From the top. And close the door.

`—` is where somebody breaks off; `…` is where somebody goes on while, or right after, the other one is heard.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline.core.scripting.asking import Ask
from pipeline.core.tokens import tokenize
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Language, Recipe, Speaker
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene
from pipeline.domain.script import AfterSeconds, AfterWords, AxisScore, Script, Utterance

STEP = "review"

LEFT_UNSAID = "left unsaid"
"""Marks what the other one's interruption kept a speaker from saying."""

_EFFECTS = {
    FloorEffect.YIELDS: "; the other one falls silent",
    FloorEffect.RESUMES: "; the other one falls silent, and comes back to it",
    FloorEffect.FINISHES: "; the other one finishes the sentence",
    FloorEffect.CONTINUES: "; the other one goes on",
}
_QUOTED = 240
"""Characters of a judge's reason that a finding quotes."""


class ReviewLine(Record):
    """What one party says without anything changing around it."""

    speaker: Speaker
    text: str
    mark: str
    """How it comes in, empty where a turn just begins or goes on. A closed set of phrases:

    `breaks in (correction)`, `shows attention (continuer)`, `turns to somebody else in the room (...)`, `is heard
    nearby, speaking to neither (...)`, each with the event's type; then what the host does: `; the other one falls
    silent`, `; the other one falls silent, and comes back to it`, `; the other one finishes the sentence`, `; the
    other one goes on`. Or `goes on after a hesitation`, or `left unsaid`. An event that is placed by time, not by a
    word, says so: `breaks in 1.5 s into the sentence (correction)`."""


class ReviewInput(Record):
    """What the judge is given."""

    dialogue_id: str
    language: Language
    recipe: Recipe
    scene: Scene | None
    topic: str
    lines: tuple[ReviewLine, ...]
    """In order of speaking."""


class Judgement(Record):
    """One axis. The reason comes first: a model that has to reason before it scores, scores better."""

    reason: str
    score: Literal[1, 2, 3, 4, 5]
    """Spelled out, not a range: the strict schema form knows sets and no ranges, so a server holds to these."""


class Review(Record):
    """InteractSpeech's three axes, and two of HumDial's."""

    naturalness: Judgement
    """Spoken as people speak, the interruptions and listeners' words included."""
    consistency: Judgement
    """Nobody contradicts what was said before, or answers what nobody asked."""
    specificity: Judgement
    """About this matter, with its names and facts; not what could be said about anything."""
    role_fidelity: Judgement
    """The assistant helps and the user wants something; nobody speaks in the other one's place."""
    scene_fidelity: Judgement
    """The events are what they are called, fall where they make sense, and are reacted to as their effect says."""

    def axes(self) -> tuple[tuple[str, Judgement], ...]:
        """Name and judgement of each, in this order."""
        return (
            ("naturalness", self.naturalness),
            ("consistency", self.consistency),
            ("specificity", self.specificity),
            ("role_fidelity", self.role_fidelity),
            ("scene_fidelity", self.scene_fidelity),
        )


def scores_of(review: Review) -> tuple[AxisScore, ...]:
    """The numbers, to be kept with the script."""
    return tuple(AxisScore(axis=axis, score=judgement.score) for axis, judgement in review.axes())


async def review_script(
    script: Script, ask: Ask, min_score: int, min_mean: float
) -> tuple[Script, str | None]:
    """The script with its scores, and what its author has to mend."""
    review = await ask(STEP, review_input(script), Review, lambda reply: reply)
    scored = script.model_copy(update={"review": scores_of(review)})
    return scored, find_fault(review, min_score, min_mean)


def find_fault(review: Review, min_score: int, min_mean: float) -> str | None:
    """What the author has to mend: every axis below `min_score` with the judge's reason, worst first.

    Where none is, but their mean is below `min_mean`, the worst axis speaks for it. None where good enough.
    """
    worst_first = sorted(review.axes(), key=lambda item: item[1].score)
    poor = [(axis, judgement) for axis, judgement in worst_first if judgement.score < min_score]
    if poor:
        return "; ".join(f"{_describe(*item)}; wanted {min_score} or more" for item in poor)
    mean = sum(judgement.score for _, judgement in worst_first) / len(worst_first)
    if mean < min_mean:
        return f"the axes' mean is {mean:.2f} of 5; wanted {min_mean:g} or more; {_describe(*worst_first[0])}"
    return None


def _describe(axis: str, judgement: Judgement) -> str:
    reason = " ".join(judgement.reason.split())
    if len(reason) > _QUOTED:
        reason = reason[:_QUOTED] + "…"
    return f"{axis} scored {judgement.score} of 5 ({reason or 'no reason given'})"


def review_input(script: Script) -> ReviewInput:
    """The script as its judge reads it."""
    return ReviewInput(
        dialogue_id=script.dialogue_id,
        language=script.language,
        recipe=script.recipe,
        scene=script.scene,
        topic=script.topic,
        lines=_Transcript(script).lines(),
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of one utterance that nothing breaks."""

    speaker: Speaker
    text: str
    mark: str
    opens: bool
    """Whether it starts a line of its own."""


class _Transcript:
    """Puts utterances that fall into others where they are heard.

    A *run* is what one party says from one anchor on: a turn, or the words of an event. A run that hangs on an
    utterance is told in its middle, or after what it kept its host from saying.
    """

    def __init__(self, script: Script) -> None:
        self._language = script.language
        self._unsaid = script.unsaid()
        self._events = {event.utterance_id: event for event in script.events}
        self._opening: list[tuple[Utterance, ...]] = []
        self._hanging: dict[str, list[tuple[int, tuple[Utterance, ...]]]] = {}
        for run in _runs_of(script):
            anchor = run[0].anchor
            if isinstance(anchor, AfterWords | AfterSeconds):
                at = _position(script.utterance(anchor.host).text, anchor)
                self._hanging.setdefault(anchor.host, []).append((at, run))
            else:
                self._opening.append(run)

    def lines(self) -> tuple[ReviewLine, ...]:
        """Pieces that nothing separates are one line."""
        lines: list[ReviewLine] = []
        space = "" if self._language is Language.ZH else " "
        for piece in (piece for run in self._opening for piece in self._tell(run)):
            if piece.opens:
                lines.append(ReviewLine(speaker=piece.speaker, text=piece.text, mark=piece.mark))
            else:
                text = f"{lines[-1].text}{space}{piece.text}"
                lines[-1] = lines[-1].model_copy(update={"text": text})
        return tuple(lines)

    def _tell(self, run: tuple[Utterance, ...]) -> Iterator[_Piece]:
        """A run, and every run that hangs on it."""
        later: list[tuple[Utterance, ...]] = []
        opens, silent = True, False
        for utterance in run:
            speaker, text = utterance.speaker, utterance.text
            if not silent and utterance.utterance_id in self._unsaid:
                opens = silent = True
            mark = LEFT_UNSAID if silent else self._mark(utterance)
            opens = opens or bool(mark and not silent)
            start = 0
            for at, inner in sorted(self._hanging.get(utterance.utterance_id, ()), key=lambda item: item[0]):
                if silent:
                    later.append(inner)
                    continue
                silent = self._cuts(inner)
                end = _rest_from(text, at)
                if end > start:
                    said = text[start:] if end == len(text) else text[start:at] + ("—" if silent else "…")
                    yield _Piece(speaker, ("…" if start else "") + said, mark, opens)
                    mark, start = "", end
                opens = True
                if silent:
                    mark = LEFT_UNSAID
                    later.append(inner)
                else:
                    yield from self._tell(inner)
            if start < len(text):
                dots = "…" if start and not silent else ""
                yield _Piece(speaker, dots + text[start:], mark, opens)
                opens = False
        for inner in later:
            yield from self._tell(inner)

    def _cuts(self, run: tuple[Utterance, ...]) -> bool:
        events = (self._events.get(utterance.utterance_id) for utterance in run)
        return any(event is not None and event.effect.cuts_host for event in events)

    def _mark(self, utterance: Utterance) -> str:
        event = self._events.get(utterance.utterance_id)
        if event is None:
            return ""
        if event.type is EventType.HESITATION_PAUSE:
            return "goes on after a hesitation"
        if event.type.is_interruption:
            how = "breaks in"
        elif event.type.is_backchannel:
            how = "shows attention"
        elif event.type is EventType.SPEECH_DIRECTED_AT_OTHERS:
            how = "turns to somebody else in the room"
        else:
            how = "is heard nearby, speaking to neither"
        if isinstance(utterance.anchor, AfterSeconds):
            how = f"{how} {utterance.anchor.seconds:g} s into the sentence"
        effect = _EFFECTS[event.effect] if event.host is not None else ""
        return f"{how} ({event.type.value.replace('_', ' ')}){effect}"


def _runs_of(script: Script) -> tuple[tuple[Utterance, ...], ...]:
    runs: list[list[Utterance]] = []
    for utterance in script.utterances:
        anchored = isinstance(utterance.anchor, AfterWords | AfterSeconds)
        same_turn = [run for run in runs if run[0].turn == utterance.turn]
        if anchored or not same_turn:
            runs.append([utterance])
        else:
            same_turn[-1].append(utterance)
    return tuple(map(tuple, runs))


def _position(text: str, anchor: AfterWords | AfterSeconds) -> int:
    """Where the anchor's words end, in code points; after all of them where a time is given, not a word."""
    tokens = tokenize(text)
    if isinstance(anchor, AfterSeconds) or anchor.words > len(tokens):
        return len(text)
    return tokens[anchor.words - 1][2]


def _rest_from(text: str, at: int) -> int:
    """Where the words after a break begin; the text's length where there are none."""
    return next((start for _, start, _ in tokenize(text) if start >= at), len(text))

"""Step 2 of an emotional dialogue: the user's turns in their feelings, a response to each, and the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.backends.offline.emotional_answer import Told, answer, as_told
from pipeline.backends.offline.emotional_bank import Beat, EmotionalBank, Situation
from pipeline.backends.offline.emotional_sounds import join, with_sound
from pipeline.backends.offline.frames import Composer, Frame, split_sentences
from pipeline.core.scripting.emotional_steps import (
    EmotionalDialogue,
    EmotionalTurn,
    EmotionalWriteInput,
    TurnToWrite,
)
from pipeline.domain.emotional import Intensity
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.quarantine import Reason

JOINED = 0.8
"""How often a turn is joined to the one before by words of its own ("Hold on.")."""
BURST = 0.6
"""How often a mild or strong feeling adds an exclamation of its own."""
ECHO = 0.5
"""How often a response to a new feeling comes back to the one before."""
DWELT = 0.5
"""How often a single turn dwells on its event, where it would else say first what it is all about."""
_BAD = frozenset({Emotion.SAD, Emotion.ANGER, Emotion.FEAR, Emotion.DISGUST})


@dataclass(slots=True)
class _Writing:
    """One dialogue under way."""

    given: EmotionalWriteInput
    situation: Situation
    bank: EmotionalBank
    composer: Composer
    told: list[Told]
    taken: set[str]
    """Causes that are told, or will be."""
    opened: bool = False
    named: bool = False


def write_emotional_dialogue(
    given: EmotionalWriteInput, bank: EmotionalBank, composer: Composer
) -> EmotionalDialogue:
    """All turns in order.

    Raises RecordError for an outline that is not this author's: its events are found by their words.
    """
    situation = bank.situation(given.matter)
    if situation is None:
        raise RecordError(
            Reason.INVALID_REPLY,
            f"the offline author has no situation {given.matter!r}; wanted one that its own outline chose",
        )
    causes = {turn.cause for turn in given.turns if turn.cause is not None and turn.said_as is None}
    state = _Writing(given, situation, bank, composer, told=[], taken=causes)
    turns = []
    for turn in given.turns:
        if turn.question:
            turns.append(_question(state))
            continue
        turns.append(_turn(state, turn))
    return EmotionalDialogue(turns=tuple(turns))


def _question(state: _Writing) -> EmotionalTurn:
    asked = state.composer.say(state.bank.frames[f"question/{state.given.task.value}"])
    answered = answer(state.given.task, state.told, state.situation.stake, state.bank, state.composer)
    return EmotionalTurn(text=asked, response=answered)


def _turn(state: _Writing, turn: TurnToWrite) -> EmotionalTurn:
    words = turn.said_as or turn.emotion
    beat = _beat(state, turn, words)
    own = not _is_written(state, beat)
    told = Told(turn.emotion, words, beat.cause if own else as_told(beat.cause, state.bank.language), own)
    if state.given.task.single_turn and not own and state.composer.chance(DWELT):
        sentences = [*_said(state, beat), *_said(state, state.composer.pick(state.bank.dwell[words]))]
    else:
        sentences = [*_lead(state, told), *_said(state, beat), *_after(state, turn, words)]
    response = "" if state.given.task.single_turn else _response(state, told, beat)
    state.told.append(told)
    if turn.sound:
        return EmotionalTurn(text=with_sound(sentences, turn.emotion, state.composer), response=response)
    return EmotionalTurn(text=join(sentences, state.bank.language), response=response)


def _beat(state: _Writing, turn: TurnToWrite, words: Emotion) -> Beat:
    """The event that the outline chose; for a feeling that goes on, another one, else one that only dwells."""
    beats, dwell = state.situation.beats[words], state.bank.dwell[words]
    if turn.cause is not None and turn.said_as is None:
        found = next((beat for beat in (*beats, *dwell) if beat.cause == turn.cause), None)
        return found or _own_beat(state, turn, turn.cause)
    fresh = [beat for beat in beats if beat.cause not in state.taken]
    beat = fresh[0] if fresh else state.composer.pick([b for b in dwell if b.cause not in state.taken])
    if len(fresh) > 1 and turn.intensity is not Intensity.STRONG:
        beat = state.composer.pick(fresh)
    state.taken.add(beat.cause)
    return beat


def _own_beat(state: _Writing, turn: TurnToWrite, cause: str) -> Beat:
    """The seed's own words are their own event; the response is one that fits whatever brought the feeling."""
    stop = "!" if turn.intensity is Intensity.STRONG and turn.emotion is not Emotion.SAD else "."
    text = f"{cause}{stop if state.bank.language is Language.EN else {'!': '！', '.': '。'}[stop]}"
    return Beat(
        cause,
        Frame(f"{state.bank.language.value}/emotional/own", text),
        _frame(state, f"own/{turn.emotion.value}"),
    )


def _is_written(state: _Writing, beat: Beat) -> bool:
    known = (*state.situation.beats.values(), *state.bank.dwell.values())
    return any(beat in group for group in known)


def _lead(state: _Writing, told: Told) -> list[str]:
    """What comes before the event: the opening of the dialogue, or what joins the turn to the one before."""
    if told.own:
        return []
    leads = []
    before = state.told[-1] if state.told else None
    if before is not None and before.own:
        leads.append(_frame(state, "aside/own"))
    elif before is not None and state.composer.chance(JOINED):
        way = "more" if before.words is told.words else "join"
        leads.append(_frame(state, f"{way}/{told.words.value}"))
    if not state.opened:
        leads.append(state.composer.say(state.situation.openings))
        state.opened = True
    return leads


def _said(state: _Writing, beat: Beat) -> tuple[str, ...]:
    return split_sentences(state.composer.render(beat.say), state.bank.language)


def _after(state: _Writing, turn: TurnToWrite, words: Emotion) -> list[str]:
    """An exclamation that goes with how strong it is, or once, where it is allowed, the feeling by its name."""
    if words is Emotion.NEUTRAL:
        return []
    if state.given.names_feeling and not state.named and turn.said_as is None:
        state.named = True
        return [_frame(state, f"name/{words.value}")]
    if turn.intensity is not Intensity.CLEAR and state.composer.chance(BURST):
        return [_frame(state, f"burst/{turn.intensity.value}/{words.value}")]
    return []


def _response(state: _Writing, told: Told, beat: Beat) -> str:
    """Takes the event in, and sometimes the change from the one before."""
    way = _way(state.told, told)
    if way is None or not state.composer.chance(ECHO):
        return beat.reply
    state.composer.slots = {"cause": state.told[-1].cause}
    return join([_frame(state, f"echo/{way}"), beat.reply], state.bank.language)


def _way(before: Sequence[Told], now: Told) -> str | None:
    """Whether things turned for the better, for the worse, or are piling up; None where neither.

    Whoever is in danger wants to hear what to do, not what was before.
    """
    last = before[-1] if before else None
    if last is None or last.own or last.words is now.words or now.words is Emotion.FEAR:
        return None
    if last.words in _BAD:
        return "up" if now.words is Emotion.HAPPY else "more" if now.words in _BAD else None
    return "down" if last.words is Emotion.HAPPY and now.words in _BAD else None


def _frame(state: _Writing, section: str) -> str:
    return state.composer.say(state.bank.frames[section])

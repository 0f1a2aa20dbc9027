"""Step 3 of a conversation: the words of every event, and how the host takes them.

A reaction has to lead over to the turn that follows, which was written before anybody thought of the event:

    answer to the event     what the banks know: the tip's own answer, another tip, a planted reply ...
    what was left unsaid    all of it where the host resumes; else only what the next turn builds on
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pipeline.backends.offline.banks import Bank, Exchange
from pipeline.backends.offline.frames import Composer, Frame
from pipeline.backends.offline.manner import is_grave, suits
from pipeline.backends.offline.needed import needed_later
from pipeline.backends.offline.planted import PLANTED_FILES
from pipeline.backends.offline.situation import Situation, assess
from pipeline.backends.offline.write import (
    write_dissatisfaction,
    write_repetition,
    write_stop_request,
    write_topic_shift,
)
from pipeline.core.scripting.conversation_steps import (
    ConversationWriteInput,
    EventSite,
    WrittenEvent,
    WrittenEvents,
)
from pipeline.core.scripting.event_plan import CLOSING
from pipeline.core.scripting.steps import Written
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Emotion, Speaker
from pipeline.domain.quarantine import Reason

_ACK_CHANCE, _LEAD_CHANCE = 0.4, 0.7
_MOST_RESUMED = 3
"""Sentences that a host says of what it had left."""


def write_conversation(request: ConversationWriteInput, bank: Bank, composer: Composer) -> WrittenEvents:
    """All events in the order in which they happen."""
    return WrittenEvents(events=tuple(_write(request, site, bank, composer) for site in request.sites))


@dataclass(frozen=True, slots=True)
class _Moment:
    """One event of a conversation: the situation it falls into, and what comes after it."""

    site: EventSite
    now: Situation
    following: tuple[str, ...]
    """The next turn; empty after the last one."""
    needed: tuple[str, ...]
    """Sentences of the host turn that were not heard, and without which the turns around it make no sense."""

    def fresh_tip(self) -> str:
        """A tip that is nowhere in the dialogue."""
        now = self.now
        given = {tip.say.frame_id for tip in now.given} | set(now.composer.used)
        tips = [tip for tip in (*now.domain.tips, *now.bank.general.tips) if not tip.only_for]
        fresh = [tip for tip in tips if tip.say.frame_id not in given]
        own = [tip for tip in fresh if tip in now.domain.tips]
        return now.composer.render(now.composer.pick(own or fresh or tips).say)

    def exchange(self, name: str) -> Exchange:
        """A question and its answer in the manner of the field."""
        pairs = [pair for pair in self.now.bank.exchanges[name] if suits(pair.ask.kind, self.now.domain)]
        chosen = self.now.composer.choose(pair.ask for pair in pairs or self.now.bank.exchanges[name])
        return next(pair for pair in self.now.bank.exchanges[name] if pair.ask is chosen)


def _write(request: ConversationWriteInput, site: EventSite, bank: Bank, composer: Composer) -> WrittenEvent:
    labels = [turn.turn for turn in request.turns]
    if site.turn not in labels:
        raise RecordError(
            Reason.INVALID_REPLY,
            f"{request.dialogue_id}: {site.event_id} is placed in {site.turn!r}; wanted one of {', '.join(labels)}",
        )
    number = labels.index(site.turn)
    host = request.turns[number].sentences
    now = assess(bank, composer, request.topic, request.turns, host, (site.heard, site.unsaid))
    # An earlier event may have brought a tip that is in no turn.
    brought = (tip for domain in bank.domains for tip in domain.tips if tip.say.frame_id in composer.used)
    now = replace(now, given=(*now.given, *brought))
    following = request.turns[number + 1].sentences if number + 1 < len(labels) else ()
    unheard = now.host[now.broken + now.understood :]
    moment = _Moment(site, now, following, needed_later(bank, request.turns, number, unheard))
    is_planted = (site.type, site.initiator) in PLANTED_FILES
    written = (_planted if is_planted else _WRITERS[site.type])(moment)
    reaction = written.reaction
    if site.effect.takes_floor:
        reaction = (*reaction, *_continuation(moment, reaction))
    return WrittenEvent(
        event_id=site.event_id, text=written.event_text, emotion=written.event_emotion, reaction=reaction
    )


def _continuation(moment: _Moment, reaction: tuple[str, ...]) -> tuple[str, ...]:
    """What the host says after its answer to the event, of what it could not say before."""
    site, now = moment.site, moment.now
    if site.type in CLOSING:
        return ()
    later = now.host[now.broken + 1 :]
    if site.initiator is Speaker.ASSISTANT:
        # The next turn answers the question at the end of this one, so it has to be asked.
        wanted = later if site.effect is FloorEffect.RESUMES else later[-1:]
        return _led_in(now, "user", wanted)
    if site.type is EventType.COOPERATIVE_COMPLETION:
        return later[:_MOST_RESUMED]
    planted = (site.type, site.initiator) in PLANTED_FILES
    if site.effect is FloorEffect.RESUMES:
        broken = () if planted else (_plainly(now, now.host[now.broken]),)
        return _led_in(now, "assistant", (*broken, *later))
    plain = (_plainly(now, sentence) for sentence in moment.needed)
    missing = _led_in(now, "assistant", tuple(sentence for sentence in plain if sentence not in reaction))
    if moment.following or site.type is EventType.URGENCY:
        return missing
    return (*missing, *(sentence for sentence in later[-1:] if sentence not in moment.needed))


def _plainly(now: Situation, sentence: str) -> str:
    """A tip without the link that stood before it."""
    found = now.bank.find_tip(sentence)
    return found[0].say.text if found else sentence


def _led_in(now: Situation, party: str, sentences: tuple[str, ...]) -> tuple[str, ...]:
    """Sentences with words that lead back to them, most of the time."""
    if not sentences or not now.composer.chance(_LEAD_CHANCE):
        return sentences
    lead = now.composer.say(now.bank.frames[f"events/resumption/{party}"])
    text = now.composer.lead_in(lead, _plainly(now, sentences[0]))
    return (*now.sentences(text), *sentences[1:])


def _planted(moment: _Moment) -> Written:
    """What is written together with the planted sentence that the event falls into."""
    site, now = moment.site, moment.now
    planted = now.bank.find_planted(now.host[now.broken]) if now.host else None
    if planted is None or planted.file != PLANTED_FILES[site.type, site.initiator]:
        raise RecordError(
            Reason.NO_SUITABLE_TURN,
            f"{site.event_id}: {' '.join(site.heard)[-60:]!r} gives the {site.initiator.value} no cause for a "
            f"{site.type.value}; wanted a sentence of the banks ({PLANTED_FILES[site.type, site.initiator]})",
        )
    emotion = Emotion.SURPRISE if site.type is EventType.WARNING else Emotion.NEUTRAL
    return Written(
        event_text=now.composer.render(planted.said),
        event_emotion=emotion,
        reaction=now.sentences(now.composer.render(planted.reply)),
    )


def _asked(moment: _Moment, leads: str, exchange: Exchange) -> Written:
    now = moment.now
    return Written(
        event_text=now.composer.lead_in(now.say(leads), now.composer.render(exchange.ask)),
        event_emotion=Emotion.NEUTRAL,
        reaction=now.sentences(now.composer.render(exchange.answer)),
    )


def _follow_up(moment: _Moment) -> Written:
    """The question that belongs to the tip, unless it is asked in the dialogue anyway."""
    now = moment.now
    tip = now.recent
    if tip is None or tip.ask.text in now.said or tip.ask.frame_id in now.composer.used:
        return _asked(moment, "follow_up/leads", now.exchange("follow_up"))
    question = now.composer.render(tip.ask)
    now.composer.note(f"{tip.ask.frame_id}/answer")
    opening = now.perhaps("follow_up/acknowledgements", _ACK_CHANCE)
    return Written(
        event_text=now.composer.lead_in(now.say("follow_up/leads"), question),
        event_emotion=Emotion.NEUTRAL,
        reaction=(*opening, *tip.answer),
    )


def _information(moment: _Moment) -> Written:
    return _asked(moment, "events/information/leads", moment.exchange("events/information"))


def _clarification(moment: _Moment) -> Written:
    return _asked(moment, "events/clarification/leads", moment.exchange("events/clarification"))


def _disagreement(moment: _Moment) -> Written:
    now = moment.now
    return Written(
        event_text=now.say("events/disagreement/objections"),
        event_emotion=Emotion.NEUTRAL,
        reaction=(
            *now.sentences(now.say("events/disagreement/replies")),
            *now.sentences(now.say("events/disagreement/bridges")),
            moment.fresh_tip(),
        ),
    )


def _urgency(moment: _Moment) -> Written:
    """Whoever runs comes back in the next turn; whoever wants the short version ends the dialogue with it."""
    now = moment.now
    comes_back = bool(moment.following) and moment.following[0].lower() in now.bank.returns
    kinds = ("leave",) if comes_back else ("leave", "short") if not moment.following else ("short",)
    call = now.composer.choose(
        frame for frame in now.bank.frames["events/urgency/calls"] if frame.kind in kinds
    )
    text = now.composer.render(call)
    reaction = now.sentences(now.say(f"events/urgency/replies/{call.kind}"))
    if call.kind == "short":
        waiting = [found[0] for found in map(now.bank.find_tip, now.host[now.broken + 1 :]) if found]
        core = now.composer.render(waiting[0].say) if waiting else moment.fresh_tip()
        reaction = (*reaction, core)
    return Written(event_text=text, event_emotion=call.emotion, reaction=reaction)


def _completion(moment: _Moment) -> Written:
    """The words that were left of the sentence, said by the other one."""
    now = moment.now
    rest = moment.site.unsaid[0].strip(" ,;:.?!，、；：。？！") if moment.site.unsaid else ""
    slots = now.composer.slots
    now.composer.slots = {**slots, "rest": rest}
    text = now.say("events/completion/endings")
    now.composer.slots = slots
    confirmation = now.sentences(now.say("events/completion/confirmations"))
    return Written(event_text=text, event_emotion=Emotion.NEUTRAL, reaction=confirmation)


def _signal(*kinds: str) -> Callable[[_Moment], Written]:
    """A writer for what a listener says without wanting the floor."""

    def writer(moment: _Moment) -> Written:
        now = moment.now
        kind = now.composer.pick(kinds)
        key = f"{kind}/{moment.site.initiator.value}" if kind == "reactions" else kind
        frames = now.bank.frames[f"events/signals/{key}"]
        return _unanswered(
            now, [one for one in frames if not (one.emotion is Emotion.HAPPY and is_grave(now.domain))]
        )

    return writer


def _aside(section: str) -> Callable[[_Moment], Written]:
    """A writer for what is said to somebody else."""
    return lambda moment: _unanswered(moment.now, moment.now.bank.frames[section])


def _unanswered(now: Situation, frames: tuple[Frame, ...] | list[Frame]) -> Written:
    frame = now.composer.choose(frames)
    return Written(event_text=now.composer.render(frame), event_emotion=frame.emotion, reaction=())


def _hesitation(_: _Moment) -> Written:
    return Written(event_text=None, event_emotion=Emotion.NEUTRAL, reaction=())


_WRITERS: Mapping[EventType, Callable[[_Moment], Written]] = {
    EventType.FOLLOW_UP_QUESTION: _follow_up,
    EventType.INFORMATION_REQUEST: _information,
    EventType.CLARIFICATION_REQUEST: _clarification,
    EventType.REPETITION_REQUEST: lambda moment: write_repetition(moment.now),
    EventType.DISAGREEMENT: _disagreement,
    EventType.DISSATISFACTION: lambda moment: write_dissatisfaction(moment.now),
    EventType.COOPERATIVE_COMPLETION: _completion,
    EventType.TOPIC_SHIFT: lambda moment: write_topic_shift(moment.now),
    EventType.URGENCY: _urgency,
    EventType.STOP_REQUEST: lambda moment: write_stop_request(moment.now),
    EventType.BACKCHANNEL: _signal("continuers", "acknowledgements", "reactions"),
    EventType.CONTINUER: _signal("continuers"),
    EventType.ACKNOWLEDGEMENT: _signal("acknowledgements"),
    EventType.REACTION: _signal("reactions"),
    EventType.HESITATION_PAUSE: _hesitation,
    EventType.THIRD_PARTY_SPEECH: _aside("bystander/remarks"),
    EventType.SPEECH_DIRECTED_AT_OTHERS: _aside("aside/remarks"),
}
"""What needs no planted sentence; a correction, supplement or warning has none here."""

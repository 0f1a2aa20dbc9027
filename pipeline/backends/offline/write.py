"""Step 3: the words of the event, and the assistant's reaction.

Events refer to the tip that was being given, where there is one: each tip of the banks knows what it is about,
what a listener would ask, and the answer to that.
"""

from collections.abc import Callable, Mapping

from pipeline.backends.offline.banks import Bank
from pipeline.backends.offline.frames import Composer
from pipeline.backends.offline.situation import Situation, read_situation
from pipeline.core.scripting.steps import WriteInput, Written
from pipeline.core.tokens import words_of
from pipeline.domain.events import EventType
from pipeline.domain.labels import Emotion

_EXTRA_CHANCE = 0.45
_ABOUT_FACTS = frozenset({"misunderstood", "doubted", "lengthy"})
"""Complaints that make sense about facts; one does not reject a fact as one rejects advice."""
_MIN_FACT_WORDS = 7


def write(request: WriteInput, bank: Bank, composer: Composer) -> Written:
    """The event's words and the reaction to it."""
    return _WRITERS[request.event](read_situation(request, bank, composer))


def _follow_up(now: Situation) -> Written:
    if now.recent:
        question = now.composer.render(now.recent.ask)
        now.composer.note(f"{now.recent.ask.frame_id}/answer")
        answer = now.recent.answer
    else:
        exchange = now.exchange("knowledge" if now.only_facts else "follow_up")
        question = now.composer.render(exchange.ask)
        answer = now.sentences(now.composer.render(exchange.answer))
    opening = now.perhaps("follow_up/acknowledgements", _EXTRA_CHANCE)
    closing = () if opening else now.perhaps("follow_up/resumes", _EXTRA_CHANCE)
    return Written(
        event_text=now.composer.lead_in(now.say("follow_up/leads"), question),
        event_emotion=Emotion.NEUTRAL,
        reaction=(*opening, *answer, *closing),
    )


def write_dissatisfaction(now: Situation) -> Written:
    """A complaint; an apology, and something else instead."""
    complaints = now.bank.frames["negation/complaints"]
    if now.only_facts:
        complaints = tuple(frame for frame in complaints if frame.kind in _ABOUT_FACTS)
    complaint = now.composer.choose(complaints)
    text = now.composer.render(complaint)
    reaction = (
        *now.sentences(now.say(f"negation/apologies/{complaint.kind}")),
        *now.sentences(now.say(f"negation/bridges/{complaint.kind}")),
        _remedy(now, complaint.kind),
        *now.perhaps("negation/checks", _EXTRA_CHANCE),
    )
    return Written(event_text=text, event_emotion=complaint.emotion, reaction=reaction)


def _remedy(now: Situation, kind: str) -> str:
    """What the assistant offers instead: another tip; to somebody in a hurry, the one that was still to come.

    Of facts, the next one.
    """
    unsaid = now.host[now.broken + 1 :]
    waiting = [found[0] for found in map(now.bank.find_tip, unsaid) if found]
    if kind == "lengthy" and waiting:
        return now.composer.render(waiting[0].say)
    told = [
        sentence for sentence in (*unsaid[:-1], *now.host[1:-1]) if len(words_of(sentence)) >= _MIN_FACT_WORDS
    ]
    if now.only_facts and told:
        return told[0]
    return now.fresh_tip()


def write_repetition(now: Situation) -> Written:
    """The broken sentence is said again whole, without its link; where it had only begun, the one before it too."""
    text = now.say("repetition/requests")
    # The sentence before the first tip may be a mere opening: it is not worth repeating.
    first = now.broken - 1 if now.broken > 1 and not now.understood else now.broken
    again = now.host[first : now.broken + 1] or now.heard[-1:] or now.unsaid[:1]
    found = [(now.bank.find_tip(sentence), sentence) for sentence in again]
    reaction = (
        *now.sentences(now.say("repetition/leads")),
        *(match[0].say.text if match else sentence for match, sentence in found),
        *now.perhaps("repetition/checks", _EXTRA_CHANCE),
    )
    return Written(event_text=text, event_emotion=Emotion.NEUTRAL, reaction=reaction)


def write_topic_shift(now: Situation) -> Written:
    """A question about something else, and its answer."""
    exchange = now.exchange("topics")
    question = now.composer.render(exchange.ask)
    return Written(
        event_text=now.composer.lead_in(now.say("topics/leads"), question),
        event_emotion=Emotion.NEUTRAL,
        reaction=(
            *now.perhaps("topics/acknowledgements", _EXTRA_CHANCE),
            *now.sentences(now.composer.render(exchange.answer)),
        ),
    )


def write_stop_request(now: Situation) -> Written:
    """A wish for silence, confirmed in a few words."""
    request = now.composer.choose(now.bank.frames["stop/requests"])
    text = now.composer.render(request)
    reply = now.sentences(now.say("stop/replies"))
    return Written(event_text=text, event_emotion=request.emotion, reaction=reply)


def _undisturbed(section: str) -> Callable[[Situation], Written]:
    """A writer for events that the assistant talks past."""

    def writer(now: Situation) -> Written:
        frame = now.composer.choose(now.bank.frames[section])
        return Written(event_text=now.composer.render(frame), event_emotion=frame.emotion, reaction=())

    return writer


def _hesitation(_: Situation) -> Written:
    return Written(event_text=None, event_emotion=Emotion.NEUTRAL, reaction=())


_WRITERS: Mapping[EventType, Callable[[Situation], Written]] = {
    EventType.FOLLOW_UP_QUESTION: _follow_up,
    EventType.DISSATISFACTION: write_dissatisfaction,
    EventType.REPETITION_REQUEST: write_repetition,
    EventType.TOPIC_SHIFT: write_topic_shift,
    EventType.STOP_REQUEST: write_stop_request,
    EventType.BACKCHANNEL: _undisturbed("backchannel/signals"),
    EventType.THIRD_PARTY_SPEECH: _undisturbed("bystander/remarks"),
    EventType.SPEECH_DIRECTED_AT_OTHERS: _undisturbed("aside/remarks"),
    EventType.HESITATION_PAUSE: _hesitation,
}

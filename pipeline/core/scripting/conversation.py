"""The `conversation` recipe: a long dialogue with many events, by a plan drawn per dialogue.

    seed, event plan -> conversation_adapt -> conversation_place -> conversation_write -> script

What an interruption does to the dialogue it falls into::

    t4 host        |== said ==~ unsaid        said up to the event; the rest of the turn stays unsaid
    initiator             |== event text ==|
    host                                     |== reaction ==|
    t5                                                        |== the dialogue goes on ==|
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.core.scripting.anchors import Place, locate, split_sentences
from pipeline.core.scripting.asking import Ask
from pipeline.core.scripting.conversation_steps import (
    Conversation,
    ConversationInput,
    ConversationPlaceInput,
    ConversationPlacement,
    ConversationWriteInput,
    EventPlace,
    EventSite,
    LabelledTurn,
    PlannedEvent,
    SingleConversation,
    WrittenEvent,
    WrittenEvents,
)
from pipeline.core.scripting.draft import Draft, seed_lines
from pipeline.core.scripting.event_plan import CLOSING, EventPlan
from pipeline.core.scripting.steps import AdaptedTurn
from pipeline.core.scripting.validators import check_repetition, check_sentences
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AfterHesitation, AfterWords, DialoguePlan, Follows, Script

PROMPTS = ("script/conversation_adapt", "script/conversation_place", "script/conversation_write")
PROMPTS_SINGLE = ("script/conversation_single",)

MAX_BACKCHANNEL_WORDS = {Language.EN: 5, Language.ZH: 8}
"""A backchannel that is longer wants the floor."""


@dataclass(frozen=True, slots=True)
class Site:
    """A planned event with its place: a turn of the dialogue, and a word in one of its sentences."""

    event: PlannedEvent
    turn: int
    place: Place


async def write_conversation(plan: DialoguePlan, events: EventPlan, ask: Ask) -> Script:
    """Three questions: the dialogue, where its events start, what is said in them."""
    language = plan.seed.language
    talk = await ask(
        "conversation_adapt",
        conversation_input(plan, events),
        Conversation,
        lambda reply: accept_conversation(reply, events.turns, language),
    )
    if not events.events:
        return _composed(plan, talk, (), {})
    turns = labelled(talk)
    sites = await ask(
        "conversation_place",
        ConversationPlaceInput(
            dialogue_id=plan.dialogue_id,
            language=language,
            topic=talk.topic,
            turns=turns,
            events=events.events,
        ),
        ConversationPlacement,
        lambda reply: find_sites(talk, events.events, reply.places),
    )
    return await ask(
        "conversation_write",
        ConversationWriteInput(
            dialogue_id=plan.dialogue_id,
            language=language,
            topic=talk.topic,
            turns=turns,
            sites=tuple(describe_site(talk, site) for site in sites),
        ),
        WrittenEvents,
        lambda reply: _composed(plan, talk, sites, accept_events(reply.events, sites, language)),
    )


async def write_conversation_at_once(plan: DialoguePlan, events: EventPlan, ask: Ask) -> Script:
    """The same in one question, for comparison."""
    language = plan.seed.language

    def accept(reply: SingleConversation) -> Script:
        talk = accept_conversation(Conversation(topic=reply.topic, turns=reply.turns), events.turns, language)
        places = [
            EventPlace(event_id=e.event_id, turn=e.turn, quote=e.quote, why=e.why) for e in reply.events
        ]
        words = [
            WrittenEvent(event_id=e.event_id, text=e.text, emotion=e.emotion, reaction=e.reaction)
            for e in reply.events
        ]
        sites = find_sites(talk, events.events, places)
        return _composed(plan, talk, sites, accept_events(words, sites, language))

    return await ask("conversation_single", conversation_input(plan, events), SingleConversation, accept)


def conversation_input(plan: DialoguePlan, events: EventPlan) -> ConversationInput:
    """The seed with roles, and what is to be made of it."""
    return ConversationInput(
        dialogue_id=plan.dialogue_id,
        language=plan.seed.language,
        topic=plan.seed.topic,
        turns=events.turns,
        events=events.events,
        lines=seed_lines(plan),
    )


def accept_conversation(talk: Conversation, turns: int, language: Language) -> Conversation:
    """Refuse a dialogue of another length, one whose parties do not alternate, and unspeakable text."""
    got = tuple(turn.speaker for turn in talk.turns)
    wanted = (Speaker.USER, Speaker.ASSISTANT) * (turns // 2)
    if got != wanted:
        raise RecordError(
            Reason.WRONG_SPEAKER_ROLES,
            f"{len(got)} turns, {sum(a is b for a, b in pairwise(got))} of them by who spoke before; "
            f"wanted {turns}, user and assistant in turn, the user first",
        )
    check_sentences([sentence for turn in talk.turns for sentence in turn.sentences], language)
    return talk


def labelled(talk: Conversation) -> tuple[LabelledTurn, ...]:
    """The turns with the labels that answers name them by."""
    return tuple(
        LabelledTurn(turn=f"t{number}", speaker=turn.speaker, sentences=turn.sentences)
        for number, turn in enumerate(talk.turns)
    )


def find_sites(
    talk: Conversation, events: Sequence[PlannedEvent], places: Sequence[EventPlace]
) -> tuple[Site, ...]:
    """Every planned event with its place, in the order in which they happen.

    Raises RecordError: an event without a place or with two, a turn that does not exist or cannot host it, a
    quote that is not there, events that stand in each other's way.
    """
    planned, placed = sorted(e.event_id for e in events), sorted(p.event_id for p in places)
    if planned != placed:
        raise RecordError(
            Reason.INVALID_REPLY,
            f"places are given for {', '.join(placed) or 'no event'}; wanted one for each of {', '.join(planned)}",
        )
    by_id = {place.event_id: place for place in places}
    sites = [_find_site(talk, event, by_id[event.event_id]) for event in events]
    sites.sort(key=lambda site: (site.turn, site.place.sentence, site.place.words))
    for number in range(len(talk.turns)):
        _check_company([site for site in sites if site.turn == number], talk.turns[number])
    return tuple(sites)


def _find_site(talk: Conversation, event: PlannedEvent, given: EventPlace) -> Site:
    labels = {f"t{number}": number for number in range(len(talk.turns))}
    name = f"{event.event_id} ({event.type.value})"
    if given.turn not in labels:
        raise RecordError(
            Reason.INVALID_REPLY, f"{name} in turn {given.turn!r}; wanted one of t0 to t{len(labels) - 1}"
        )
    number = labels[given.turn]
    turn = talk.turns[number]
    if not can_host(event, turn.speaker):
        raise RecordError(
            Reason.WRONG_SPEAKER_ROLES,
            f"{name}, started by the {event.initiator.value}, in a turn of the {turn.speaker.value}; wanted "
            "the other party's turn (for a hesitation, the user's own; for third parties, the assistant's)",
        )
    if event.type in CLOSING and number != len(talk.turns) - 1:
        raise RecordError(
            Reason.INVALID_REPLY, f"{name} in {given.turn}; wanted the last turn, since nothing can follow it"
        )
    place = locate(given.quote, turn.sentences)
    left = len(words_of(turn.sentences[place.sentence])) - place.words
    if not event.type.is_backchannel and left == 0:
        raise RecordError(
            Reason.ANCHOR_AT_EDGE,
            f"{name}: the quote {given.quote!r} ends its sentence; wanted words of it left to say",
        )
    return Site(event=event, turn=number, place=place)


def can_host(event: PlannedEvent, host: Speaker) -> bool:
    """Whether an event can fall into a turn of this party."""
    if event.type is EventType.HESITATION_PAUSE:
        return host is event.initiator
    if event.initiator is Speaker.THIRD_PARTY:
        return host is Speaker.ASSISTANT
    return host is not event.initiator


def _check_company(sites: Sequence[Site], host: AdaptedTurn) -> None:
    """Refuse events of one turn that stand in each other's way: two in a sentence, or one after the host lost
    the floor."""
    for before, after in pairwise(sites):
        names = f"{before.event.event_id} and {after.event.event_id} in {' '.join(host.sentences)[:60]!r}"
        if before.event.effect.takes_floor:
            raise RecordError(
                Reason.EVENTS_COLLIDE, f"{names}: the first takes the floor; wanted it last in its turn"
            )
        if before.place.sentence == after.place.sentence:
            raise RecordError(
                Reason.EVENTS_COLLIDE, f"{names} share a sentence; wanted one event per sentence"
            )


def describe_site(talk: Conversation, site: Site) -> EventSite:
    """The event as its writer sees it: what was heard before it, and what was not."""
    sentences = talk.turns[site.turn].sentences
    broken = sentences[site.place.sentence]
    rest = broken[site.place.char :].strip()
    return EventSite(
        event_id=site.event.event_id,
        type=site.event.type,
        initiator=site.event.initiator,
        effect=site.event.effect,
        turn=f"t{site.turn}",
        heard=(*sentences[: site.place.sentence], broken[: site.place.char].strip()),
        unsaid=((rest,) if words_of(rest) else ()) + tuple(sentences[site.place.sentence + 1 :]),
    )


def accept_events(
    events: Sequence[WrittenEvent], sites: Sequence[Site], language: Language
) -> Mapping[str, WrittenEvent]:
    """The written events by id. Refuses missing ones, and words that do not fit what the event is."""
    planned, got = sorted(s.event.event_id for s in sites), sorted(e.event_id for e in events)
    if planned != got:
        raise RecordError(
            Reason.INVALID_REPLY,
            f"words are given for {', '.join(got) or 'no event'}; wanted each of {', '.join(planned)} once",
        )
    by_id = {event.event_id: event for event in events}
    for site in sites:
        _check_words(site.event, by_id[site.event.event_id], language)
    spoken = [text for e in events for text in (e.text, *e.reaction) if text is not None]
    check_sentences(spoken, language)
    return by_id


def _check_words(event: PlannedEvent, written: WrittenEvent, language: Language) -> None:
    name = f"{event.event_id} ({event.type.value})"
    silent = event.type is EventType.HESITATION_PAUSE
    if (written.text is None) != silent:
        wanted = "null" if silent else "what is said"
        raise RecordError(Reason.INVALID_REPLY, f"{name}: text is {written.text!r}; wanted {wanted}")
    if bool(written.reaction) != event.effect.takes_floor:
        wanted = "the host's answer" if event.effect.takes_floor else "none, for the host goes on"
        raise RecordError(
            Reason.INVALID_REPLY, f"{name}: reaction has {len(written.reaction)} sentences; wanted {wanted}"
        )
    most = MAX_BACKCHANNEL_WORDS[language]
    if event.type.is_backchannel and len(words_of(written.text or "")) > most:
        raise RecordError(
            Reason.INVALID_REPLY,
            f"{name}: {written.text!r} is too long for a backchannel; wanted {most} words or fewer",
        )


def _composed(
    plan: DialoguePlan, talk: Conversation, sites: Sequence[Site], written: Mapping[str, WrittenEvent]
) -> Script:
    script = compose_conversation(plan, talk, sites, written)
    check_repetition(script)
    return script


def compose_conversation(
    plan: DialoguePlan, talk: Conversation, sites: Sequence[Site], written: Mapping[str, WrittenEvent]
) -> Script:
    """One script from one author's answers."""
    draft = Draft()
    for number, turn in enumerate(talk.turns):
        here = [site for site in sites if site.turn == number]
        hosts = _say_host(draft, turn, here)
        for site in here:
            if site.event.type is not EventType.HESITATION_PAUSE:
                _say_event(
                    draft, turn.speaker, site, hosts[site.place.sentence], written[site.event.event_id]
                )
    return draft.script(plan, talk.topic)


def _say_host(draft: Draft, turn: AdaptedTurn, sites: Sequence[Site]) -> dict[int, str]:
    """Add a turn, broken where its speaker hesitates; returns the utterance of each sentence."""
    breaks = {s.place.sentence: s for s in sites if s.event.type is EventType.HESITATION_PAUSE}
    hosts: dict[int, str] = {}
    for index, sentence in enumerate(turn.sentences):
        broken = breaks.get(index)
        text = sentence if broken is None else sentence[: broken.place.char].strip()
        if index == 0:
            hosts[index] = draft.turn(turn.speaker, (text,))[0]
        else:
            hosts[index] = draft.say(turn.speaker, text, Follows())
        if broken is not None:
            rest = sentence[broken.place.char :].lstrip(" ,;:，、；：。.")
            resumed = draft.say(turn.speaker, rest, AfterHesitation())
            draft.event(broken.event.type, broken.event.effect, resumed, host=hosts[index])
    return hosts


def _say_event(draft: Draft, host_speaker: Speaker, site: Site, host: str, words: WrittenEvent) -> None:
    said = draft.turn(
        site.event.initiator,
        split_sentences(words.text or ""),
        AfterWords(host=host, words=site.place.words),
        words.emotion,
    )
    draft.event(site.event.type, site.event.effect, said[0], host=host)
    if site.event.effect.takes_floor:
        draft.turn(host_speaker, words.reaction)

"""Everything in one answer: what the three steps say with the same seed, put together.

For the comparison of one question with three, end to end; there is nothing to be won by it here.
"""

from collections.abc import Callable

from pipeline.backends.offline.adapt import adapt
from pipeline.backends.offline.banks import Bank
from pipeline.backends.offline.conversation_adapt import adapt_conversation
from pipeline.backends.offline.conversation_place import place_conversation
from pipeline.backends.offline.conversation_write import write_conversation
from pipeline.backends.offline.frames import Composer
from pipeline.backends.offline.place import host_turn, place
from pipeline.backends.offline.write import write
from pipeline.core.scripting.anchors import locate
from pipeline.core.scripting.conversation import describe_site, find_sites, labelled
from pipeline.core.scripting.conversation_steps import (
    ConversationInput,
    ConversationPlaceInput,
    ConversationWriteInput,
    SingleConversation,
    SingleEvent,
)
from pipeline.core.scripting.full_duplex import has_host
from pipeline.core.scripting.steps import AdaptInput, PlaceInput, Placement, Single, WriteInput
from pipeline.core.tokens import words_of
from pipeline.domain.scene import scene_definition

Composers = Callable[[str], Composer]
"""The composer of one step, by the step's name."""


def write_single(request: AdaptInput, bank: Bank, composers: Composers) -> Single:
    """Exchange, event and reaction of `full_duplex`."""
    adapted = adapt(request, bank, composers("adapt"))
    event = scene_definition(request.scene).event
    placement: Placement | None = None
    heard: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    host = host_turn(event, adapted.turns)
    if has_host(request.scene) and host is not None:
        where = PlaceInput(
            dialogue_id=request.dialogue_id,
            language=request.language,
            scene=request.scene,
            event=event,
            adapted=adapted,
        )
        placement = place(where, bank, composers("place"))
        heard, unsaid = _divide(host.sentences, placement.quote)
    situation = WriteInput(
        dialogue_id=request.dialogue_id,
        language=request.language,
        scene=request.scene,
        event=event,
        adapted=adapted,
        heard=heard,
        unsaid=unsaid,
    )
    written = write(situation, bank, composers("write"))
    return Single(
        topic=adapted.topic,
        turns=adapted.turns,
        quote=placement.quote if placement else None,
        why=placement.why if placement else "",
        event_text=written.event_text,
        event_emotion=written.event_emotion,
        reaction=written.reaction,
    )


def _divide(sentences: tuple[str, ...], quote: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Up to the end of the quote, and after it."""
    at = locate(quote, sentences)
    broken = sentences[at.sentence]
    rest = broken[at.char :].strip()
    heard = (*sentences[: at.sentence], broken[: at.char].strip())
    return heard, (*((rest,) if words_of(rest) else ()), *sentences[at.sentence + 1 :])


def write_single_conversation(
    request: ConversationInput, bank: Bank, composers: Composers
) -> SingleConversation:
    """Dialogue, places and words of `conversation`."""
    talk = adapt_conversation(request, bank, composers("conversation_adapt"))
    turns = labelled(talk)
    where = ConversationPlaceInput(
        dialogue_id=request.dialogue_id,
        language=request.language,
        topic=talk.topic,
        turns=turns,
        events=request.events,
    )
    places = place_conversation(where, bank, composers("conversation_place")).places
    sites = find_sites(talk, request.events, places)
    situation = ConversationWriteInput(
        dialogue_id=request.dialogue_id,
        language=request.language,
        topic=talk.topic,
        turns=turns,
        sites=tuple(describe_site(talk, site) for site in sites),
    )
    words = write_conversation(situation, bank, composers("conversation_write")).events
    by_id = {place.event_id: place for place in places}
    return SingleConversation(
        topic=talk.topic,
        turns=talk.turns,
        events=tuple(
            SingleEvent(
                event_id=one.event_id,
                turn=by_id[one.event_id].turn,
                quote=by_id[one.event_id].quote,
                why=by_id[one.event_id].why,
                text=one.text,
                emotion=one.emotion,
                reaction=one.reaction,
            )
            for one in words
        ),
    )

"""Step 2 of a conversation: a turn for every event, and the words after which it starts.

Events that take the floor choose first, those with the fewest turns to choose from before the others: one per
turn. What leaves the floor where it is goes into sentences before that. Chance decides among what fits; where
a choice leads nowhere, it is made again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.backends.offline.banks import Bank
from pipeline.backends.offline.boundaries import LIMITS, Boundary, find_boundaries
from pipeline.backends.offline.conversation_outline import UPSETTING
from pipeline.backends.offline.frames import Composer
from pipeline.backends.offline.needed import needed_later
from pipeline.backends.offline.place import EDGE, WHY, boundary_weight, leaves_enough, position_weight
from pipeline.backends.offline.planted import PLANTED_FILES
from pipeline.backends.offline.situation import UNDERSTOOD
from pipeline.core.scripting.conversation import can_host
from pipeline.core.scripting.conversation_steps import (
    ConversationPlaceInput,
    ConversationPlacement,
    EventPlace,
    PlannedEvent,
)
from pipeline.core.scripting.event_plan import CLOSING
from pipeline.core.tokens import tokenize
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason

_TRIES = 40
_LAST_THIRD = 2 / 3
_LEFT_TO_COMPLETE = {Language.EN: (2, 5), Language.ZH: (3, 6)}
"""Words of a sentence that a listener finishes."""
_EDGE_CHANCE = 0.4
_EDGE_WORDS = {Language.EN: 6, Language.ZH: 8}
"""A sentence that is shorter gets no `mm-hm` behind it."""
_APART = {Language.EN: 5, Language.ZH: 8}
"""Words between two events of one turn."""
_APART_FROM_ASIDE = {Language.EN: 15, Language.ZH: 24}
"""The same after somebody in the room has spoken, which takes a few seconds."""
_BYSTANDING = frozenset({EventType.THIRD_PARTY_SPEECH, EventType.SPEECH_DIRECTED_AT_OTHERS})
_NOD_WEIGHT = (1.0, 0.3, 0.03, 0.03)
"""By rank: where a clause has just ended, there is something that one can nod to."""
_SEARCH_WEIGHT = (1.0, 1.2, 1.2, 0.25)
_NODDED_AT = {Language.EN: 9, Language.ZH: 12}
"""Words of a user's sentence that an assistant may nod to: not the `Okay.` in front of it."""
_ADVERB, _OUT_OF_NOWHERE = 0.25, 0.1
_UNFIT, _IN_QUESTION, _IN_FORMULA, _BEFORE_THE_NEEDED = 0.02, 0.1, 0.02, 0.15


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place in one turn."""

    turn: int
    sentence: int
    words: int
    rank: int
    quote: str
    weight: float


def place_conversation(
    request: ConversationPlaceInput, bank: Bank, composer: Composer
) -> ConversationPlacement:
    """A place for every event. Raises RecordError where there is none for all of them together."""
    search = _Search(request, bank, composer)
    failed = ""
    for _ in range(_TRIES):
        chosen: dict[str, _Spot] = {}
        failed = search.place_all(chosen)
        if not failed:
            places = tuple(
                EventPlace(
                    event_id=event.event_id,
                    turn=f"t{chosen[event.event_id].turn}",
                    quote=chosen[event.event_id].quote,
                    why=WHY[request.language][chosen[event.event_id].rank],
                )
                for event in request.events
            )
            return ConversationPlacement(places=places)
    raise RecordError(
        Reason.NO_SUITABLE_TURN,
        f"{request.dialogue_id}: no place for {failed} among {len(request.turns)} turns and "
        f"{len(request.events)} events; wanted a turn of the other party in which nothing stands in its way",
    )


@dataclass(slots=True)
class _Search:
    request: ConversationPlaceInput
    bank: Bank
    composer: Composer
    _tokens: tuple[tuple[tuple[tuple[str, int, int], ...], ...], ...] = ()
    """Of every sentence of every turn."""
    _known: dict[tuple[EventType, Speaker, FloorEffect, int], list[_Spot]] = field(default_factory=dict)
    _boundaries: dict[str, tuple[Boundary, ...]] = field(default_factory=dict)
    _quotes: dict[tuple[int, int, int], str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        turns = self.request.turns
        self._tokens = tuple(tuple(tokenize(sentence) for sentence in turn.sentences) for turn in turns)

    def place_all(self, chosen: dict[str, _Spot]) -> str:
        """Fill `chosen`; returns the event for which that failed, or nothing."""
        order = self.composer.sample(self.request.events, len(self.request.events))
        for event in sorted(order, key=_freedom):
            options = [spot for spot in self._spots(event) if self._is_free(event, spot, chosen)]
            if event.type.is_backchannel and self.composer.chance(_EDGE_CHANCE):
                options = [spot for spot in options if spot.rank == EDGE] or options
            if not options:
                return f"{event.event_id} ({event.type.value} by the {event.initiator.value})"
            total = sum(spot.weight for spot in options)
            number = self.composer.rng.choice(len(options), p=[spot.weight / total for spot in options])
            chosen[event.event_id] = options[int(number)]
        return ""

    def _is_free(self, event: PlannedEvent, spot: _Spot, chosen: Mapping[str, _Spot]) -> bool:
        """Whether the place gets along with those that are taken already."""
        here = self._position(spot)
        for other in self.request.events:
            taken = chosen.get(other.event_id)
            if taken is None or taken.turn != spot.turn:
                continue
            if event.effect.takes_floor and other.effect.takes_floor:
                return False
            if taken.sentence == spot.sentence:
                return False
            there = self._position(taken)
            if other.effect.takes_floor and there < here:
                return False
            first = event if here < there else other
            apart = _APART_FROM_ASIDE if first.type in _BYSTANDING else _APART
            if abs(here - there) < apart[self.request.language]:
                return False
        return True

    def _position(self, spot: _Spot) -> int:
        """Words of the turn before it."""
        return sum(map(len, self._tokens[spot.turn][: spot.sentence])) + spot.words

    def _spots(self, event: PlannedEvent) -> list[_Spot]:
        found: list[_Spot] = []
        for number, turn in enumerate(self.request.turns):
            if not can_host(event, turn.speaker):
                continue
            if event.type in CLOSING and number != len(self.request.turns) - 1:
                continue
            weight = self._fitness(event, number)
            if not weight:
                continue
            key = (event.type, event.initiator, event.effect, number)
            if key not in self._known:
                self._known[key] = list(self._spots_in(event, number, weight))
            found += self._known[key]
        return found

    def _fitness(self, event: PlannedEvent, number: int) -> float:
        """How well an event suits a turn, as far as the next turn tells; 0: not at all."""
        last = number == len(self.request.turns) - 1
        following = () if last else self.request.turns[number + 1].sentences
        comes_back = bool(following) and following[0].lower() in self.bank.returns
        if event.type is EventType.URGENCY:
            return 1.0 if comes_back or (last and self._may_stay_away()) else 0.0
        if event.effect.takes_floor and comes_back:
            return 0.0
        if event.type in UPSETTING:
            asked = self.bank.find_asked(following)
            said = [self.bank.find_tip(sentence) for sentence in self.request.turns[number].sentences]
            if any(match and match[0] in asked for match in said):
                return _UNFIT
        return 1.0

    def _may_stay_away(self) -> bool:
        """Whether fewer users come back than have to run: one of them does it in the last turn."""
        openings = (turn.sentences[0].lower() for turn in self.request.turns)
        runs = sum(event.type is EventType.URGENCY for event in self.request.events)
        return sum(opening in self.bank.returns for opening in openings) < runs

    def _spots_in(self, event: PlannedEvent, number: int, weight: float) -> Iterator[_Spot]:
        if (event.type, event.initiator) in PLANTED_FILES:
            yield from self._planted_spots(event, number)
            return
        sentences, language = self.request.turns[number].sentences, self.request.language
        for index, sentence in enumerate(sentences):
            if self.bank.find_planted(sentence):
                continue  # it waits for its own event
            share = weight * self._position_weight(event, number, index)
            for boundary in self._boundaries_of(sentence) if share else ():
                quote = self._quote(number, index, boundary.words)
                if quote is None or not _allows(event, sentences, index, boundary, language):
                    continue
                good = share * _goodness(event, boundary, language)
                if event.type is EventType.FOLLOW_UP_QUESTION and not self._raises(number, index, boundary):
                    good *= _OUT_OF_NOWHERE
                yield _Spot(number, index, boundary.words, boundary.rank, quote, good)
            if event.type.is_backchannel and index < len(sentences) - 1:
                yield from self._edge(number, index)

    def _raises(self, number: int, index: int, boundary: Boundary) -> bool:
        """Whether the banks know a question about what has just been said, and nobody asks it later."""
        understood = boundary.words >= UNDERSTOOD * (boundary.words + boundary.rest)
        about = index if understood else index - 1
        found = self.bank.find_tip(self.request.turns[number].sentences[about]) if about >= 0 else None
        return found is not None and not any(
            found[0].ask.text in turn.sentences for turn in self.request.turns
        )

    def _planted_spots(self, event: PlannedEvent, number: int) -> Iterator[_Spot]:
        sentences, file = self.request.turns[number].sentences, PLANTED_FILES[event.type, event.initiator]
        for index, sentence in enumerate(sentences):
            planted = self.bank.find_planted(sentence)
            if planted and planted.file == file:
                words = len(self._tokens[number][index]) - planted.rest
                quote = self._quote(number, index, words)
                if quote is not None:
                    yield _Spot(number, index, words, 0, quote, 1.0)

    def _edge(self, number: int, index: int) -> Iterator[_Spot]:
        words, turn = len(self._tokens[number][index]), self.request.turns[number]
        least = _NODDED_AT if turn.speaker is Speaker.USER else _EDGE_WORDS
        formula = turn.sentences[index].lower() in self.bank.formulas
        if words >= least[self.request.language] and not formula:
            quote = self._quote(number, index, words)
            if quote is not None:
                yield _Spot(number, index, words, EDGE, quote, 1.0)

    def _boundaries_of(self, sentence: str) -> tuple[Boundary, ...]:
        if sentence not in self._boundaries:
            self._boundaries[sentence] = find_boundaries(sentence, self.request.language)
        return self._boundaries[sentence]

    def _quote(self, number: int, index: int, words: int) -> str | None:
        """The last words before a place, as many as it takes to be found only there; None if that fails."""
        key = (number, index, words)
        if key not in self._quotes:
            self._quotes[key] = self._find_quote(number, index, words)
        return self._quotes[key]

    def _find_quote(self, number: int, index: int, words: int) -> str | None:
        tokens = self._tokens[number]
        sentence, here = self.request.turns[number].sentences[index], tokens[index]
        spoken = [[word.casefold() for word, _, _ in line] for line in tokens]
        for length in range(min(LIMITS[self.request.language].quote, words), words + 1):
            wanted = spoken[index][words - length : words]
            if sum(_count(wanted, line) for line in spoken) == 1:
                return sentence[here[words - length][1] : here[words - 1][2]]
        return None

    def _position_weight(self, event: PlannedEvent, number: int, index: int) -> float:
        turn = self.request.turns[number]
        if turn.speaker is Speaker.USER:
            sentence = turn.sentences[index]
            if sentence.lower() in self.bank.formulas:
                return _IN_FORMULA
            brief = len(self._tokens[number][index]) < _NODDED_AT[self.request.language]
            unfit = sentence.endswith(("?", "？")) or brief
            return _IN_QUESTION if event.type.is_backchannel and unfit else 1.0
        weight = position_weight(event.type, turn.sentences, index, self.bank)
        if event.effect.takes_floor and event.effect is not FloorEffect.RESUMES:
            unheard = turn.sentences[index + 1 :]
            if needed_later(self.bank, self.request.turns, number, unheard):
                weight *= _BEFORE_THE_NEEDED
        return weight


def _goodness(event: PlannedEvent, boundary: Boundary, language: Language) -> float:
    """How well the place suits what happens there: one nods to a clause, and searches for a word in its middle."""
    if event.type is EventType.HESITATION_PAUSE:
        return _SEARCH_WEIGHT[boundary.rank]
    # What counts as a conjunction in Chinese also stands right in the middle of a clause: 就, 都, 也.
    weight = boundary_weight(boundary) * (_ADVERB if language is Language.ZH and boundary.rank == 1 else 1.0)
    return weight * (_NOD_WEIGHT[boundary.rank] if event.type.is_backchannel else 1.0)


def _count(wanted: Sequence[str], words: Sequence[str]) -> int:
    """How often words occur in a row."""
    starts = range(len(words) - len(wanted) + 1)
    return sum(words[start : start + len(wanted)] == wanted for start in starts)


def _freedom(event: PlannedEvent) -> int:
    """Who chooses first: the fewer turns there are for an event, the earlier."""
    if event.type in CLOSING:
        return 0
    if (event.type, event.initiator) in PLANTED_FILES:
        return 1
    if event.type is EventType.URGENCY:
        return 2
    if event.effect.takes_floor:
        return 3 if event.type in UPSETTING else 4
    return 5 if event.type in _BYSTANDING else 6


def _allows(
    event: PlannedEvent, sentences: Sequence[str], index: int, boundary: Boundary, language: Language
) -> bool:
    """Whether an event of this kind can start there, whatever else happens in the turn."""
    if not event.effect.takes_floor:
        return index < len(sentences) - 1 or event.type not in _BYSTANDING
    if not leaves_enough(tuple(sentences), index, boundary, language):
        return False
    if event.type is EventType.COOPERATIVE_COMPLETION:
        low, high = _LEFT_TO_COMPLETE[language]
        if not low <= boundary.rest <= high or index == len(sentences) - 1:
            return False
    late = boundary.words >= _LAST_THIRD * (boundary.words + boundary.rest)
    return late or event.effect is not FloorEffect.FINISHES

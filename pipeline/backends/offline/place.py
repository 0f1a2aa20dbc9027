"""Step 2: the words after which the event falls.

Places after a comma or before a conjunction come first, in the second or a later sentence; an interruption
leaves at least one sentence unsaid, or else a long clause.
"""

from dataclasses import dataclass

from pipeline.backends.offline.banks import Bank
from pipeline.backends.offline.boundaries import Boundary, find_boundaries, quote_for
from pipeline.backends.offline.frames import Composer
from pipeline.core.scripting.steps import AdaptedTurn, PlaceInput, Placement
from pipeline.core.tokens import tokenize
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason

_FIRST_SENTENCE = 0.12
_AT_SENTENCE_END = 0.35
_ADVICE_WEIGHT = 4.0
_RANK_WEIGHT = (6.0, 5.0, 1.0, 0.02)
_EARLY_SHARE, _EARLY_WEIGHT = 0.35, 0.1
_LONG_CLAUSE = {Language.EN: 7, Language.ZH: 10}
WHY = {
    Language.EN: (
        "after the comma, where a clause has just ended",
        "before the conjunction, where the clause is complete",
        "before the next phrase, where a listener can guess the rest",
        "between two words inside the sentence",
        "at the end of a sentence, where listeners show that they follow",
    ),
    Language.ZH: (
        "停在逗号处，一个小句刚说完",
        "停在连接词之前，前面的意思已经完整",
        "停在下一个短语之前，后面的话可以猜到",
        "停在句中两个词之间",
        "停在句末，听的人正好应一声",
    ),
}
"""By rank of the boundary."""
EDGE = 4
"""Rank of a sentence's end."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    sentence: int
    words: int
    rank: int
    quote: str
    weight: float


def place(request: PlaceInput, bank: Bank, composer: Composer) -> Placement:
    """Choose one place by weight. Raises RecordError where the host turn has none."""
    host = host_turn(request.event, request.adapted.turns)
    candidates = _candidates(request, host.sentences, bank) if host else []
    if request.event is EventType.BACKCHANNEL and host and composer.chance(_AT_SENTENCE_END):
        candidates = _edges(host.sentences, request.language) or candidates
    if not candidates:
        raise RecordError(
            Reason.NO_SUITABLE_TURN,
            f"{request.dialogue_id}: no place for {request.event.value} in the host turn; "
            "wanted a sentence long enough to break inside",
        )
    total = sum(candidate.weight for candidate in candidates)
    chosen = candidates[int(composer.rng.choice(len(candidates), p=[c.weight / total for c in candidates]))]
    return Placement(quote=chosen.quote, why=WHY[request.language][chosen.rank])


def host_turn(event: EventType, turns: tuple[AdaptedTurn, ...]) -> AdaptedTurn | None:
    """The turn that the event falls into: the first user turn for a hesitation, else the last assistant turn."""
    if event is EventType.HESITATION_PAUSE:
        return next((turn for turn in turns if turn.speaker is Speaker.USER), None)
    return next((turn for turn in reversed(turns) if turn.speaker is Speaker.ASSISTANT), None)


def _candidates(request: PlaceInput, sentences: tuple[str, ...], bank: Bank) -> list[_Candidate]:
    found = []
    for index, sentence in enumerate(sentences):
        for boundary in find_boundaries(sentence, request.language):
            if request.event.is_interruption and not leaves_enough(
                sentences, index, boundary, request.language
            ):
                continue
            quote = quote_for(sentences, index, boundary.words, request.language)
            if quote is not None:
                weight = boundary_weight(boundary) * position_weight(request.event, sentences, index, bank)
                found.append(_Candidate(index, boundary.words, boundary.rank, quote, weight))
    return found


def boundary_weight(boundary: Boundary) -> float:
    """Good places in the syntax, but not right after a sentence's first words: nothing has been said there yet."""
    early = boundary.words < _EARLY_SHARE * (boundary.words + boundary.rest)
    return _RANK_WEIGHT[boundary.rank] * (_EARLY_WEIGHT if early else 1.0)


def leaves_enough(sentences: tuple[str, ...], index: int, boundary: Boundary, language: Language) -> bool:
    """Whether an interruption there leaves something unsaid: sentences, or a long clause."""
    return index < len(sentences) - 1 or boundary.rest >= _LONG_CLAUSE[language]


def position_weight(event: EventType, sentences: tuple[str, ...], index: int, bank: Bank) -> float:
    """Later sentences of advice are best: there the banks know what was just said."""
    if event is EventType.HESITATION_PAUSE:
        return 1.0
    weight = _FIRST_SENTENCE if index == 0 and len(sentences) > 1 else 1.0
    if index == len(sentences) - 1 and len(sentences) > 1:
        weight *= _FIRST_SENTENCE
    heard = sentences[max(index - 1, 0) : index + 1]
    return weight * _ADVICE_WEIGHT if any(bank.find_tip(sentence) for sentence in heard) else weight


def _edges(sentences: tuple[str, ...], language: Language) -> list[_Candidate]:
    """Ends of sentences, the last one excepted."""
    found = []
    for index, sentence in enumerate(sentences[:-1]):
        words = len(tokenize(sentence))
        quote = quote_for(sentences, index, words, language) if words else None
        if quote is not None:
            found.append(_Candidate(index, words, EDGE, quote, 1.0 if index else _FIRST_SENTENCE))
    return found

"""Step 1: from a seed to a user's query and an assistant's answer.

    query      a user turn of the seed
    answer     [the seed's own reply | an opening]  tip  tip ...  closing

For `directed_at_others` a second exchange follows: the user asks about one of the tips.
"""

from collections.abc import Sequence

from pipeline.backends.offline.banks import Bank, Domain, Tip
from pipeline.backends.offline.boundaries import find_boundaries
from pipeline.backends.offline.domains import detect_domain, find_topic, fitting_tips
from pipeline.backends.offline.frames import Composer, Frame, split_sentences
from pipeline.backends.offline.queries import Query, QueryKind, can_follow, find_queries, speakable_or_none
from pipeline.backends.offline.replies import further_advice, usable_reply
from pipeline.backends.offline.words import clean_topic
from pipeline.core.scripting.steps import Adapted, AdaptedTurn, AdaptInput
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene

_TARGET = {Language.EN: (62, 74), Language.ZH: (92, 116)}
_CEILING = {Language.EN: 90, Language.ZH: 150}
_MAX_SENTENCES = 7
_MIN_TIPS = 1
_MAX_FURTHER = 2
_LINK_CHANCE = 0.55
_NEARLY_AS_GOOD = 0.4
_MIN_FITTING = 3
"""Tips that must fit the field where the seed has no answer of its own."""
_ADVISABLE = frozenset({QueryKind.HOW, QueryKind.FIND, QueryKind.REQUEST, QueryKind.SAD})


def adapt(request: AdaptInput, bank: Bank, composer: Composer) -> Adapted:
    """Choose the query and compose the answer. Raises RecordError where no dialogue can be made."""
    query, reply, domain = _choose(request, bank, composer)
    topic = _topic(request, bank, domain, query)
    slots = {} if topic == bank.general.label else {"topic": topic}
    composer.slots = slots
    context = " ".join((topic, *query.sentences, *reply))
    tips = _tips(bank, domain, context, composer)
    opening = () if reply else split_sentences(composer.say(_openings(bank, query)), request.language)
    head = (*opening, *reply)
    if reply:
        head += _further(request, query, composer, room=_TARGET[request.language][0] - _length(head))
    answer, given = _answer(bank, composer, head, tips)
    turns = [
        AdaptedTurn(speaker=Speaker.USER, sentences=query.sentences),
        AdaptedTurn(speaker=Speaker.ASSISTANT, sentences=answer),
    ]
    if request.scene is Scene.DIRECTED_AT_OTHERS:
        turns += _second_exchange(request, query, bank, composer, given, tips)
    return Adapted(topic=topic, turns=tuple(turns))


def _choose(request: AdaptInput, bank: Bank, composer: Composer) -> tuple[Query, tuple[str, ...], Domain]:
    """A query that can be answered, its seed reply (possibly empty) and its field."""
    answerable: list[tuple[Query, tuple[str, ...], Domain]] = []
    context = " ".join(line.text for line in request.lines[:12])[:2000]
    queries = find_queries(request.lines, request.language)
    for query in queries:
        if answerable and query.score < answerable[0][0].score - _NEARLY_AS_GOOD:
            break
        if request.scene is Scene.PAUSE_HANDLING and not _can_hesitate(query, request.language):
            continue
        domain = detect_domain(bank, query.text, request.topic or "", context)
        reply = _seed_reply(request, query)
        fitting = fitting_tips(bank, domain, f"{query.text} {request.topic or ''}", frozenset())
        if reply or (
            query.kind in _ADVISABLE and domain is not bank.general and len(fitting) >= _MIN_FITTING
        ):
            answerable.append((query, reply, domain))
    if not answerable:
        raise RecordError(
            Reason.NO_SUITABLE_TURN,
            f"{request.dialogue_id}: {len(queries)} of the user's turns stand on their own and none of them can be "
            "answered from the next turn or the phrase banks; wanted a question or request with an answer",
        )
    return composer.pick(answerable)


def _can_hesitate(query: Query, language: Language) -> bool:
    return any(find_boundaries(sentence, language) for sentence in query.sentences)


def _seed_reply(request: AdaptInput, query: Query) -> tuple[str, ...]:
    after = query.line + 1
    if (
        not query.whole_end
        or after >= len(request.lines)
        or request.lines[after].speaker is not Speaker.ASSISTANT
    ):
        return ()
    text = speakable_or_none(request.lines[after].text, request.language)
    return usable_reply(text, query.text, request.language) if text else ()


def _tips(bank: Bank, domain: Domain, context: str, composer: Composer) -> list[Tip]:
    """Fitting tips of the field in random order, general ones behind them."""
    tips = composer.sample(fitting_tips(bank, domain, context, frozenset()), len(domain.tips))
    general = composer.sample(bank.general.tips, len(bank.general.tips))
    return [*tips, *(tip for tip in general if tip not in tips)]


def _seed_follow_up(request: AdaptInput, query: Query) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the user asks next in the seed, and the usable answer to it; empty where there is none."""
    following = request.lines[query.line + 2 : query.line + 4]
    if not query.whole_end or [line.speaker for line in following] != [Speaker.USER, Speaker.ASSISTANT]:
        return (), ()
    question, answer = (speakable_or_none(line.text, request.language) for line in following)
    if not question or not answer or not can_follow(question, request.language):
        return (), ()
    reply = usable_reply(answer, f"{query.text} {question}", request.language)
    return split_sentences(question, request.language), reply


def _further(request: AdaptInput, query: Query, composer: Composer, room: int) -> tuple[str, ...]:
    """Advice from later turns of the seed, as much as there is room for (in words)."""
    later = [line.text for line in request.lines[query.line + 2 :] if line.speaker is Speaker.ASSISTANT][:4]
    spoken = [speakable_or_none(text, request.language) for text in later]
    found = further_advice(tuple(text for text in spoken if text), request.language)
    taken: list[str] = []
    for sentence in composer.sample(found, _MAX_FURTHER):
        room -= len(words_of(sentence))
        if room >= 0:
            taken.append(sentence)
    return tuple(taken)


def _topic(request: AdaptInput, bank: Bank, domain: Domain, query: Query) -> str:
    own = clean_topic(request.topic, request.language)
    return own or find_topic(bank, domain, query.text)


def _openings(bank: Bank, query: Query) -> tuple[Frame, ...]:
    kind = QueryKind.STATEMENT if query.kind is QueryKind.FACT else query.kind
    return bank.frames[f"response/openings/{kind.value}"]


def _answer(
    bank: Bank, composer: Composer, head: tuple[str, ...], tips: list[Tip]
) -> tuple[tuple[str, ...], tuple[Tip, ...]]:
    """Head, tips until it is long enough, a closing. Takes the tips it uses from the list."""
    language = bank.language
    target = int(composer.rng.integers(*_TARGET[language]))
    sentences = list(head)
    given: list[Tip] = []
    while tips and len(sentences) < _MAX_SENTENCES - 1:
        if len(given) >= _MIN_TIPS and _length(sentences) >= target:
            break
        tip = tips.pop(0)
        sentences.append(_tip_sentence(bank, composer, tip, linked=bool(given) or len(head) > 1))
        given.append(tip)
    closing = split_sentences(composer.say(bank.frames["response/closings"]), language)
    if _length(sentences) + _length(closing) <= _CEILING[language]:
        sentences += closing
    return tuple(sentences), tuple(given)


def _length(sentences: Sequence[str]) -> int:
    return sum(len(words_of(sentence)) for sentence in sentences)


def _tip_sentence(bank: Bank, composer: Composer, tip: Tip, linked: bool) -> str:
    text = composer.render(tip.say)
    if linked and composer.chance(_LINK_CHANCE):
        return composer.lead_in(composer.say(bank.frames["response/links"]), text)
    return text


def _second_exchange(
    bank: Bank, composer: Composer, given: tuple[Tip, ...], tips: list[Tip]
) -> list[AdaptedTurn]:
    tip = composer.pick(given)
    question = composer.render(tip.ask)
    composer.note(f"{tip.ask.frame_id}/answer")
    answer, _ = _answer(bank, composer, tip.answer, tips)
    return [
        AdaptedTurn(speaker=Speaker.USER, sentences=(question,)),
        AdaptedTurn(speaker=Speaker.ASSISTANT, sentences=answer),
    ]

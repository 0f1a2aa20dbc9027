"""What a seed has to offer: a query, the seed's own answer to it, and what more can be said about the matter."""

import re
from dataclasses import dataclass

from pipeline.backends.offline.banks import Bank, Domain
from pipeline.backends.offline.boundaries import find_boundaries
from pipeline.backends.offline.derived import derived_frames, render_query, task_topic
from pipeline.backends.offline.domains import detect_domain, find_topic, fitting_tips
from pipeline.backends.offline.frames import Composer, split_sentences
from pipeline.backends.offline.knowledge import asks_for_knowledge, find_knowledge
from pipeline.backends.offline.queries import Query, QueryKind, can_follow, find_queries, speakable_or_none
from pipeline.backends.offline.replies import further_advice, usable_reply
from pipeline.backends.offline.words import clean_topic
from pipeline.core.scripting.steps import AdaptInput
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene

_NEARLY_AS_GOOD = 0.4
_MIN_FITTING = 3
"""Tips that must fit the field where the seed has no answer of its own."""
_ADVISABLE = frozenset({QueryKind.HOW, QueryKind.FIND, QueryKind.REQUEST, QueryKind.SAD})
_MIN_ANSWER = {Language.EN: 6, Language.ZH: 10}
"""Words of the seed's answer to a question of fact, which no tip can answer."""
_MIN_ANSWER_ALONE = {Language.EN: 12, Language.ZH: 20}
"""The same where no field is known, so that only general tips can follow."""
_LINES_READ, _CHARACTERS_READ = 12, 2000
_LATER_TURNS = 4
_MAX_FURTHER = 2
_FIRST_PERSON = {
    Language.EN: re.compile(r"\b(?:i|my|me|we|our)\b", re.IGNORECASE),
    Language.ZH: re.compile("我"),
}


@dataclass(frozen=True, slots=True)
class Material:
    """One way to make a dialogue of a seed."""

    query: Query
    reply: tuple[str, ...]
    """The seed's own answer, as far as an assistant could give it; empty: the banks must answer."""
    domain: Domain
    topic: str | None = None
    """What it is about, where that is known better than a noun of the query would tell."""
    complete: bool = False
    """The reply is the whole answer: facts, after which advice would be out of place."""
    whole_field: bool = False
    """The query asks about the field as such, so that every tip of it fits."""


def choose_material(request: AdaptInput, bank: Bank, composer: Composer) -> Material:
    """One of the best queries that can be answered. Raises RecordError where there is none."""
    known = _known(request, bank)
    if known:
        return known
    answerable, runs = _answerable(request, bank)
    asked = [material for material in answerable if material.query.kind is not QueryKind.STATEMENT]
    made = composer.pick(asked) if asked else _derived(request, bank, composer)
    if made is None and answerable:
        made = composer.pick(answerable)
    if made is None:
        raise RecordError(
            Reason.NO_SUITABLE_TURN,
            f"{runs} runs of the user's sentences stand on their own, none of them can "
            "be answered from the next turn or the phrase banks; wanted a question or request with an answer",
        )
    return made


def _answerable(request: AdaptInput, bank: Bank) -> tuple[list[Material], int]:
    """The best queries that can be answered, and how many there were to try."""
    answerable: list[Material] = []
    queries = find_queries(request.lines, request.language)
    for query in queries:
        if answerable and query.score < answerable[0].query.score - _NEARLY_AS_GOOD:
            break
        if request.scene is Scene.PAUSE_HANDLING and not _can_hesitate(query, request.language):
            continue
        material = Material(query, _seed_reply(request, query), _domain(request, bank, query))
        if query.kind is QueryKind.STATEMENT and not _is_own_case(request, query):
            continue
        if query.kind is QueryKind.FACT and _tells_of_self(material.reply, request.language):
            continue
        if _seed_can_answer(bank, material) or _banks_can_answer(request, bank, material):
            answerable.append(material)
    return answerable, len(queries)


def _known(request: AdaptInput, bank: Bank) -> Material | None:
    """A chat about one thing: what is told about it."""
    found = find_knowledge(request)
    if found is None or request.scene is Scene.DIRECTED_AT_OTHERS:  # which would need facts for two answers
        return None
    query, facts = found
    if request.scene is Scene.PAUSE_HANDLING and not _can_hesitate(query, request.language):
        return None
    topic = speakable_or_none(request.topic or "", request.language)
    return Material(query, facts, _domain(request, bank, query), topic, complete=True)


def _derived(request: AdaptInput, bank: Bank, composer: Composer) -> Material | None:
    """A query about what the seed is about, answered by the banks."""
    found = None if asks_for_knowledge(request) else derived_frames(bank, request)
    if found is None:
        return None
    frames, topic, domain = found
    if len(fitting_tips(bank, domain, topic, frozenset())) < _MIN_FITTING:
        return None
    name = task_topic(topic, request.language) or domain.label
    for frame in composer.sample(frames, len(frames)):
        sentences = render_query(composer, frame, topic)
        query = Query(sentences, len(request.lines), False, QueryKind.HOW, 0.0)
        if request.scene is not Scene.PAUSE_HANDLING or _can_hesitate(query, request.language):
            composer.note(frame.frame_id)
            return Material(query, (), domain, name, whole_field=not task_topic(topic, request.language))
    return None


def _is_own_case(request: AdaptInput, query: Query) -> bool:
    """Whether a statement opens the seed and tells of the speaker: a remark in passing asks for nothing."""
    first = next((i for i, line in enumerate(request.lines) if line.speaker is Speaker.USER), None)
    return query.line == first and _FIRST_PERSON[request.language].search(query.text) is not None


def _tells_of_self(reply: tuple[str, ...], language: Language) -> bool:
    """`What would you like?` `I think I'll have the soup.`: there the roles are the other way round."""
    return _FIRST_PERSON[language].search(" ".join(reply)) is not None


def seed_topic(request: AdaptInput, bank: Bank, material: Material) -> str:
    """What to call the matter: the seed's own topic, a noun of the query, or the name of the field."""
    if material.topic:
        return material.topic
    own = clean_topic(request.topic, request.language)
    return own or find_topic(bank, material.domain, material.query.text)


def more_advice(request: AdaptInput, query: Query, composer: Composer, room: int) -> tuple[str, ...]:
    """Advice from later turns of the seed, as much as there is room for (in words)."""
    later = [line.text for line in request.lines[query.line + 2 :] if line.speaker is Speaker.ASSISTANT]
    spoken = [speakable_or_none(text, request.language) for text in later[:_LATER_TURNS]]
    found = further_advice(tuple(text for text in spoken if text), request.language)
    taken: list[str] = []
    for sentence in composer.sample(found, _MAX_FURTHER):
        room -= len(words_of(sentence))
        if room >= 0:
            taken.append(sentence)
    return tuple(taken)


def seed_follow_up(request: AdaptInput, query: Query) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the user asks next in the seed, and the usable answer to it; both empty where there is none."""
    found = seed_exchanges(request, query, 1)
    return found[0] if found else ((), ())


def seed_exchanges(
    request: AdaptInput, query: Query, most: int
) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """The questions that follow in the seed, each with its usable answer, up to the first that is of no use."""
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    if not query.whole_end:
        return ()
    for start in range(query.line + 2, query.line + 2 + 2 * most, 2):
        following = request.lines[start : start + 2]
        if [line.speaker for line in following] != [Speaker.USER, Speaker.ASSISTANT]:
            break
        question, answer = (speakable_or_none(line.text, request.language) for line in following)
        if not question or not answer or not can_follow(question, request.language):
            break
        reply = usable_reply(answer, f"{query.text} {question}", request.language)
        if not reply:
            break
        found.append((split_sentences(question, request.language), reply))
    return tuple(found)


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


def _domain(request: AdaptInput, bank: Bank, query: Query) -> Domain:
    context = " ".join(line.text for line in request.lines[:_LINES_READ])[:_CHARACTERS_READ]
    return detect_domain(bank, query.text, request.topic or "", context)


def _seed_can_answer(bank: Bank, material: Material) -> bool:
    length = sum(len(words_of(sentence)) for sentence in material.reply)
    if material.domain is bank.general:
        if material.query.kind not in _ADVISABLE:
            return False  # advice that fits anything fits no question of fact
        return length >= _MIN_ANSWER_ALONE[bank.language]
    return length >= _MIN_ANSWER[bank.language] or (length > 0 and material.query.kind in _ADVISABLE)


def _banks_can_answer(request: AdaptInput, bank: Bank, material: Material) -> bool:
    if material.query.kind not in _ADVISABLE or material.domain is bank.general:
        return False
    matter = f"{material.query.text} {request.topic or ''}"
    return len(fitting_tips(bank, material.domain, matter, frozenset())) >= _MIN_FITTING

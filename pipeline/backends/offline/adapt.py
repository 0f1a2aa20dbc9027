"""Step 1: from a seed to a user's query and an assistant's answer.

    query      a user turn of the seed, else one about its topic
    answer     [the seed's own reply, more of its advice | an opening]  tip  tip ...  closing

For `directed_at_others` a second exchange follows: the user's next question of the seed, or one about a tip.
"""

from collections.abc import Sequence

from pipeline.backends.offline.banks import Bank, Domain, Tip
from pipeline.backends.offline.domains import fitting_tips, names_a_field
from pipeline.backends.offline.frames import Composer, split_sentences
from pipeline.backends.offline.material import (
    Material,
    choose_material,
    more_advice,
    seed_follow_up,
    seed_topic,
)
from pipeline.backends.offline.queries import QueryKind
from pipeline.core.scripting.steps import Adapted, AdaptedTurn, AdaptInput
from pipeline.core.tokens import words_of
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.scene import Scene

_TARGET = {Language.EN: (58, 72), Language.ZH: (76, 100)}
_CEILING = {Language.EN: 90, Language.ZH: 150}
_ENOUGH = {Language.EN: 50, Language.ZH: 75}
_CLOSING_ROOM = {Language.EN: 15, Language.ZH: 24}
_MAX_SENTENCES = 7
_RICH_SENTENCES = 4
_RICH = {Language.EN: 50, Language.ZH: 78}
"""Words with which the seed has said enough: no tip need follow."""
_KEYWORD_WEIGHT, _WIDER_WEIGHT = 1.3, 0.3
_FIRST_OF_TWO = 0.6
"""The first of two answers is shorter: the event falls into the second."""
_LINK_CHANCE, _CLOSING_CHANCE = 0.3, 0.8


def adapt(request: AdaptInput, bank: Bank, composer: Composer) -> Adapted:
    """Choose the query and compose the answer. Raises RecordError where no dialogue can be made."""
    material = choose_material(request, bank, composer)
    topic = seed_topic(request, bank, material)
    composer.slots = {} if names_a_field(bank, topic) else {"topic": topic}
    head = open_answer(request, bank, composer, material)
    matter = None if material.whole_field else " ".join((topic, material.query.text, *head))
    tips = [] if material.complete else order_tips(bank, material.domain, matter, composer)
    two = request.scene is Scene.DIRECTED_AT_OTHERS
    answer, given = _answer(bank, composer, head, tips, _FIRST_OF_TWO if two else 1.0)
    turns = [make_turn(Speaker.USER, material.query.sentences), make_turn(Speaker.ASSISTANT, answer)]
    if two:
        question, head = seed_follow_up(request, material.query)
        if not head:
            tip = composer.pick(given) if given else tips.pop(0)
            question, head = _question_about(tip, composer)
        answer, _ = _answer(bank, composer, head, tips)
        turns += [make_turn(Speaker.USER, question), make_turn(Speaker.ASSISTANT, answer)]
    return Adapted(topic=topic, turns=tuple(turns))


def make_turn(speaker: Speaker, sentences: tuple[str, ...]) -> AdaptedTurn:
    """A turn of whichever party."""
    return AdaptedTurn.model_validate({"speaker": speaker, "sentences": sentences})


def open_answer(request: AdaptInput, bank: Bank, composer: Composer, material: Material) -> tuple[str, ...]:
    """How the answer begins: with what the seed has to say, or with an opening that suits the query."""
    if material.complete:
        opening = composer.say(bank.frames["knowledge/openings"])
        return (*split_sentences(opening, request.language), *material.reply)
    if material.reply:
        room = _TARGET[request.language][0] - length_of(material.reply)
        return material.reply + more_advice(request, material.query, composer, room)
    kind = QueryKind.STATEMENT if material.query.kind is QueryKind.FACT else material.query.kind
    return split_sentences(composer.say(bank.frames[f"response/openings/{kind.value}"]), request.language)


def order_tips(bank: Bank, domain: Domain, matter: str | None, composer: Composer) -> list[Tip]:
    """Tips that fit in weighted random order; general ones behind them.

    A tip for the very matter is likelier, one of the wider field less likely, none is certain. Ordering by
    `u ** (1 / weight)` draws without replacement in proportion to the weights (Efraimidis and Spirakis, 2006).
    """
    fitting = fitting_tips(bank, domain, matter, frozenset())
    luck = composer.rng.random(len(fitting))
    own = frozenset(tip.say.frame_id for tip in domain.tips)
    rank = {
        tip.say.frame_id: share ** (1 / _weight(tip, own)) for tip, share in zip(fitting, luck, strict=True)
    }
    general = composer.sample(bank.general.tips, len(bank.general.tips))
    ordered = sorted(fitting, key=lambda tip: rank[tip.say.frame_id], reverse=True)
    return [*ordered, *(tip for tip in general if tip not in ordered)]


def _weight(tip: Tip, own: frozenset[str]) -> float:
    if tip.say.frame_id not in own:
        return _WIDER_WEIGHT
    return _KEYWORD_WEIGHT if tip.only_for else 1.0


def _answer(
    bank: Bank, composer: Composer, head: tuple[str, ...], tips: list[Tip], share: float = 1.0
) -> tuple[tuple[str, ...], tuple[Tip, ...]]:
    """Head, tips until it is long enough, a closing. Takes the tips it uses from the list.

    `share` shortens the answer.
    """
    target = int(share * composer.rng.integers(*_TARGET[bank.language]))
    sentences = list(head)
    given: list[Tip] = []
    if _is_rich(head, bank.language):
        target = length_of(head)
    while tips and len(sentences) < _MAX_SENTENCES - 1 and length_of(sentences) < target:
        tip = tips.pop(0)
        if (
            length_of(sentences) >= _ENOUGH[bank.language]
            and length_of((*sentences, tip.say.text)) > _CEILING[bank.language]
        ):
            continue
        sentences.append(tip_sentence(bank, composer, tip, linked=bool(given) or len(head) > 1))
        given.append(tip)
    room = length_of(sentences) + _CLOSING_ROOM[bank.language] <= _CEILING[bank.language]
    advised = bool(given or tips)
    if room and (not advised or composer.chance(_CLOSING_CHANCE)):
        closings = "response/closings" if advised else "knowledge/closings"
        sentences += split_sentences(composer.say(bank.frames[closings]), bank.language)
    return tuple(sentences), tuple(given)


def _is_rich(head: tuple[str, ...], language: Language) -> bool:
    return len(head) >= _RICH_SENTENCES and length_of(head) >= _RICH[language]


def length_of(sentences: Sequence[str]) -> int:
    """In words."""
    return sum(len(words_of(sentence)) for sentence in sentences)


def tip_sentence(bank: Bank, composer: Composer, tip: Tip, linked: bool) -> str:
    """The advice; behind something else it sometimes gets a link, such as `besides that, `."""
    text = composer.render(tip.say)
    if linked and composer.chance(_LINK_CHANCE):
        return composer.lead_in(composer.say(bank.frames["response/links"]), text)
    return text


def _question_about(tip: Tip, composer: Composer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    question = composer.render(tip.ask)
    composer.note(f"{tip.ask.frame_id}/answer")
    return (question,), tip.answer

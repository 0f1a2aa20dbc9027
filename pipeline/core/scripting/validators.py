"""What a reply must not hold, checked by code before anybody is asked to judge it.

    check_sentences    one text at a time: leaks, unspeakable, too long, another language, unsafe
    check_repetition   one script: somebody says the same thing twice
    check_copied       one script against its prompt: the author gave back an example

Thresholds stand beside the figures that they were chosen by: what 1,061 dialogues of eleven public corpora and
3,352 scripts of the embedded author hold. Every refusal names the text, for it is quoted in the author's repair.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from pydantic import JsonValue

from pipeline.core.scripting.language import check_language
from pipeline.core.scripting.speakable import check_speakable
from pipeline.core.scripting.unsafe import find_unsafe
from pipeline.core.tokens import head, words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AfterWords, Script

MAX_SENTENCE_WORDS = {Language.EN: 50, Language.ZH: 80}
"""What is said in 20 s, at 2.5 words or 4 Chinese characters a second: nobody talks longer without a break, and
synthesizers stumble there. Corpora: the longest of 6,700 English sentences has 37 words; 6 in 1,000 of 9,200
Chinese ones exceed 80 characters, all of them letters that were written to a counsellor."""

MIN_OWN_SENTENCE_WORDS = 6
"""From here on a single sentence has to be in its language, too; below it may be just a name or an `OK, bye`."""

MIN_REPEATED_WORDS = {Language.EN: 6, Language.ZH: 10}
"""Short formulas come again in anybody's mouth. Ten characters are about six words."""

MAX_SIMILARITY = 0.85
"""Shared words ÷ all words of the two (difflib's ratio over words, in order): one word in seven may differ.

Of 1,061 real dialogues 19 hold such a pair, nearly all of them closing formulas that come back. At 0.80 there are
29: questions begin to match their answers, which is how people talk."""

COPY_SHINGLE = {Language.EN: 3, Language.ZH: 4}
"""Words in a row that a text and an example are compared by."""
MIN_COPIED_WORDS = {Language.EN: 8, Language.ZH: 14}
"""`That's enough, thanks.` is nobody's."""
MAX_COPIED_SHARE = 0.4
"""Of a text's shingles, as many may be an example's. With the prompts of `full_duplex` none of 12,100 independent
texts is above it, and every example with one word replaced is; with two replaced, 3 in 4 English and 19 in 20
Chinese ones are."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One way in which what the author was told, or is, shows in what it wrote."""

    pattern: re.Pattern[str]
    what: str
    """Of which the finding says that the text holds it."""


def _leak(what: str, pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> Leak:
    return Leak(re.compile(pattern, flags), what)


_AI_MODEL = r"an? (?:ai (?:language )?|artificial intelligence (?:language )?|(?:large )?language )model"
_AI_MODEL_ZH = r"(?:一个|一款|个)?(?:(?:ai|人工智能)(?:语言)?|大型?语言|语言|大)模型"
_EARLIER_ORDERS = r"(?:previous|prior|above|earlier) (?:instructions?|prompts?|rules)"
_EARLIER_ORDERS_ZH = r"(?:以上|上述|上面|之前|前面|先前)的?(?:所有|全部)?的?(?:指令|指示|要求|提示|规则)"
_ACTS = r"(?:interrupts?|breaks? in|cuts in|yields|pauses|hesitates|goes on|falls silent)"
_REWORKED = "(?:rewritten|revised|adapted|generated|requested|spoken|final)"
_WORK = "(?:dialogue|conversation|script|json|output)"

_ASIDE = re.compile(r"[(（][^()（）]*[)）]?")

LEAKS: tuple[Leak, ...] = (
    # what dialogues are marked up with: in prompts, in corpora, in other tools' scripts
    _leak("a control token of a template", r"<\|?/?\s*[a-z_]+\s*\|?>|im_start|im_end|endoftext|\[/?INST\]"),
    _leak("a marker in brackets", r"[\[【〔][^\]】〕]{1,40}[\]】〕]"),
    _leak("the label of a turn or event", r"(?<![A-Za-z0-9])[te]\d{1,2}(?![A-Za-z0-9])", re.NOFLAG),
    _leak("the name of a field or type", r"(?<![A-Za-z])[a-z]+(?:_[a-z]+)+(?![A-Za-z])"),
    _leak("a role", r"^\W*(?:user|assistant|system|human|ai|bot|third party|speaker [ab])\s*[:：]"),
    _leak("a role", r"^\W*(?:用户|助手|助理|系统|人类|机器人|旁白|第三方|说话人[甲乙]?)\s*[:：]"),
    _leak("JSON", r"\"\s*:\s*[\"\[{]|[{}]|\\n|\\u[0-9a-f]{4}"),
    # what a model says of itself and of its task
    _leak("talk of being a model", rf"\b(?:as|i am|i['’]m) (?:just |only )?{_AI_MODEL}\b"),
    _leak("talk of being a model", rf"(?:作为|我(?:只|仅仅?)?是){_AI_MODEL_ZH}"),
    _leak("talk of being a model", r"\bas an (?:ai|artificial intelligence)(?: assistant)?,? i\b"),
    _leak("talk of being a model", r"作为(?:一个|一名|一款)?(?:ai|人工智能)(?:助手)?[，,]"),
    _leak("talk of being a model", r"\bmy (?:training data|knowledge cutoff)\b|我的训练数据"),
    _leak(
        "a model's name",
        r"(?:i am|i['’]m|我是) ?(?:chatgpt|gpt|qwen|通义千问|文心一言|deepseek|llama|claude)",
    ),
    _leak(
        "a refusal of the task", r"\b(?:ful?fill?|comply with|assist with) (?:this|that|your|the) request\b"
    ),
    _leak("a refusal of the task", r"无法(?:满足|完成|协助|执行|处理)[您你这该此]?[个的]?(?:请求|要求|指令)"),
    _leak("an announcement", rf"\bhere(?:['’]s| is) (?:the|a|your) (?:{_REWORKED} {_WORK}|{_WORK}\s*[:：])"),
    _leak("an announcement", r"以下[是为](?:改写|修改|生成|重写|对话|脚本|输出)"),
    _leak(
        "an instruction",
        rf"\b(?:ignore|disregard|forget) (?:all |any )?(?:of )?(?:the |your )?{_EARLIER_ORDERS}",
    ),
    _leak("an instruction", rf"(?:忽略|无视|忘记|忘掉)(?:所有|全部)?的?{_EARLIER_ORDERS_ZH}"),
    _leak("an instruction", r"\bsystem prompt\b|系统提示词"),
    _leak("an event told, not played", rf"\bthe (?:user|assistant|third party) {_ACTS}\b"),
    _leak("an event told, not played", r"(?:用户|助手|第三方)(?:打断|插话|被打断|停下|停顿|犹豫|继续说)"),
    _leak(
        "a blank to be filled in", r"(?<![A-Za-z])xx+(?![A-Za-z])|lorem ipsum|\binsert \w+ here\b|[×○]{2,}"
    ),
)
"""Every row is something that no speaker says. `NOFLAG`: a label is lower case, a terminal's name is not."""


def check_sentences(sentences: Sequence[str], language: Language) -> None:
    """Refuse what cannot be one side of a spoken dialogue: the first fault that is found, by Reason.

    >>> check_sentences(["As an AI language model, I love trams."], Language.EN)
    Traceback (most recent call last):
    pipeline.domain.errors.RecordError: leaked_instruction: 'As an AI language model, I love trams.' holds talk of \
being a model ('As an AI language model'); wanted only what is said aloud
    """
    for sentence in sentences:
        _check_leaks(sentence)  # first: most of them also hold what cannot be spoken, and this says more
        check_speakable(sentence)
        _check_asides(sentence)
        count = len(words_of(sentence))
        if count > MAX_SENTENCE_WORDS[language]:
            raise RecordError(
                Reason.WRONG_LENGTH,
                f"{sentence!r} has {count} words; wanted {MAX_SENTENCE_WORDS[language]} or fewer in a sentence: "
                "nobody says more without a break",
            )
        if count >= MIN_OWN_SENTENCE_WORDS:
            check_language([sentence], language)
        category = find_unsafe(sentence, language)
        if category is not None:
            raise RecordError(
                Reason.UNSAFE_CONTENT, f"{sentence!r} holds {category}; wanted a dialogue without it"
            )
    check_language(sentences, language)


def _check_asides(sentence: str) -> None:
    """Refuse `(laughs)`, and `(the one at the station)` too: brackets cannot be heard."""
    aside = _ASIDE.search(sentence)
    if aside is not None:
        raise RecordError(
            Reason.UNSPEAKABLE_TEXT,
            f"{sentence!r} holds {aside.group()!r}; wanted words as they are said, without brackets and directions",
        )


def _check_leaks(sentence: str) -> None:
    for leak in LEAKS:
        found = leak.pattern.search(sentence)
        if found is not None:
            raise RecordError(
                Reason.LEAKED_INSTRUCTION,
                f"{sentence!r} holds {leak.what} ({found.group()!r}); wanted only what is said aloud",
            )


_ECHOES = (
    EventType.REPETITION_REQUEST,
    EventType.COOPERATIVE_COMPLETION,
    EventType.DISSATISFACTION,
)


def check_repetition(script: Script) -> None:
    """Refuse a script in which something is heard that was heard before, nearly word for word.

    Left out is what has to repeat: who asks for a word again, and the answer; who finishes the other one's sentence;
    who was not answered and puts the question again; a host that comes back to what it was saying. What an
    interruption kept unsaid was never heard.
    """
    free = _free_to_repeat(script)
    heard: list[tuple[str, list[str]]] = []
    for name, text in _heard(script):
        words = [word.casefold() for word in words_of(text)]
        if len(words) < MIN_REPEATED_WORDS[script.language]:
            continue
        if name not in free:
            for earlier, its_words in heard:
                if _similarity(its_words, words) >= MAX_SIMILARITY:
                    raise RecordError(
                        Reason.REPEATED_TEXT,
                        f"{text!r} says again what was said before, {earlier!r}; wanted something new",
                    )
        heard.append((text, words))


def _free_to_repeat(script: Script) -> frozenset[str]:
    """Utterances whose point is to say again: the words of some events, and the host's turn after others."""
    free: set[str] = set()
    for event in script.events:
        own = script.utterance(event.utterance_id)
        if event.type in _ECHOES:
            free |= {u.utterance_id for u in script.utterances if u.turn == own.turn}
        if event.host is not None and (
            event.type is EventType.REPETITION_REQUEST or event.effect is FloorEffect.RESUMES
        ):
            host = script.utterance(event.host)
            answers = [u for u in script.utterances if u.turn > own.turn and u.speaker is host.speaker]
            free |= {u.utterance_id for u in answers if u.turn == answers[0].turn}
    return frozenset(free)


def _heard(script: Script) -> Iterator[tuple[str, str]]:
    """Id and text of what is heard: hosts that fall silent only up to there."""
    unsaid = script.unsaid()
    cut = {e.host: script.utterance(e.utterance_id).anchor for e in script.events if e.effect.cuts_host}
    for utterance in script.utterances:
        name, text = utterance.utterance_id, utterance.text
        if name not in unsaid:
            anchor = cut.get(name)
            yield name, head(text, anchor.words) if isinstance(anchor, AfterWords) else text


def _similarity(one: Sequence[str], other: Sequence[str]) -> float:
    """2 x matching words, in order, ÷ words of both. Cheap upper bounds first: most pairs share little."""
    total = len(one) + len(other)
    if 2 * min(len(one), len(other)) < MAX_SIMILARITY * total:
        return 0.0
    if 2 * (Counter(one) & Counter(other)).total() < MAX_SIMILARITY * total:
        return 0.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


SPOKEN_FIELDS = frozenset({"sentences", "text", "event_text", "reaction", "response"})
"""Fields of replies that hold what is said; the others hold labels, quotes and reasons."""


def spoken_texts(reply: JsonValue) -> tuple[str, ...]:
    """Everything that is said in a reply, in order.

    >>> spoken_texts({"event_text": "Right.", "why": "a nod", "turns": [{"sentences": ["One.", "Two."]}]})
    ('Right.', 'One.', 'Two.')
    """
    return tuple(_spoken(reply, said=False))


def _spoken(value: JsonValue, *, said: bool) -> Iterator[str]:
    if isinstance(value, str):
        if said:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _spoken(item, said=said)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _spoken(item, said=name in SPOKEN_FIELDS)


def check_copied(texts: Sequence[str], examples: Sequence[str], language: Language) -> None:
    """Refuse a text that is one of the prompt's examples, or half of one: it says nothing about this seed."""
    known = _shingles_of_all(tuple(examples), language)
    for text in texts:
        words = words_of(text.casefold())
        if len(words) < MIN_COPIED_WORDS[language]:
            continue
        own = _shingles(words, COPY_SHINGLE[language])
        share = len(own & known) / len(own)
        if share > MAX_COPIED_SHARE:
            raise RecordError(
                Reason.LEAKED_INSTRUCTION,
                f"{text!r} is copied from the prompt's examples ({share:.0%} of its phrases); "
                "wanted words about this dialogue",
            )


@lru_cache(maxsize=16)
def _shingles_of_all(texts: tuple[str, ...], language: Language) -> frozenset[tuple[str, ...]]:
    """One prompt's examples serve a whole run."""
    size = COPY_SHINGLE[language]
    return frozenset(shingle for text in texts for shingle in _shingles(words_of(text.casefold()), size))


def _shingles(words: Sequence[str], size: int) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))

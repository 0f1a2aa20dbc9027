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

Of 1,061 real dialogues 19 hold such a pair, mostly closing formulas; from 0.80 on question and answer meet
(`the address of the hotel is ...`), which is how people talk: 29. At 0.90, `But I always wanted to try it` for
`I always wanted to try it` would pass among longer sentences of the kind."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One way in which what the author was told, or is, shows in what it wrote."""

    pattern: re.Pattern[str]
    what: str
    """Of which the finding says that the text holds it."""


def _leak(what: str, pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> Leak:
    return Leak(re.compile(pattern, flags), what)


_STAGE_WORDS = (
    "laugh(?:s|ing|ter)?|chuckl(?:es|ing)|sigh(?:s|ing)?|pauses?|silence|beat|hesitat(?:es|ing)|interrupt(?:s|ing|ed)"
    "|cuts? (?:in|off)|overlap(?:s|ping)?|continues?|break|笑|大笑|叹气|停顿|沉默|犹豫|打断|插话|被打断|继续"
)
_MODEL = r"(?:an? |一个|一款|个)?(?:ai|artificial intelligence|人工智能|大型?|large )?\s*(?:语言|language) ?(?:模型|model)"

LEAKS: tuple[Leak, ...] = (
    # what dialogues are marked up with in prompts, in corpora and in scripts that other tools write
    _leak("a marker in brackets", r"[\[【〔][^\]】〕]{1,40}[\]】〕]"),
    _leak("a stage direction", rf"[(（*]\s*(?:{_STAGE_WORDS})\b[^)）*]{{0,20}}[)）*]"),
    _leak("the label of a turn or event", r"(?<![A-Za-z0-9])[te]\d{1,2}(?![A-Za-z0-9:.])", re.NOFLAG),
    _leak("the name of a field or label", r"(?<![A-Za-z])[a-z]+(?:_[a-z]+)+(?![A-Za-z])"),
    _leak("a role at its head", r"^\W*(?:user|assistant|system|human|ai|bot|third party|speaker [ab12])\s*[:：]"),
    _leak("a role at its head", r"^\W*(?:用户|助手|助理|系统|人类|机器人|旁白|第三方|说话人[甲乙一二]?)\s*[:：]"),
    _leak("JSON", r"\"\s*:\s*[\"\[{]|[{}]|\\n|\\u[0-9a-f]{4}"),
    _leak("a control token of a template", r"<\|?/?\s*[a-z_]+\s*\|?>|im_start|im_end|endoftext|\[/?INST\]|<<SYS>>"),
    # what a model says about itself and its task
    _leak("talk of being a model", rf"\bas {_MODEL}|(?:i am|i'm|i’m) (?:just |only )?{_MODEL}"),
    _leak("talk of being a model", rf"(?:作为|我(?:只|仅仅?)?是){_MODEL}|作为(?:一个|一名|一款)?(?:ai|人工智能)(?:助手)?[，,]"),
    _leak("talk of being a model", r"\bas an (?:ai|artificial intelligence)(?: assistant)?,? i\b|my (?:training data|knowledge cutoff)"),
    _leak("a model's name for itself", r"(?:i am|i'm|i’m|我是) ?(?:chatgpt|gpt|qwen|通义千问|文心一言|deepseek|llama|claude|gemini)"),
    _leak("a refusal of the task", r"\b(?:fulfil+|comply with|assist with|complete) (?:this|that|your|the) request"),
    _leak("a refusal of the task", r"无法(?:满足|完成|协助|执行|处理)(?:您的|你的|这个|该|此)?(?:请求|要求|指令)"),
    _leak("an announcement of the answer", r"\bhere(?:'s|’s| is) (?:the|a|your) (?:rewritten |revised |spoken |generated )?(?:dialogue|script|json|output)\b"),
    _leak("an announcement of the answer", r"以下(?:是|为)(?:改写|修改|生成|重写|对话|脚本|输出)"),
    _leak("an instruction", r"\b(?:ignore|disregard|forget) (?:all |any )?(?:of )?(?:the |your |my )?(?:previous|prior|above|earlier) (?:instructions?|prompts?|rules)"),
    _leak("an instruction", r"(?:忽略|无视|忘记|忘掉)(?:掉)?(?:以上|上述|上面|之前|前面|先前)(?:的)?(?:所有|全部)?(?:的)?(?:指令|指示|要求|提示|规则)"),
    _leak("an instruction", r"\bsystem prompt\b|系统提示词?"),
    _leak("the event told instead of played", r"\bthe (?:user|assistant|third party) (?:interrupts?|breaks? in|cuts in|yields|pauses|hesitates|goes on|falls silent)\b"),
    _leak("the event told instead of played", r"(?:用户|助手|第三方)(?:打断|插话|被打断|停下|停顿|犹豫|继续说)"),
    # what was to be filled in
    _leak("a place left to be filled in", r"(?<![A-Za-z])x{2,}(?![A-Za-z])|lorem ipsum|\b(?:insert|your) \w+ here\b|_{2,}|某某|×{2,}|○{2,}"),
)  # fmt: skip
"""Every row is a phrase that no speaker says. `re.NOFLAG`: labels are lower case, a Terminal T3 is not."""


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


def _check_leaks(sentence: str) -> None:
    for leak in LEAKS:
        found = leak.pattern.search(sentence)
        if found is not None:
            raise RecordError(
                Reason.LEAKED_INSTRUCTION,
                f"{sentence!r} holds {leak.what} ({found.group()!r}); wanted only what is said aloud",
            )


def check_repetition(script: Script) -> None:
    """Refuse a script in which something is heard that was heard before, nearly word for word.

    Left out is what has to repeat: the answer to who asked for it, a sentence that is finished by the other one,
    and a host that comes back to what it was saying. What an interruption kept unsaid was never heard.
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
    """Utterances whose point is to say again: words of a completion, and the turn after a request or a break."""
    free: set[str] = set()
    for event in script.events:
        own = script.utterance(event.utterance_id)
        if event.type is EventType.COOPERATIVE_COMPLETION:
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

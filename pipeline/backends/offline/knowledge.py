"""Seeds that are a chat about one thing: who directed the film, when the album came out.

    A 知道时光机这张专辑吗？   B 知道呀，是摇滚乐团五月天的一张专辑。   A 第几张？   B 第四张，也是复出后的首张。
    ->  你知道时光机这张专辑吗？  |  是摇滚乐团五月天的一张专辑。 ...

Both parties tell what they know, so facts are taken from both; questions, courtesies and opinions are not.
"""

import re
from collections.abc import Iterator

from pipeline.backends.offline.frames import split_sentences
from pipeline.backends.offline.lexicon import load_lexicon
from pipeline.backends.offline.queries import Query, QueryKind, speakable_or_none
from pipeline.core.scripting.steps import AdaptInput
from pipeline.core.tokens import words_of
from pipeline.domain.labels import Language, Speaker

_OPENING_LINES, _LINES_READ = 3, 12
_FACT_WORDS = (7, 45)
_MIN_FACTS, _MIN_WORDS, _MAX_WORDS, _MAX_FACTS = 3, 42, 104, 6

_KNOWS = re.compile(r"(?:知道|听过|听说过|了解|认识|看过|去过)")
_ASKS = re.compile(r"^[^，。]{2,30}(?:吗|么|嘛)？$")
_ANOTHER = re.compile(r"(?:知道|听过|听说过|认识|看过|去过)(?:[^，。？]{1,16})(?:这部|这首|这张|这个人|这座)")
_QUESTION = re.compile(r"[吗呢么？]|知道|谁|哪|几|什么|多少|怎|是不是")
_LEAD = re.compile(
    r"^(?:(?:当然|我|也|有些|有点|确实|还是)?(?:知道|听过|听说过|看过|了解|去过|认识|记得)(?:的呀|[呀啊的哦吧呢])?(?:，|$)"
    r"|(?:嗯|啊|哦|哇|噢|唉|诶)+呢?[，、]?|是[的啊呀呢吧]*，|对[啊呀的]*，|没错[，呀啊]*|可不[是，]*|属实|可以的，|当然(?:了|啦)?，|不?需要，|清楚，|能呀，|还行，|不收的，|对对对，|要(?=[三两一])"
    r"|(?:而且|并且|而|不过|但是|但|所以|而是|那|原来|听说|据说|据我了解|怪不得|除此之外|另外|还有|对了)[，]?)"
)
_FACT = re.compile(
    r"[一二三四五六七八九十百千万]|年|是|由|获|奖|位于|出生|发行|上映|叫|有|主演|导演|收录|属于|毕业|代表"
)
_CHAT = re.compile(
    r"[我你您咱啊！]|哈哈|厉害|[吧呀哦嘛啦呗哟呢]。$|可惜|推荐|建议|谢|有机会|一起|喜欢|第一次|好看|好听|不错|一定|真的|真是|真可谓|感觉|觉得"
    r"|淡季|旺季|次年|[零幺一二三四五六七八九]{6}|可能|好像|应该|知道|记得|了解|没看过|怪不得|敬佩|难得|算是|绝对|奖项：|竟然|有名呀|看这|可以了|没有点"
    r"|^(?:就是|还可以|挺|很|不贵|看|在|有|光|当然|这个|第|剩下|重点|可是|一位|[零〇一二三四五六七八九十年月日号]+。)"
)
_BEGINS = re.compile(
    r"^(?:它|他|她|该|这|此|是|由|位于|获|曾|荣获|还[获是荣]|也获|更是?获|同时|总|制片|票房|导演|主演|编剧|作曲|作词|谱曲|填词|发行|上映|专辑|歌曲|影片|片长|时长"
    r"|一位|一个|中国|美国|香港|台湾|曲子|歌手|演唱|讲述|适合|周[一二]|每周|免费|曾经|拥有|参加|出生|英文|本名|外文|地址|开放|门票|馆内|里面|建筑|主|常年|曲风|风格|里长|一[五六七八九]|二零|[一二三四五六七八九十百]+首)"
)
_THING = re.compile(r"它|专辑|歌曲|这首|电影|影片|这部|剧|小说|景点|博物馆|公园|位于|门票")
_OF_PERSONS = re.compile(r"^(?:他|她)|毕业|出生|岁|国籍|身高|本名|代表作")
_OF_THINGS = re.compile(r"制片|片长|票房|上映|剧情|分钟|^(?:它|这首|这部|该)|发行|收录")


def asks_for_knowledge(request: AdaptInput) -> bool:
    """Whether the seed begins by asking for its topic: nothing but facts answers that."""
    return _opening(request) is not None


def find_knowledge(request: AdaptInput) -> tuple[Query, tuple[str, ...]] | None:
    """The question about the seed's topic, and the facts told about it; None where that is not what it is."""
    found = _opening(request)
    if found is None:
        return None
    question, index, topic = found
    facts = _facts(request, index, topic)
    if len(facts) < _MIN_FACTS or _length(facts) < _MIN_WORDS:
        return None
    return Query((question,), index, True, QueryKind.FACT, 0.0), facts


def _opening(request: AdaptInput) -> tuple[str, int, str] | None:
    """The question that asks for the topic, the index of its line, and the topic as it is spoken."""
    if request.language is not Language.ZH or not request.topic:
        return None
    topic = speakable_or_none(request.topic, request.language)
    for index, line in enumerate(request.lines[:_OPENING_LINES]):
        text = _spoken(line.text)
        question = _question(text, topic) if text and topic and line.speaker is Speaker.USER else None
        if question and topic:
            return question, index, topic
    return None


def _spoken(text: str) -> str | None:
    # Some annotators put titles into brackets that otherwise hold asides.
    return speakable_or_none(text.replace("【", "《").replace("】", "》").replace("；", "。"), Language.ZH)


def _question(text: str, topic: str) -> str | None:
    """The sentence that asks whether the other one knows the topic, put as one asks an assistant."""
    for sentence in split_sentences(load_lexicon(Language.ZH).greeting.sub("", text), Language.ZH):
        known = _KNOWS.search(sentence)
        if topic not in sentence or known is None or not _ASKS.match(sentence):
            continue
        if known.start() < sentence.index(topic) or sentence.startswith(("对", "你对")):
            # An assistant has seen no film and been nowhere, but it can know of both.
            asked = re.sub(r"听说过|看过|去过|认识|听过", "知道", sentence)
            return asked if asked.startswith("你") else f"你{asked}"
    return None


def _facts(request: AdaptInput, start: int, topic: str) -> tuple[str, ...]:
    taken: list[str] = []
    told = " ".join(line.text for line in request.lines[start : start + 3])
    alien = _OF_PERSONS if _THING.search(told) else _OF_THINGS
    for line in request.lines[start + 1 : start + 1 + _LINES_READ]:
        text = _spoken(line.text)
        if text is None:
            continue
        if _ANOTHER.search(text) and topic not in text:
            break
        for fact in _facts_of(text, topic):
            if alien.search(fact) or {"他", "她"} <= set("".join((*taken, fact))):
                continue
            if len(taken) < _MAX_FACTS and fact not in taken and _length((*taken, fact)) <= _MAX_WORDS:
                taken.append(fact)
    return tuple(taken)


def _facts_of(text: str, topic: str) -> Iterator[str]:
    low, high = _FACT_WORDS
    for sentence in split_sentences(text, Language.ZH):
        fact = _strip_lead(_without_question(_strip_lead(sentence)))
        if (
            low <= len(words_of(fact)) <= high
            and _BEGINS.match(fact.removeprefix(topic))
            and _FACT.search(fact)
            and not _CHAT.search(fact)
        ):
            yield fact


def _without_question(sentence: str) -> str:
    """A statement with a question tagged on, without the question.

    >>> _without_question("他是台湾台南县人，你知道他是哪年出生的呢？")
    '他是台湾台南县人。'
    """
    if not sentence.endswith("？"):
        return sentence
    kept: list[str] = []
    for clause in sentence[:-1].split("，"):
        if _QUESTION.search(clause):
            break
        kept.append(clause)
    # The clause right before the last one may belong to the question; without any mark, all of it does.
    return "，".join(kept) + "。" if kept and len(kept) < sentence.count("，") + 1 else ""


def _strip_lead(sentence: str) -> str:
    """Without the courtesies before what is told.

    >>> _strip_lead("嗯，知道呀，是摇滚乐团五月天的一张专辑。")
    '是摇滚乐团五月天的一张专辑。'
    """
    while (shorter := _LEAD.sub("", sentence)) != sentence:
        sentence = shorter
    return sentence


def _length(sentences: tuple[str, ...] | list[str]) -> int:
    return sum(len(words_of(sentence)) for sentence in sentences)

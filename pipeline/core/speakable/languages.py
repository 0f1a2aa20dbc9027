"""Which language a text is in, part by part, and whose voice says it.

    我在看 Attack on Titan。It is so much fun! 你看过吗？
    zh───── en──────────────────────────────── zh────────     language_runs
    zh──────────────────── en───────────────── zh────────     route_sentences

Mixed sentences are every engine's weak spot, so a whole sentence in the other language goes to a voice of
that language. Inside a sentence nobody changes: a voice that changes in mid-sentence is another person.
"""

import re
from collections.abc import Iterable, Iterator

from pipeline.core.speakable.rules import HAN
from pipeline.core.tokens import tokenize, words_of
from pipeline.domain.labels import Language

_HAN = re.compile(f"[{HAN}]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_SENTENCE_END = re.compile(r"(?:[?!。？！…]|\.(?!\w))+[\"'”’）)】\]》」』]*\s*")
_SHORTEST_FOREIGN = 3
"""Words: `OK.`, `iPhone` and `Thank you!` are said by the Mandarin voice."""
_WORDS_PER_CHARACTER = 0.6
"""English words that take as long as a Chinese character: about three a second against five."""


def language_runs(text: str) -> tuple[tuple[Language, str], ...]:
    """The text cut where its script changes; joined, the runs are the text.

    Punctuation, and words in neither script, go with what is before them. Empty for a text without words in
    either.

    >>> language_runs("用iPhone拍。")
    ((<Language.ZH: 'zh'>, '用'), (<Language.EN: 'en'>, 'iPhone'), (<Language.ZH: 'zh'>, '拍。'))
    """
    words = [(language, start) for word, start, _ in tokenize(text) if (language := _script(word))]
    if not words:
        return ()
    changes = [
        (language, start)
        for index, (language, start) in enumerate(words)
        if not index or language is not words[index - 1][0]
    ]
    ends = [start for _, start in changes[1:]] + [len(text)]
    starts = [0, *ends[:-1]]
    return tuple(
        (language, text[start:end]) for (language, _), start, end in zip(changes, starts, ends, strict=True)
    )


def voice_language(sentence: str, declared: Language) -> Language:
    """The language of the voice that says a sentence of a dialogue in the declared language.

    The rule rests on what engines can do: a Mandarin voice reads Latin words, an English one reads no Chinese
    characters. Hence in Mandarin only a sentence without any Chinese character leaves, and only from three words
    on; in English one leaves if its characters take longer to say than its English words.

    >>> voice_language("这个idea不错。", Language.ZH), voice_language("Have a nice day!", Language.ZH)
    (<Language.ZH: 'zh'>, <Language.EN: 'en'>)
    """
    scripts = [_script(word) for word in words_of(sentence)]
    han, latin = scripts.count(Language.ZH), scripts.count(Language.EN)
    if declared is Language.ZH:
        return Language.EN if not han and latin >= _SHORTEST_FOREIGN else Language.ZH
    return Language.ZH if han * _WORDS_PER_CHARACTER > latin else Language.EN


def route_sentences(text: str, declared: Language) -> tuple[tuple[Language, str], ...]:
    """The text by the voices that say it, whole sentences each; joined, the parts are the text.

    >>> [part for _, part in route_sentences("好的。See you next week! 再见。", Language.ZH)]
    ['好的。', 'See you next week! ', '再见。']
    """
    return _merged((voice_language(sentence, declared), sentence) for sentence in _sentences(text))


def _script(word: str) -> Language | None:
    if _HAN.match(word):
        return Language.ZH
    return Language.EN if _LATIN.match(word) else None


def _sentences(text: str) -> Iterator[str]:
    """Each with at least a word in it, but for a text that has none."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if words_of(text[start : match.end()]) and words_of(text[match.end() :]):
            yield text[start : match.end()]
            start = match.end()
    if text:
        yield text[start:]


def _merged(parts: Iterable[tuple[Language, str]]) -> tuple[tuple[Language, str], ...]:
    """Neighbours in one language made one."""
    merged: list[tuple[Language, str]] = []
    for language, part in parts:
        if merged and merged[-1][0] is language:
            part = merged.pop()[1] + part
        merged.append((language, part))
    return tuple(merged)

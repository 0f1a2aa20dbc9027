"""What is kept of a native utterance as speakable text; the utterance itself stays in `SeedTurn.raw`.

The policy, in order: control and zero-width characters go; HTML entities are read; markup tags go; web
addresses go; emoji and emoticons go; the rest is NFC; then each language's spacing is mended.

>>> clean_text("I ' Ve <b>no</b> idea , sorry . \\U0001f600 https://example.org", Language.EN)
"I've no idea, sorry."
>>> clean_text("你 好 吗 ? <br> 我 用 iPhone", Language.ZH)
'你好吗？我用iPhone'
"""

import html
import re
import unicodedata

from pipeline.domain.labels import Language

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\u3007"
"""Chinese characters, for use inside a regular expression's brackets."""

_HAN_CHARACTER = re.compile(f"[{HAN}]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(r"<!--.*?-->|</?([A-Za-z][A-Za-z0-9]*)\b[^<>]*>", re.DOTALL)
_INLINE_TAGS = frozenset(
    {"a", "b", "em", "font", "i", "mark", "s", "small", "span", "strong", "sub", "sup", "u"}
)
_ADDRESS = re.compile(
    rf"(?:\b[a-z][a-z0-9+.-]*://|\bwww\.)[^\s<>\"“”，。！？；：、（）《》【】{HAN}]*[^\s<>\"“”，。！？；：、（）《》【】{HAN}.,!?;:)\]']",
    re.IGNORECASE,
)
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a\u231b\u23e9-\u23fa\ufe00-\ufe0f\u20e3]"
)
_EMOTICON = re.compile(
    r"(?<![^\s.,!?])(?:[:;=][-'^o]?[()\[\]DPpO/\\|*3]+|\([-']?[:;=]|<3|\^_*\^|T_T|[xX]D)(?=\s|$|[.,!?])"
    r"|[(（][-^_.;~•><oO ]*[\^_﹏][-^_.;~•﹏><oO ]*[)）]|• ?﹏ ?•|\*+"
)
"""Faces typed with characters: `:-)` alone, `(^_-)` anywhere; and the asterisks of `**bold**`."""

_WORD_THEN_NOT = re.compile(r"(?<=\w) ?n ?' ?t\b", re.IGNORECASE)
_CONTRACTION = re.compile(r"(\w+)(?: ' ?| ?' )(s|m|d|t|re|ve|ll)\b(?!')", re.IGNORECASE)
_FIXED = re.compile(r"\b(o|ma|y|c) ?' ?(clock|am|all|mon)\b", re.IGNORECASE)
_SPACED_QUOTES = re.compile(r"(?<!\S)' ([^']+?) ?'(?!\w)")
_LONE_POSSESSIVE = re.compile(r"(?<=s) ' (?=\w)")
_SPLIT_WORD = re.compile(r"\b(gon|wan|got) (na|ta)\b", re.IGNORECASE)
_SPACE_BEFORE_STOP = re.compile(r" +([.,!?;:…]+|%)(?=[\s\"')\].,!?;:…]|$)")
_QUOTED = re.compile(r'"\s*([^"]*?)\s*"')

_CJK = f"{HAN}\u3001-\u303f\uff01-\uff65"
_SPACE_AT_CJK = re.compile(f"(?<=[{_CJK}]) +| +(?=[{_CJK}])|(?<=[{_CJK}]-) +")
_HALF_WIDTH_STOP = re.compile(rf"(?<=[{HAN}])[,!?;:]|[,!?;:](?=[{HAN}])|(?<=[{HAN}])\.$")
_FULL_WIDTH = str.maketrans(",!?;:.", "，！？；：。")
_STOPS = ".,!?;:…~—-，。！？；：、～"


def clean_text(text: str, language: Language) -> str:
    """The speakable part of an utterance on one line; empty where there is none."""
    text = _read_entities(_without_invisible(text))
    text = _ADDRESS.sub("", _TAG.sub(_tag_space, text))
    text = unicodedata.normalize("NFC", _without_invisible(_EMOJI.sub("", text)))
    text = " ".join(_EMOTICON.sub("", text).split())
    text = _mend_chinese(text) if language is Language.ZH else _mend_english(text)
    return " ".join(text.split())


def join_texts(parts: tuple[str, ...], language: Language) -> str:
    """One turn from the cleaned parts of a same-speaker run; a missing stop between parts is supplied.

    >>> join_texts(("hello", "How are you?", "", "fine i hope"), Language.EN)
    'hello. How are you? fine i hope'
    >>> join_texts(("怎么了", "撞车了吗"), Language.ZH)
    '怎么了，撞车了吗'
    """
    joined = ""
    for part in filter(None, parts):
        if not joined or not any(map(str.isalnum, part)):
            joined += part
        elif language is Language.ZH:
            joined += part if joined[-1] in _STOPS + "”》）" else f"，{part}"
        elif joined.rstrip("\"')")[-1:] in _STOPS:
            joined += f" {part}"
        else:
            joined += f"{',' if part[0].islower() else '.'} {part}"
    return joined


def is_han(word: str) -> bool:
    """Whether a word (see `pipeline.core.tokens`) is a Chinese character."""
    return _HAN_CHARACTER.match(word) is not None


def is_latin(word: str) -> bool:
    """Whether a word starts with a Latin letter."""
    return word[0].isalpha() and ord(word[0]) < 0x250


def _without_invisible(text: str) -> str:
    """Line and paragraph ends and tabs become spaces; other control, format and unassigned characters go."""
    if text.isascii() and text.isprintable():
        return text
    spaced = re.sub(r"[\t-\r\x85\u2028\u2029]", " ", text)
    return "".join(c for c in spaced if not unicodedata.category(c).startswith("C"))


def _read_entities(text: str) -> str:
    """`&amp;quot;` was escaped twice somewhere on its way here: read until nothing is left to read."""
    while (read := _ENTITY.sub(lambda m: html.unescape(m.group()), text)) != text:
        text = read
    return _without_invisible(text)


def _tag_space(match: re.Match[str]) -> str:
    return "" if (match.group(1) or "b").lower() in _INLINE_TAGS else " "


def _mend_english(text: str) -> str:
    """Undo tokenisation: `do n't`, `I ' Ve`, `stop .`, `( so )`, `" yes "`; straight quotes throughout."""
    text = re.sub("[‘’ʼ´`]", "'", re.sub("[“”]|``|''", '"', text))
    text = _CONTRACTION.sub(_contract, _WORD_THEN_NOT.sub(lambda m: m.group().replace(" ", ""), text))
    text = _SPLIT_WORD.sub(r"\1\2", _FIXED.sub(r"\1'\2", text))
    text = _LONE_POSSESSIVE.sub("' ", _SPACED_QUOTES.sub(r"'\1'", text))
    text = re.sub(r" ([,;])(?=[A-Za-z])", r"\1 ", _SPACE_BEFORE_STOP.sub(r"\1", text))
    text = re.sub(r"(?<=[(\[{]) +| +(?=[)\]}])|(?<=[$£€¥]) +(?=\d)", "", text)
    if text.count('"') % 2 == 0:
        text = _QUOTED.sub(r'"\1"', text)
    return text


def _contract(match: re.Match[str]) -> str:
    word, suffix = match.groups()
    shouted = len(word) > 1 and word.isupper()
    return f"{word}'{suffix if shouted else suffix.lower()}"


def _mend_chinese(text: str) -> str:
    """No space beside a Chinese character or before a stop; half-width stops beside one become full-width."""
    text = _SPACE_AT_CJK.sub("", text)
    text = re.sub(r" +(?=[.,!?;:~…%])", "", text)
    text = _HALF_WIDTH_STOP.sub(lambda m: m.group().translate(_FULL_WIDTH), text)
    return _SPACE_AT_CJK.sub("", text)  # beside the new stops

"""A text in parts that an engine says well: none too long, each with a stop at its end.

    Well, we went there on Monday, because the shop was shut on Sunday and nobody had told us.
    ──────────── at most 12 words ────────────────────────────────────────────────────────────
    Well, we went there on Monday.   because the shop was shut on Sunday and nobody had told us.

Where it may be cut, best place first: after a sentence, after `; :`, after a comma, before a conjunction,
between any two words; inside a word never. Speech servers take a request of some sixty characters or forty
words as one chunk, and cut a longer one by rules of their own, which do not know commas.
"""

import re
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from pipeline.core.tokens import tokenize
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language

LONGEST = {Language.ZH: 60, Language.EN: 45}
"""Words of one part (in Mandarin: characters), where nothing else is said. What CosyVoice says in one chunk."""

_STOP = {Language.ZH: "。", Language.EN: "."}
_CLOSING = "\"'”’）)】]》」』"
_OPENING = "“‘（(【[《「『"
_ENDING = ".?!。？！…"
_SHORTEST = 4
"""Shorter parts are what engines garble."""


class _Border(Enum):
    """What stands between two words."""

    SENTENCE = auto()
    CLAUSE = auto()
    COMMA = auto()
    CONJUNCTION = auto()
    WORD = auto()


_MARKS = ((_Border.SENTENCE, _ENDING), (_Border.CLAUSE, ";:；：—"), (_Border.COMMA, ",，、"))
_CONJUNCTION = {
    Language.EN: re.compile(
        r"(?:and|but|or|so|because|although|though|while|when|if|that|which|who|where|until|unless|since|before|after"
        r"|then)\b",
        re.IGNORECASE,
    ),
    Language.ZH: re.compile(
        "但是|可是|不过|而且|并且|所以|因为|因此|然后|或者|还有|如果|虽然|于是|只是|只要|只有|即使|无论|以及|同时|另外|接着"
    ),
}


def for_engine(text: str, language: Language) -> str:
    """The text with a stop at its end: without one, engines swallow or draw out short lines.

    >>> for_engine("嗯", Language.ZH), for_engine("Really?", Language.EN), for_engine("Well,", Language.EN)
    ('嗯。', 'Really?', 'Well.')
    """
    bare = text.strip()
    if bare.rstrip(_CLOSING + " ").endswith(tuple(_ENDING)):
        return bare
    return bare.rstrip(" ,;:，；：、—–") + _STOP[language]


def split_clauses(
    text: str, language: Language, longest: int | None = None, max_chars: int | None = None
) -> tuple[str, ...]:
    """Parts of at most `longest` words (None: as many as an engine says in one chunk) and `max_chars` code points.

    The words of the parts are those of the text, in order. Of all ways to cut, the one that does the least
    harm: as few cuts as can be at the worst kind of place, no part of under four words where that can be
    helped, then as few parts as can be and those of like length. A single word longer than `max_chars`
    stays whole.

    >>> split_clauses("我先去超市买点菜，然后回家做饭，你早点回来。", Language.ZH, longest=10)
    ('我先去超市买点菜。', '然后回家做饭。', '你早点回来。')
    """
    limit = LONGEST[language] if longest is None else longest
    if limit < 1 or (max_chars is not None and max_chars < 1):
        raise ConfigError(
            f"split_clauses: wanted 1 word and character or more, got {longest} and {max_chars}"
        )
    pieces = _pieces(text, language)

    def part(start: int, end: int) -> str:
        return for_engine(text[pieces[start].start : pieces[end - 1].end], language)

    best = [_Plan(_NO_HARM, 0)]
    for end in range(1, len(pieces) + 1):
        starts = [end - 1]
        starts += [
            start
            for start in range(max(end - limit, 0), end - 1)
            if max_chars is None or len(part(start, end)) <= max_chars
        ]
        best.append(min(_plan(best[start].harm, pieces, start, end) for start in starts))
    cuts = [len(pieces)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]].start)
    cuts.reverse()
    return tuple(part(start, end) for start, end in pairwise(cuts))


class _Piece(NamedTuple):
    """A word with its openers, and the punctuation and space behind it."""

    start: int
    end: int
    border: _Border
    """What a cut right behind it is."""


class _Harm(NamedTuple):
    """Compared from the left."""

    at_words: int
    at_conjunctions: int
    short: int
    at_commas: int
    at_clauses: int
    parts: int
    squares: int
    """Least where the parts are of one length."""


class _Plan(NamedTuple):
    """The best way to say the pieces up to some place."""

    harm: _Harm
    start: int
    """Of its last part."""


_NO_HARM = _Harm(0, 0, 0, 0, 0, 0, 0)


def _plan(before: _Harm, pieces: tuple[_Piece, ...], start: int, end: int) -> _Plan:
    """What was said before, and the pieces from `start` to `end` as one more part."""
    border = pieces[end - 1].border
    size = end - start
    part = _Harm(
        at_words=border is _Border.WORD,
        at_conjunctions=border is _Border.CONJUNCTION,
        short=size < _SHORTEST,
        at_commas=border is _Border.COMMA,
        at_clauses=border is _Border.CLAUSE,
        parts=1,
        squares=size * size,
    )
    return _Plan(_Harm(*(a + b for a, b in zip(before, part, strict=True))), start)


def _pieces(text: str, language: Language) -> tuple[_Piece, ...]:
    """Every word once; side by side they are the text."""
    tokens = tokenize(text)
    if not tokens:
        return ()
    ends = [_behind(text, end, after) for (_, _, end), (_, after, _) in pairwise(tokens)]
    borders = [
        _border(text, token_end, end, after, language)
        for (_, _, token_end), end, (_, after, _) in zip(tokens, ends, tokens[1:], strict=False)
    ]
    return tuple(
        _Piece(start, end, border)
        for start, end, border in zip(
            [0, *ends], [*ends, len(text)], [*borders, _Border.SENTENCE], strict=True
        )
    )


def _behind(text: str, start: int, end: int) -> int:
    """Where the piece of the next word begins: at its openers."""
    while end > start and text[end - 1] in _OPENING:
        end -= 1
    return end


def _border(text: str, start: int, end: int, after: int, language: Language) -> _Border:
    """What stands in `text[start:end]`, behind one word and before the openers of that at `after`."""
    between = text[start:end]
    if language is Language.EN and between and not between[-1].isspace():
        return _Border.WORD  # `3.5`, `and/or`
    for border, marks in _MARKS:
        if any(mark in between for mark in marks):
            return border
    return _Border.CONJUNCTION if _CONJUNCTION[language].match(text, after) else _Border.WORD

"""What all transcripts are read into: words, or turns, with their times in seconds."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from pipeline.domain.errors import ConfigError

_MARK = re.compile(r"^(\[(?!laughter-)[a-z_-]+\]|<[^>]*>)$")
_SOUNDS = frozenset({"[laughter]", "[vocalized-noise]"})
"""Marks of what comes out of a mouth."""


class SpokenWord(NamedTuple):
    """A word, or a turn where a corpus times nothing smaller, and when it was said."""

    start_s: Decimal
    end_s: Decimal
    text: str


SpeakerWords = tuple[tuple[str, tuple[SpokenWord, ...]], ...]
"""Words by start, per speaker, speakers by name."""


def by_speaker(rows: Iterable[tuple[str, SpokenWord]], keep_sounds: bool = True) -> SpeakerWords:
    """Rows of all speakers, sorted out. Rows of marks alone (`[silence]`, `<b_aside>`) are no words.

    Laughter is: whoever laughs is heard, and a listener who does is not silent. Its mark stays its text, by which
    `laughter_only` knows it. Turns are read without words, so that nothing would tell theirs from talk:
    `keep_sounds=False`.

    >>> so = SpokenWord(Decimal(1), Decimal(2), "so")
    >>> rows = [("B", so), ("A", so._replace(text="[noise]")), ("B", so._replace(text="[laughter]"))]
    >>> [(name, [word.text for word in words]) for name, words in by_speaker(rows)]
    [('A', []), ('B', ['[laughter]', 'so'])]
    """
    found: dict[str, list[SpokenWord]] = {}
    for speaker, word in rows:
        words, parts = found.setdefault(speaker, []), word.text.split()
        if not all(map(_MARK.match, parts)) or (keep_sounds and not _SOUNDS.isdisjoint(parts)):
            words.append(word)
    return tuple((name, tuple(sorted(found[name]))) for name in sorted(found))


def spoken_word(start: str | Decimal, end: str | Decimal, text: str, place: str) -> SpokenWord:
    """A word with the times that a file states in seconds. Raises ConfigError naming the place."""
    try:
        start_s, end_s = Decimal(start), Decimal(end)
    except InvalidOperation as error:
        raise ConfigError(f"{place}: {start!r} to {end!r}: wanted two times in seconds") from error
    if not (start_s.is_finite() and end_s.is_finite() and 0 <= start_s <= end_s):
        raise ConfigError(f"{place}: {text!r} from {start_s} to {end_s} s: wanted 0 <= start <= end")
    return SpokenWord(start_s, end_s, text)


def read_text(path: Path) -> str:
    """The text of a transcript. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({error})") from error


def numbered_lines(path: Path) -> list[tuple[str, str]]:
    """(place, line) of every line that is not empty."""
    lines = read_text(path).splitlines()
    return [(f"{path}:{number}", line) for number, line in enumerate(lines, start=1) if line.strip()]

"""What the engine misreads, spelled so that it does not.

It spells out words without a vowel ("Mm-hmm" becomes "em em aitch em"), which is what backchannels are
made of, and its Mandarin has no syllables xiong, qiong and jiong: 熊 comes out as the English letters.
Between `[[` and `]]` it takes its own phoneme names instead of text::

    text      熊    猫 。               M m - h m m .
    engine    [[S;j'ong35]]猫。         [[m'mh@m]].
    origin    00000000000001 2          0000000000 7

Only the engine sees this; a clip's words stay those of its text.
"""

import re
from dataclasses import dataclass

from pipeline.core.tokens import tokenize
from pipeline.domain.labels import Language

# Whole words, lower case; the first that matches wins.
ENGLISH: tuple[tuple[str, str], ...] = (
    (r"m+-?h+m+", "[[m'mh@m]]"),
    (r"h+m+", "[[h'm-]]"),
    (r"m{2,}", "[[m'm-]]"),
    (r"s+h+", "[[S:]]"),
    (r"u+h{2,}", "uh"),
    (r"e+w{2,}", "ew"),
    (r"a+w{2,}", "aw"),
)
_TONES = ("", "55", "35", "214", "51")
MANDARIN: dict[str, str] = {
    char: f"[[{phonemes}{_TONES[tone]}]]"
    for phonemes, by_tone in (
        ("S;j'ong", {1: "兄凶胸汹匈", 2: "雄熊"}),
        ("tS;hj'ong", {2: "穷琼穹"}),
        ("tS;j'ong", {3: "炯迥窘囧"}),
    )
    for tone, chars in by_tone.items()
    for char in chars
}
_DRAWN_OUT_END = re.compile(r"([a-z])\1{2,}$", re.IGNORECASE)
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A text as the engine gets it."""

    text: str
    origin: tuple[int, ...]
    """For every code point of `text` and its end: the code point of the original that it stands for."""

    def position(self, engine_position: int) -> int:
        """The place in the original text that the engine speaks of."""
        return self.origin[min(max(engine_position, 0), len(self.text))]


def spell(text: str, language: Language) -> Spelled:
    """Replace words that the engine misreads, straighten apostrophes, and remember where everything was."""
    parts: list[str] = []
    origin: list[int] = []
    position = 0
    for word, start, end in tokenize(text):
        between = text[position:start].replace("\n", " ")
        parts.append(between)
        origin.extend(range(position, start))
        spelled = MANDARIN.get(word, word) if language is Language.ZH else _english(word)
        parts.append(spelled)
        origin.extend(range(start, end) if len(spelled) == end - start else [start] * len(spelled))
        position = end
    parts.append(text[position:].replace("\n", " "))
    origin.extend(range(position, len(text) + 1))
    return Spelled("".join(parts).replace("\u2019", "'"), tuple(origin))


def _english(word: str) -> str:
    for pattern, spelled in ENGLISH:
        if re.fullmatch(pattern, word.lower()):
            return spelled
    return _DRAWN_OUT.sub(r"\1\1", _DRAWN_OUT_END.sub(r"\1", word))

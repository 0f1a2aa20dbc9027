"""What a rule is, and the rules that both languages share."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\u3007"
"""For a character class; the same set as in `pipeline.core.tokens`."""


NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
"""A pattern: `7`, `1,250`, `3.5`."""
DASH = r"\s?[\-\u2012-\u2014~]\s?"
"""A pattern: what stands between the ends of a range."""

INSIDE_A_CODE = r"(?<=[A-Z])\d+(?=[A-Z])|(?<![a-z][a-z][a-z])(?<=[a-z])\d+(?=[a-z])"
"""A pattern: the digits of `YJ11D57E`, but not those of `iPhone15Pro`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rewriting step. Order matters: a rule may rely on those before it."""

    name: str
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]

    def apply(self, text: str) -> str:
        """Rewrite every match."""
        return self.pattern.sub(self.replacement, text)


def rule(name: str, pattern: str, replacement: str | Callable[[re.Match[str]], str], flags: int = 0) -> Rule:
    """One row of a table."""
    return Rule(name, re.compile(pattern, flags), replacement)


def alternatives(names: Iterable[str]) -> str:
    """A pattern for any of the names, the longest first.

    >>> alternatives(["m", "m/s"])
    'm/s|m'
    """
    return "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))


def refuse(what: str) -> Callable[[re.Match[str]], str]:
    """A replacement that raises: reading this aloud would be a guess."""

    def replacement(match: re.Match[str]) -> str:
        raise RecordError(
            Reason.UNSPEAKABLE_TEXT,
            f"speakable: wanted words, got {what} {match.group()!r} in {match.string!r}",
        )

    return replacement


def round_brackets(direction: str, comma: str, gap: str) -> Rule:
    """What stands in round brackets goes where it is a stage direction, and is said between commas otherwise.

    >>> round_brackets("[a-z]+", ", ", " ").apply("Yes(sighs)I know(it was late).")
    'Yes I know, it was late, .'
    """
    whole = re.compile(rf"(?:{direction})?")

    def replacement(match: re.Match[str]) -> str:
        inside = match[1].strip()
        return gap if whole.fullmatch(inside) else f"{comma}{inside}{comma}"

    return rule("round brackets", r"\(([^()]*)\)", replacement)


_ACTION = r"(?:[a-z]+(?:s|ing)|[Ll]augh|[Ss]igh|[Cc]ough|[Pp]ause)"

_HAN_ACTION = "笑|叹气|叹息|咳嗽|哭|点头|摇头|停顿|沉默|耸肩|挠头|捂脸"

SHARED: tuple[Rule, ...] = (
    rule("apostrophe", r"[\u2018\u2019\u02bc\u2032]", "'"),
    rule("emoticon", rf"(?<![^\s{HAN}])(?:[:;=]['\-]?[)(\]\[DPpOo/|]|<3|\^_?\^|T_T|[xX]D)(?!\w)", " "),
    rule("markup tag", r"</?[A-Za-z][^<>]*>", " "),
    rule("stage direction", r"\[[^\[\]]*\]|\{[^{}]*\}|【[^【】]{0,4}】|<(?=[^\s\d])[^<>\d]*>", " "),
    rule(
        "starred action",
        rf"\*+\s*{_ACTION}(?:\s+\w+){{0,3}}\s*\*+|\*+[{HAN}]{{0,2}}(?:{_HAN_ACTION})\*+",
        " ",
    ),
    rule("emphasis", r"(?<!\w)(\*{1,3}|__?|~~|`+)(?=\S)([^*_~`]+?)(?<=\S)\1(?!\w)", r"\2"),
)


def plain_characters(text: str) -> str:
    """Compatibility forms unified, emoji and invisible characters gone, every digit one of 0-9.

    >>> plain_characters("Ｏｋ ☺ ② ½")
    'Ok   2 1/2'
    """
    for mark in "©®™℠":
        text = text.replace(mark, "")
    listed = re.sub(r"，(?=\d)|(?<!\d)：(?=\d)", r"\g<0> ", text)  # full-width, so no part of a number
    mixed = re.sub(r"(?<=\d)(?=[\u00bc-\u00be\u2150-\u215e])", " ", listed)
    unified = unicodedata.normalize("NFKC", mixed).replace("\u2044", "/")
    return "".join(_plain(char) for char in unified)


def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category in ("Cc", "Zs", "Zl", "Zp") or (category in ("So", "Cn", "Co", "Cs") and char != "°"):
        return " "
    return "" if category in ("Cf", "Mn", "Me", "Sk") and char not in "`^" else char


def digit_by_digit(digits: str, names: str | tuple[str, ...], separator: str) -> str:
    """Telephone style; anything that is no digit is dropped.

    >>> digit_by_digit("5-0", ("zero", "one", "two", "three", "four", "five"), " ")
    'five zero'
    """
    return separator.join(names[int(digit)] for digit in digits if digit.isdigit())

"""English numerals."""

import re
from decimal import Decimal

from num2words import num2words

from pipeline.core.speakable.rules import digit_by_digit

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ROMAN = r"(?=[IVX]{2}|V)X{0,3}(?:IX|IV|V?I{0,3})"
"""II to XXXIX. A lone I is the pronoun far more often than a numeral, and a lone X is a name."""

_LONGEST = 15
_ROMAN_VALUES = (("X", 10), ("IX", 9), ("V", 5), ("IV", 4), ("I", 1))


def cardinal(number: str) -> str:
    """`1,250.50` -> `one thousand two hundred and fifty point five zero`"""
    whole, _, fraction = number.replace(",", "").partition(".")
    if (len(whole) > 1 and whole.startswith("0")) or len(whole) > _LONGEST:
        words = spelled(whole)
    else:
        words = str(num2words(int(whole or "0"))).replace(",", "")
    return f"{words} point {spelled(fraction)}" if fraction else words


def ordinal(number: str) -> str:
    """`1,000` -> `one thousandth`"""
    return str(num2words(int(number.replace(",", "")), to="ordinal")).replace(",", "")


def year(number: str) -> str:
    """`1905` -> `nineteen oh-five`, `2015` -> `twenty fifteen`, `2005` -> `two thousand and five`."""
    if 2010 <= int(number) <= 2099:
        return f"twenty {cardinal(number[2:])}"
    return str(num2words(int(number), to="year")).replace(",", "")


def spelled(number: str) -> str:
    """`555-0123` -> `five five five zero one two three`"""
    return digit_by_digit(number, DIGITS, " ")


def counted(number: str, one: str, many: str) -> str:
    """`("1", "mile", "miles")` -> `one mile`"""
    return f"{cardinal(number)} {one if Decimal(number.replace(',', '')) == 1 else many}"


def read_roman(numeral: str) -> str:
    """`XIV` -> `14`"""
    value, rest = 0, numeral
    for name, worth in _ROMAN_VALUES:
        while rest.startswith(name):
            value, rest = value + worth, rest.removeprefix(name)
    return str(value)


def is_adjective(match: re.Match[str]) -> bool:
    """Whether an amount stands between an article and a noun, where English takes the singular.

    `a $20 bill` -> `a twenty dollar bill`, but `a total of $20 more` -> `... twenty dollars more`.
    """
    before, after = match.string[: match.start()], match.string[match.end() :]
    return bool(re.search(r"\b[Aa]n?\s+$", before) and re.match(r"\s+[a-z]", after))

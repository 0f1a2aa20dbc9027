"""English: numbers in the company they keep, from telephone numbers down to plain digits."""

import re

from pipeline.core.speakable.english_calendar import DATES, HOURS, ISO_DATE
from pipeline.core.speakable.english_numerals import (
    ROMAN,
    cardinal,
    counted,
    is_adjective,
    ordinal,
    read_roman,
    spelled,
    year,
)
from pipeline.core.speakable.english_units import CURRENCIES, DOTTED_UNITS, PER, SCALES, UNITS
from pipeline.core.speakable.rules import (
    DASH,
    INSIDE_A_CODE,
    NUMBER,
    Rule,
    alternatives,
    round_brackets,
    rule,
)

_LONG_SCALES = alternatives(scale for scale in SCALES if len(scale) > 2)
_SCALE = rf"(?:\s*(?P<scale>{_LONG_SCALES})\b|(?P<suffix>[KkMmB]|bn|tn)\b)?"
_CURRENCY = alternatives(CURRENCIES)
_CODE = alternatives(name for name in CURRENCIES if name.isalpha())
_UNIT = alternatives(UNITS)
_DOTTED = alternatives(DOTTED_UNITS)
_PER = alternatives(PER)
_DIRECTION = r"[A-Za-z'\-]+(?:\s+[A-Za-z'\-]+){0,2}[.!]?"
"""Up to three words in round brackets are a stage direction."""


def _spelled(match: re.Match[str]) -> str:
    return f" {spelled(match.group())} "


def _country_code(match: re.Match[str]) -> str:
    return f" plus {spelled(match.group())} "


def _money(match: re.Match[str]) -> str:
    """`$12.50` -> `twelve dollars and fifty cents`, `$5M` -> `five million dollars`"""
    amount, scale = match["amount"], match["scale"] or match["suffix"]
    one, many, cent, cents = CURRENCIES[match["symbol"].strip()]
    if is_adjective(match):
        many, cents = one, cent
    if scale:
        return f"{cardinal(amount)} {SCALES[scale.lower()]} {many}"
    whole, _, fraction = amount.partition(".")
    if len(fraction) != 2:
        return counted(amount, one, many)
    parts = []
    if whole.strip("0,") or fraction == "00":
        parts.append(counted(whole or "0", one, many))
    if int(fraction):
        parts.append(counted(str(int(fraction)), cent, cents))
    return " and ".join(parts)


def _fraction(match: re.Match[str]) -> str:
    """`1/2` -> `one half`, `7/10` as a mark -> `seven out of ten`, `120/80` -> `... over eighty`"""
    above, below = int(match["above"]), int(match["below"])
    fixed = {(24, 7): "twenty-four seven", (50, 50): "fifty fifty", (9, 11): "nine eleven"}.get(
        (above, below)
    )
    whole = f"{cardinal(match['whole'])} and " if match["whole"] else ""
    if fixed:
        return f"{whole}{fixed}"
    after = match.string[match.end() :]
    is_mark = re.match(r"\s+stars?\b", after) or (below in (10, 100) and not re.match(r"\s+of\b", after))
    if is_mark and not whole and above <= below:
        return f"{cardinal(match['above'])} out of {cardinal(match['below'])}"
    if not above or not 2 <= below <= 100 or above >= below:
        return f"{whole}{cardinal(match['above'])} over {cardinal(match['below'])}"
    name = {2: "half", 4: "quarter"}.get(below) or ordinal(str(below))
    return f"{whole}{counted(str(above), name, 'halves' if below == 2 else f'{name}s')}"


def _with_unit(match: re.Match[str]) -> str:
    one, many = UNITS[match["unit"]]
    return counted(match["number"], one, one if is_adjective(match) else many)


def _degrees(match: re.Match[str]) -> str:
    scale = {"C": " Celsius", "F": " Fahrenheit"}.get(match["scale"] or "", "")
    return counted(match["number"], "degree", "degree" if is_adjective(match) else "degrees") + scale


def _code_number(match: re.Match[str]) -> str:
    """Digits that touch letters: `B2` -> `B two`, `TR1234` -> `TR one two three four`."""
    digits = match.group().strip("-")
    return f" {cardinal(digits) if len(digits) < 3 else spelled(digits)} "


_COUNTED_THINGS = r"(?!\s+[a-z]+s\b)"
_CODE_WORD = (
    r"(?i:PIN|code|zip|passcode|password|extension|ID|room|suite|flight"
    r"|(?:order|account|confirmation|serial|room|flight) number)"
)
_MONARCH = alternatives(
    ("Henry", "Louis", "Elizabeth", "George", "Charles", "Edward", "Richard", "William", "James", "Philip", "Pius",
     "Napoleon", "Catherine", "Benedict", "Alexander", "John Paul")
)  # fmt: skip
_NUMBERED = r"(?:World War|War|Chapter|Part|Volume|Phase|Act|Section|Level|Book|Stage|[Tt]ype|Class|Episode|Rocky|Mark)"

_LONG_NUMBERS: tuple[Rule, ...] = (
    rule("pension plan", r"\b401\s?(?:\([kK]\)|[kK]\b)", "four oh one K"),
    rule("round brackets around an area code", r"\((\d{3})\)\s*(?=\d{3}-\d{4})", r"\1-"),
    round_brackets(_DIRECTION, comma=", ", gap=" "),
    rule("number of a point", r"(?<=\d)\)\s*", ", "),
    rule("extension", r"\b[Ee]xt\.\s?(?=\d)", "extension "),
    rule("telephone with country code", r"\+\d{1,3}(?:[\s\-]?\d{2,}){2,}", _country_code),
    ISO_DATE,
    rule(
        "telephone",
        r"(?<![\d.])(?:\d-)?(?:\d{3}[\-. ])?(?:\d{3}[\-. ]|\d{3}\s?-\s?\d{3,4}\s?-\s?)\d{4}(?![\d.]*\d)",
        _spelled,
    ),
    rule(
        "named telephone",
        r"(?i:((?:number|phone|mobile)(?:\s(?:is|was))?:?\s))(\d[\d\s\-]{5,}\d)(?!\d)",
        lambda m: m[1] + spelled(m[2]),
    ),
    rule("long number", r"(?<![\d.$£€¥])\d{7,}(?![\d.]*\d)", _spelled),
    rule("emergency number", r"(?<![\d.$£€¥])(?<!\d,)911(?![\d,.]*\d)", _spelled),
    rule(
        "short telephone",
        rf"(?<=\b[Cc]all\s|\b[Dd]ial\s|\b[Tt]ext\s)\d{{3}}(?![\d,.]*\d){_COUNTED_THINGS}",
        _spelled,
    ),
    rule(
        "code",
        rf"(\b{_CODE_WORD}(?:\s(?:is|was))?:?\s#?)(\d{{3,}})(?![\d,.]*\d){_COUNTED_THINGS}",
        lambda m: m[1] + spelled(m[2]),
    ),
)
_BETWEEN: tuple[Rule, ...] = (
    rule("difference", rf"(?<=\d)\s?[\-\u2212]\s?(?=(?:{NUMBER})\s?=)", " minus "),
    rule("product", rf"(?<=\d)\s?\*\s?(?=\d)|(?<=\d)\s?x\s?(?=(?:{NUMBER})\s?=)", " times "),
    rule("area", r"(?<=\d)\s?x\s?(?=\d)", " by "),
    rule("times", r"(?<=\d)x\b", " times"),
    rule("all the time", r"\b24-7\b", "24/7"),
    rule(
        "range of hours",
        rf"(?:(?<=\d[apAP][mM])|(?<=[apAP]\.[mM]\.)|(?<=\d\s[apAP][mM])){DASH}(?=\d)",
        " to ",
    ),
    rule("range", rf"(?<=[\d%]){DASH}(?=[$£€¥]?\d)", " to "),
)
_AMOUNTS: tuple[Rule, ...] = (
    rule("per", rf"(?:(?<=[\dKkMB%])|(?<=[a-z]s))\s?/\s?({_PER})\b", lambda m: f" per {PER[m[1]]}"),
    rule("minus", r"(?<![\w\-])[\-\u2212](?=[$£€¥]?\.?\d)", "minus "),
    rule(
        "range of money",
        rf"(?P<symbol>[$£€¥])\s?({NUMBER}) to (?=\d)",
        lambda m: f"{cardinal(m[2])} to {m[1]}",
    ),
    rule("cents", r"(\d+)\s?¢", lambda m: counted(m[1], "cent", "cents")),
    rule("money", rf"(?P<symbol>(?<![A-Za-z])(?:{_CURRENCY})\s*)(?P<amount>{NUMBER}|\.\d\d){_SCALE}", _money),
    rule("money, currency last", rf"(?P<amount>{NUMBER}){_SCALE}\s?(?P<symbol>{_CODE})\b", _money),
    rule(
        "fraction",
        r"(?<![\d/.])(?:(?P<whole>\d+)[\s\-])?(?P<above>\d+)\s?/\s?(?P<below>\d+)(?![\d/])",
        _fraction,
    ),
    rule("ratio", r"(?<=\d)\s?:\s?(?=\d)", " to "),
    rule("ordinal", r"\b(\d{1,3}(?:,\d{3})*|\d{1,6})(?:st|nd|rd|th)\b", lambda m: ordinal(m[1])),
    rule("number sign", r"#\s?(?=\d)|\b[Nn]o\.\s?(?=\d)|№\s?(?=\d)", "number "),
    rule("about", r"[~≈]\s?(?=\d)", "about "),
    rule("percent", r"(?<=\d)\s?%", " percent"),
    rule("degrees", rf"(?P<number>{NUMBER})\s?°(?:\s?(?P<scale>[CF])\b)?", _degrees),
    rule(
        "feet and inches", r"\b(\d)'(\d{1,2})(?:\"|'')", lambda m: f"{cardinal(m[1])} foot {cardinal(m[2])}"
    ),
    rule(
        "inches", rf"(\b(?:[Aa]n?|the|my|your|this)\s)({NUMBER})\"(?=\s[a-z])", lambda m: f"{m[1]}{m[2]}-inch"
    ),
    rule("unit with a stop", rf"(?<=\d)(\s?)({_DOTTED})\.(?=\s+[a-z])", r"\1\2"),
    rule("unit", rf"(?<![\w.])(?P<number>{NUMBER})\s?(?P<unit>{_UNIT})(?![\w/])", _with_unit),
)

NUMBERS: tuple[Rule, ...] = (
    *_LONG_NUMBERS,
    *DATES,
    *_BETWEEN,
    *HOURS,
    *_AMOUNTS,
    rule(
        "year",
        rf"(?<![\d.\w])(?<!\d,)((?:19|20)\d\d)(?![\d\w]|[.,]\d|\s+(?:{_LONG_SCALES}|people|dollars))",
        lambda m: year(m[1]),
    ),
    rule("early year", r"(?<=\b[Ii]n )1[1-8]\d\d(?=\s*(?:[,.;!?]\D|[,.;!?]?$))", lambda m: year(m.group())),
    rule(
        "compound of two",
        r"(?<![\w.,])(\d{1,2})-(to|in)-(\d{1,2})(?!\w)",
        lambda m: f"{cardinal(m[1])}-{m[2]}-{cardinal(m[3])}",
    ),
    rule(
        "compound", rf"(?<![\w.,])({NUMBER})-(?=[A-Za-z])", lambda m: f"{cardinal(m[1]).replace(' ', '-')}-"
    ),
    rule("version", r"\b[vV](?:er)?\.?\s?(?=\d+\.\d)", "version "),
    rule("digits inside a code", INSIDE_A_CODE, _spelled),
    rule("digits that touch letters", r"(?<=[A-Za-z])-?\d+|\d+-?(?=[A-Za-z])", _code_number),
    rule(
        "monarch", rf"\b({_MONARCH}) ({ROMAN})\b", lambda m: f"{m[1]} the {ordinal(read_roman(m[2])).title()}"
    ),
    rule(
        "numbered with letters",
        rf"\b({_NUMBERED}) ({ROMAN})\b",
        lambda m: f"{m[1]} {cardinal(read_roman(m[2]))}",
    ),
    rule("decimal without a zero", r"(?<![\d.\w])\.(?=\d)", "0."),
    rule("several points", r"(?<=\d)\.(?=\d+\.\d)|(?<=\d\.\d)\.(?=\d)", " point "),
    rule("number", NUMBER, lambda m: f" {cardinal(m.group())} "),
)

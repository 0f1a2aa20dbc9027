"""English: what is written and what is said."""

import re
from decimal import Decimal

from num2words import num2words

from pipeline.core.speakable.rules import Rule, digit_by_digit, round_brackets, rule

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = "|".join(_MONTHS)
_SHORT_MONTHS = {month[:3]: month for month in _MONTHS if month != "May"} | {"Sept": "September"}
_SCALE = r"(?:thousand|million|billion|trillion)"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yuan", "yuan", "fen", "fen"),
}
_UNITS = {
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "ml": ("milliliter", "milliliters"),
    "lbs": ("pound", "pounds"),
    "lb": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ft": ("foot", "feet"),
    "mi": ("mile", "miles"),
    "yrs": ("year", "years"),
    "hrs": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "mins": ("minute", "minutes"),
    "min": ("minute", "minutes"),
    "secs": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "GB": ("gigabyte", "gigabytes"),
    "MB": ("megabyte", "megabytes"),
    "m": ("meter", "meters"),
    "g": ("gram", "grams"),
    "L": ("liter", "liters"),
}
_ABBREVIATIONS = {
    r"Mr\.?": "Mister",
    r"Mrs\.?": "Missus",
    r"Ms\.": "Miss",
    r"Dr\.": "Doctor",
    r"Prof\.": "Professor",
    r"Jr\.": "Junior",
    r"Sr\.": "Senior",
    r"Mt\.": "Mount",
    r"vs\.?": "versus",
    r"approx\.": "approximately",
    r"dept\.": "department",
    r"appt\.": "appointment",
    r"Ave\.": "Avenue",
    r"Blvd\.": "Boulevard",
    r"Inc\.": "Incorporated",
    r"Ltd\.": "Limited",
    r"e\.g\.,?": "for example,",
    r"i\.e\.,?": "that is,",
    r"a\.k\.a\.": "also known as",
    r"Ph\.?D\.?": "PhD",
}


def _cardinal(number: str) -> str:
    """`1,250.50` -> `one thousand two hundred and fifty point five zero`"""
    whole, _, fraction = number.replace(",", "").partition(".")
    if (len(whole) > 1 and whole.startswith("0")) or len(whole) > 15:
        words = digit_by_digit(whole, _DIGITS, " ")
    else:
        words = str(num2words(int(whole or "0"))).replace(",", "")
    return f"{words} point {digit_by_digit(fraction, _DIGITS, ' ')}" if fraction else words


def _ordinal(number: str) -> str:
    return str(num2words(int(number), to="ordinal")).replace(",", "")


def _year(number: str) -> str:
    """`1905` -> `nineteen oh-five`, `2015` -> `twenty fifteen`, `2005` -> `two thousand and five`."""
    if 2010 <= int(number) <= 2099:
        return f"twenty {_cardinal(number[2:])}"
    return str(num2words(int(number), to="year")).replace(",", "")


def _is_one(number: str) -> bool:
    return Decimal(number.replace(",", "")) == 1


def _spelled(match: re.Match[str]) -> str:
    return f" {digit_by_digit(match.group(), _DIGITS, ' ')} "


def _country_code(match: re.Match[str]) -> str:
    return f" plus {digit_by_digit(match.group(), _DIGITS, ' ')} "


def _money(match: re.Match[str]) -> str:
    symbol, amount, scale = match["symbol"], match["amount"], match["scale"]
    one, many, cent, cents = _CURRENCIES[symbol]
    if scale:
        return f"{_cardinal(amount)} {scale} {many}"
    whole, _, fraction = amount.partition(".")
    if len(fraction) != 2:
        return f"{_cardinal(amount)} {one if _is_one(amount) else many}"
    parts = []
    if int(whole.replace(",", "")) or not int(fraction):
        parts.append(f"{_cardinal(whole)} {one if _is_one(whole) else many}")
    if int(fraction):
        parts.append(f"{_cardinal(str(int(fraction)))} {cent if int(fraction) == 1 else cents}")
    return " and ".join(parts)


def _clock(match: re.Match[str]) -> str:
    hour, minute, half = int(match["hour"]), int(match["minute"]), match["half"]
    spoken = [_cardinal(str(hour))]
    if minute:
        spoken.append(f"oh {_DIGITS[minute]}" if minute < 10 else _cardinal(str(minute)))
    elif not half:
        spoken.append("o'clock" if 1 <= hour <= 12 else "hundred hours")
    if half:
        spoken.append(f"{half[0].upper()}M")
    return " ".join(spoken)


def _hour(match: re.Match[str]) -> str:
    return f"{_cardinal(match['hour'])} {match['half'][0].upper()}M"


def _iso_date(match: re.Match[str]) -> str:
    return _date(int(match["year"]), int(match["month"]), int(match["day"]), match.group())


def _slash_date(match: re.Match[str]) -> str:
    """Month first, as in American English, unless that cannot be."""
    first, second = int(match["first"]), int(match["second"])
    month, day = (second, first) if first > 12 else (first, second)
    year = match["year"]
    return _date(int(year) if len(year) == 4 else 2000 + int(year), month, day, match.group())


def _date(year: int, month: int, day: int, written: str) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return digit_by_digit(written, _DIGITS, " ")
    return f"{_MONTHS[month - 1]} {_ordinal(str(day))}, {_year(f'{year:04d}')}"


def _month_day(match: re.Match[str]) -> str:
    year = f", {_year(match['year'])}" if match["year"] else ""
    return f"{match['month']} {_ordinal(match['day'])}{year}"


def _decade(match: re.Match[str]) -> str:
    spoken = _year(match["decade"]) if len(match["decade"]) == 4 else _cardinal(match["decade"])
    return re.sub("y$", "ie", spoken) + "s"


def _fraction(match: re.Match[str]) -> str:
    above, below = int(match["above"]), int(match["below"])
    whole = f"{_cardinal(match['whole'])} and " if match["whole"] else ""
    if (above, below) == (24, 7):
        return f"{whole}twenty-four seven"
    if not above or not 2 <= below <= 100 or above >= below:
        return f"{whole}{_cardinal(match['above'])} over {_cardinal(match['below'])}"
    name = {2: "half", 4: "quarter"}.get(below) or _ordinal(str(below))
    plural = "halves" if below == 2 else f"{name}s"
    return f"{whole}{_cardinal(str(above))} {name if above == 1 else plural}"


def _with_unit(match: re.Match[str]) -> str:
    one, many = _UNITS[match["unit"]]
    return f"{_cardinal(match['number'])} {one if _is_one(match['number']) else many}"


def _degrees(match: re.Match[str]) -> str:
    scale = {"C": " Celsius", "F": " Fahrenheit"}.get(match["scale"] or "", "")
    return f"{_cardinal(match['number'])} degree{'' if _is_one(match['number']) else 's'}{scale}"


def _code_number(match: re.Match[str]) -> str:
    """Digits that touch letters: `B2` -> `B two`, `TR1234` -> `TR one two three four`."""
    digits = match.group().strip("-")
    return f" {_cardinal(digits) if len(digits) < 3 else digit_by_digit(digits, _DIGITS, ' ')} "


def _letters(dotted: str) -> str:
    """`U.S.` -> `US`: speech engines read capitals as letters, and a lone A as the article"""
    return dotted.replace(".", "").upper()


_DIRECTION = r"[A-Za-z'\-]+(?:\s+[A-Za-z'\-]+){0,2}[.!]?"
"""Up to three words in round brackets are a stage direction."""

_UNIT = "|".join(re.escape(unit) for unit in _UNITS)
_END = r"(?=\s*$|\s+[A-Z])"
_HALF = r"(?P<half>[aApP]\.?\s?[mM]\b(?:\.(?!\s*$|\s+[A-Z]))?)"

NUMBERS: tuple[Rule, ...] = (
    rule("round brackets around an area code", r"\((\d{3})\)\s*(?=\d{3}-\d{4})", r"\1-"),
    round_brackets(_DIRECTION, comma=", ", gap=" "),
    rule("telephone with country code", r"\+\d{1,3}(?:[\s\-]?\d{2,}){2,}", _country_code),
    rule("ISO date", r"\b(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})\b", _iso_date),
    rule(
        "telephone",
        r"(?<![\d.])(?:\d-)?(?:\d{3}[\-. ])?(?:\d{3}[\-. ]|\d{3}\s?-\s?\d{3,4}\s?-\s?)\d{4}(?![\d.]*\d)",
        _spelled,
    ),
    rule("long number", r"(?<![\d.$£€¥])(?<!\d,)\d{7,}(?![\d.]*\d)", _spelled),
    rule("emergency number", r"(?<![\d.$£€¥])(?<!\d,)911(?![\d,.]*\d)", _spelled),
    rule(
        "slash date",
        r"\b(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<year>\d{4}|\d{2})\b",
        _slash_date,
    ),
    rule(
        "short month",
        rf"\b({'|'.join(sorted(_SHORT_MONTHS, key=len, reverse=True))})\b\.?(?=\s+\d)",
        lambda match: _SHORT_MONTHS[match[1]],
    ),
    rule(
        "month and day",
        rf"\b(?P<month>{_MONTH})\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b(?![:.]\d)(?:,?\s+(?P<year>\d{{4}})\b)?",
        _month_day,
    ),
    rule("range", r"(?<=\d)\s?[\-\u2013~]\s?(?=\d)", " to "),
    rule(
        "clock",
        rf"(?<![\d:.])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::00)?(?![\d:])(?:\s*{_HALF})?",
        _clock,
    ),
    rule("hour", rf"(?<![\d:.])(?P<hour>1[0-2]|0?[1-9])\s*{_HALF}", _hour),
    rule("decade", r"(?<![\d.$])(?<!\d,)'?(?P<decade>(?:1[1-9]|20)?\d0)'?s\b", _decade),
    rule(
        "money",
        rf"(?:US)?(?P<symbol>[$£€¥])\s*(?P<amount>{_NUMBER})(?:\s*(?P<scale>{_SCALE})\b)?",
        _money,
    ),
    rule(
        "fraction",
        r"(?<![\d/.])(?:(?P<whole>\d+)[\s\-])?(?P<above>\d+)\s?/\s?(?P<below>\d+)(?![\d/])",
        _fraction,
    ),
    rule(
        "ordinal",
        r"\b(\d{1,3}(?:,\d{3})*|\d{1,6})(?:st|nd|rd|th)\b",
        lambda m: _ordinal(m[1].replace(",", "")),
    ),
    rule("minus", r"(?<![\w\-])[\-\u2212](?=\d)", "minus "),
    rule("number sign", r"#\s?(?=\d)|\b[Nn]o\.\s?(?=\d)|№\s?(?=\d)", "number "),
    rule("about", r"~\s?(?=\d)", "about "),
    rule("percent", r"(?<=\d)\s?%", " percent"),
    rule("degrees", rf"(?P<number>{_NUMBER})\s?°\s?(?P<scale>[CF]\b)?", _degrees),
    rule(
        "feet and inches", r"\b(\d)'(\d{1,2})(?:\"|'')", lambda m: f"{_cardinal(m[1])} foot {_cardinal(m[2])}"
    ),
    rule("unit", rf"(?<![\w.])(?P<number>{_NUMBER})\s?(?P<unit>{_UNIT})(?![\w/])", _with_unit),
    rule(
        "year",
        rf"(?<![\d.\w])(?<!\d,)((?:19|20)\d\d)(?![\d\w]|[.,]\d|\s+(?:{_SCALE}|people|dollars))",
        lambda m: _year(m[1]),
    ),
    rule("compound", r"(?<![\w.])(\d{1,3})-(?=[A-Za-z])", lambda m: f"{_cardinal(m[1]).replace(' ', '-')}-"),
    rule("digits that touch letters", r"(?<=[A-Za-z])-?\d+|\d+-?(?=[A-Za-z])", _code_number),
    rule("decimal without a zero", r"(?<![\d.\w])\.(?=\d)", "0."),
    rule("several points", r"(?<=\d)\.(?=\d+\.\d)|(?<=\d\.\d)\.(?=\d)", " point "),
    rule("number", rf"(?:{_NUMBER})", lambda m: f" {_cardinal(m.group())} "),
)

WORDS: tuple[Rule, ...] = (
    rule("St. before a name", r"\bSt\.\s+(?=[A-Z])", "Saint "),
    rule("St. after a name", r"(?<=[a-z])\s+St\.", " Street"),
    rule("et cetera at the end", rf"\betc\.{_END}", "et cetera."),
    rule("et cetera", r"\betc\b\.?", "et cetera"),
    *(
        rule(f"abbreviation {written}", rf"\b{written}(?![\w])", spoken)
        for written, spoken in _ABBREVIATIONS.items()
    ),
    rule("without", r"\bw/o\b", "without"),
    rule("with", r"\bw/\s?(?=\w)", "with "),
    rule("because", r"\bb/c\b", "because"),
    rule("dotted letters at the end", rf"\b((?:[A-Za-z]\.){{2,}}){_END}", lambda m: _letters(m[1]) + "."),
    rule("dotted letters", r"\b(?:[A-Za-z]\.){2,}", lambda m: _letters(m.group()) + " "),
    rule("initial", r"(^|[.!?]\s|\b[A-Z][a-z]+\s)([A-HJ-Z])\.(?=\s+[A-Z][a-z])", r"\1\2"),
    rule("and or", r"\band/or\b", "and or"),
    rule("plus at the end", r"(?<=\w)\+(?!\w)", " plus "),
    *(
        rule(f"symbol {symbol}", rf"\s?{re.escape(symbol)}\s?", f" {spoken} ")
        for symbol, spoken in {
            "&": "and", "@": "at", "+": "plus", "=": "equals", "×": "times", "÷": "divided by",
            "%": "percent", "°": "degrees", "$": "dollars", "£": "pounds", "€": "euros", "¥": "yuan",
        }.items()
    ),
    rule("slash between words", r"(?<=[^\W\d_])\s?/\s?(?=[^\W\d_])", " or "),
)  # fmt: skip

PUNCTUATION: tuple[Rule, ...] = (
    rule("full-width", r"[。、《》「」『』〈〉]", lambda m: {"。": ".", "、": ","}.get(m.group(), " ")),
    rule(
        "ellipsis before a new sentence or the end", r"\s*\.(?:\s?\.)+(?=\s*(?:[\"\u201d]?\s*$|[A-Z]))", ". "
    ),
    rule("ellipsis", r"\s*\.(?:\s?\.)+", ", "),
    rule("dash", r"\s*(?:[\u2012-\u2015\u2212]|--+)\s*|\s+-+\s+|(?<![^\W\d_])-+|-+(?![^\W\d_])", ", "),
    rule("apostrophe that is a quote", r"(?<![^\W\d_])'|'(?![^\W\d_])", " "),
    rule("anything else", r"[^\w\s'\-,.?!;:]|_", " "),
    rule("space before punctuation", r"\s+(?=[,.?!;:])", ""),
    rule("question beats all", r"[,.?!;:]*\?[,.?!;:]*", "?"),
    rule("exclamation beats the rest", r"[,.!;:]*![,.!;:]*", "!"),
    rule("stop beats the rest", r"[,.;:]*\.[,.;:]*", "."),
    rule("one of several", r"([,;:])[,;:]+", r"\1"),
    rule("leading punctuation", r"^[\s,.?!;:]+", ""),
    rule("trailing comma", r"[\s,;:]+$", lambda m: "." if m.group().strip() else ""),
    rule("space after punctuation", r"([,.?!;:])(?=\w)", r"\1 "),
    rule("white space", r"\s+", " "),
)
"""The last word: only letters, apostrophes, hyphens and `, . ? ! ; :` are left."""

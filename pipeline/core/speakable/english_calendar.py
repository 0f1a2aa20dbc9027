"""English: dates, hours and years."""

import re

from pipeline.core.speakable.english_numerals import DIGITS, cardinal, counted, ordinal, spelled, year
from pipeline.core.speakable.rules import DASH, Rule, alternatives, rule

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = alternatives(_MONTHS)
_SHORT_MONTHS = {month[:3]: month for month in _MONTHS if month != "May"} | {"Sept": "September"}
_SHORT_MONTH = alternatives(_SHORT_MONTHS)
_WEEKDAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_WEEKDAY = alternatives(_WEEKDAYS)
_HALF = r"(?P<half>[aApP]\.?\s?[mM]\b(?:\.(?!\s*$|\s+[A-Z]))?)"


def _date(year_number: int, month: int, day: int, written: str) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return spelled(written)
    return f"{_MONTHS[month - 1]} {ordinal(str(day))}, {year(f'{year_number:04d}')}"


def _iso_date(match: re.Match[str]) -> str:
    return _date(int(match["year"]), int(match["month"]), int(match["day"]), match.group())


def _slash_date(match: re.Match[str]) -> str:
    """Month first, as in American English, unless that cannot be."""
    first, second = int(match["first"]), int(match["second"])
    month, day = (second, first) if first > 12 else (first, second)
    written = match["year"]
    return _date(int(written) if len(written) == 4 else 2000 + int(written), month, day, match.group())


def _month_day(match: re.Match[str]) -> str:
    spoken = f", {year(match['year'])}" if match["year"] else ""
    return f"{match['month']} {ordinal(match['day'])}{spoken}"


def _day_month(match: re.Match[str]) -> str:
    """`on 3 March` -> `on the third of March`, but `3 March hares` are hares."""
    sure = match["the"] or match["year"] or match["month"] not in ("March", "May")
    before = match.string[: match.start()]
    if not sure and not re.search(r"\b(?:on|by|until|till|since|from|before|after)\s$", before):
        return match.group()
    spoken = f", {year(match['year'])}" if match["year"] else ""
    return f"the {ordinal(match['day'])} of {match['month']}{spoken}"


def _decade(match: re.Match[str]) -> str:
    spoken = year(match["decade"]) if len(match["decade"]) == 4 else cardinal(match["decade"])
    return re.sub("y$", "ie", spoken) + "s"


def _clock(match: re.Match[str]) -> str:
    """`9:05 a.m.` -> `nine oh five AM`, `22:00` -> `twenty-two hundred hours`"""
    hour, minute, half = int(match["hour"]), int(match["minute"]), match["half"]
    spoken = [cardinal(str(hour))]
    if minute:
        spoken.append(f"oh {DIGITS[minute]}" if minute < 10 else cardinal(str(minute)))
    elif not half:
        spoken.append("o'clock" if 1 <= hour <= 12 else "hundred hours")
    if half:
        spoken.append(f"{half[0].upper()}M")
    return " ".join(spoken)


def _hour(match: re.Match[str]) -> str:
    return f"{cardinal(match['hour'])} {match['half'][0].upper()}M"


_DAY = r"(?P<day>[12]\d|3[01]|0?[1-9])"
_YEAR = r"(?:,?\s+(?P<year>\d{4})\b)"

ISO_DATE = rule("ISO date", r"\b(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})\b", _iso_date)
DATES: tuple[Rule, ...] = (
    rule(
        "slash date",
        r"\b(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<year>\d{4}|\d{2})\b",
        _slash_date,
    ),
    rule(
        "slash date without a year",
        r"(?<=\b[Oo]n\s)(?P<month>1[0-2]|0?[1-9])/(?P<day>[12]\d|3[01]|0?[1-9])\b(?![/\d])",
        lambda m: f"{_MONTHS[int(m['month']) - 1]} {ordinal(m['day'])}",
    ),
    rule(
        "range of weekdays",
        rf"\b({_WEEKDAY}){DASH}({_WEEKDAY})\b",
        lambda m: f"{_WEEKDAYS[m[1]]} to {_WEEKDAYS[m[2]]}",
    ),
    rule(
        "weekday before a date",
        rf"\b({_WEEKDAY})\b\.?(?=,?\s+(?:\d|{_MONTH}\b|(?:{_SHORT_MONTH})\b\.?\s+\d))",
        lambda m: _WEEKDAYS[m[1]],
    ),
    rule("short month", rf"\b({_SHORT_MONTH})\b\.?(?=\s+\d)", lambda m: _SHORT_MONTHS[m[1]]),
    rule(
        "month and day",
        rf"\b(?P<month>{_MONTH})\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b(?![:.]\d){_YEAR}?",
        _month_day,
    ),
    rule(
        "day and month",
        rf"(?P<the>\b[Tt]he\s+)?(?<![\d.,:/\-$£€]){_DAY}\s+(?:of\s+)?(?P<month>{_MONTH}|{_SHORT_MONTH})\b{_YEAR}?",
        _day_month,
    ),
)
HOURS: tuple[Rule, ...] = (
    rule(
        "clock with seconds",
        r"(?<![\d:.])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d):(?P<second>0[1-9]|[1-5]\d)(?![\d:])",
        lambda m: f"{m['hour']}:{m['minute']} and {counted(m['second'], 'second', 'seconds')}",
    ),
    rule(
        "clock",
        rf"(?<![\d:.])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::00)?(?![\d:])(?:\s*{_HALF})?",
        _clock,
    ),
    rule(
        "clock with a point",
        rf"(?<![\d:.])(?P<hour>1[0-2]|0?[1-9])\.(?P<minute>[0-5]\d)\s*{_HALF}",
        _clock,
    ),
    rule("hour", rf"(?<![\d:.])(?P<hour>1[0-2]|0?[1-9])\s*{_HALF}", _hour),
    rule("decade", r"(?<![\d.$])(?<!\d,)'?(?P<decade>(?:1[1-9]|20)?\d0)'?s\b", _decade),
)

"""Mandarin: what is written and what is said."""

import re

from pipeline.core.speakable.numerals import DIGITS, TELEPHONE, read_integer, read_number
from pipeline.core.speakable.rules import HAN, Rule, digit_by_digit, round_brackets, rule

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_CURRENCIES = {"¥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_UNITS = {
    "km/h": "公里每小时",
    "km2": "平方公里",
    "m2": "平方米",
    "m3": "立方米",
    "km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "kg": "公斤",
    "mg": "毫克",
    "ml": "毫升",
    "mL": "毫升",
    "m": "米",
    "g": "克",
    "L": "升",
}
_UNIT = "|".join(re.escape(unit) for unit in _UNITS)
_PAIRED = "个位次天年岁只条张本件家间种杯瓶份块片层点遍趟套双对碗盘斤米周口台辆首部场句把顿名"
"""Measure words that take 两 instead of 二."""


def _telephone(match: re.Match[str]) -> str:
    return digit_by_digit(match.group(), TELEPHONE, "")


def _date(match: re.Match[str]) -> str:
    month, day = match["month"].lstrip("0"), match["day"].lstrip("0")
    return f"{_by_digit(match['year'])}年{read_integer(month)}月{read_integer(day)}日"


def _by_digit(digits: str) -> str:
    return digit_by_digit(digits, DIGITS, "")


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match["hour"]), int(match["minute"])
    spoken = f"{'两' if hour == 2 else read_integer(str(hour))}点"
    if minute == 30:
        return f"{spoken}半"
    if not minute:
        return spoken
    return f"{spoken}{'零' if minute < 10 else ''}{read_integer(str(minute))}分"


def _code_number(match: re.Match[str]) -> str:
    """Digits that touch letters: `B2` -> `B二`, `TR1234` -> `TR幺二三四`."""
    digits = match.group().strip("-")
    return read_integer(digits) if len(digits) < 3 else digit_by_digit(digits, TELEPHONE, "")


def _fraction(match: re.Match[str]) -> str:
    return f"{read_number(match['below'])}分之{read_number(match['above'])}"


_DIRECTION = rf"(?:[{HAN}]{{1,4}}|[A-Za-z'\-]+(?:\s+[A-Za-z'\-]+){{0,2}})[。！!.]?"
"""Up to four characters in round brackets are a stage direction."""


NUMBERS: tuple[Rule, ...] = (
    round_brackets(_DIRECTION, comma="，", gap=""),
    rule(
        "mobile telephone",
        r"(?<![\d.])(?:\+?86[\s\-]?)?1[3-9]\d[\s\-]?\d{4}[\s\-]?\d{4}(?![\d.]*\d)",
        _telephone,
    ),
    rule("fixed telephone", r"(?<!\d)(?:0\d{2,3}|400|800)[\s\-]\d{3,8}(?:[\s\-]\d{3,4})?(?!\d)", _telephone),
    rule("emergency number", r"(?<=[打拨])(?:110|119|120|122|12306|12345)(?![\d,.]*\d)", _telephone),
    rule("long number", r"(?<![\d.¥$€£])(?<!\d,)\d{7,}(?![\d.]*\d|[元块万亿])", _telephone),
    rule(
        "date",
        r"(?<!\d)(?P<year>\d{4})[\-/.](?P<month>0?[1-9]|1[0-2])[\-/.](?P<day>0?[1-9]|[12]\d|3[01])(?!\d)",
        _date,
    ),
    rule("years from to", r"(?<!\d)(\d{4})\s?[\-\u2013~至]\s?(?=\d{4}年)", lambda m: f"{_by_digit(m[1])}到"),
    rule("year", r"(?<!\d)(\d{4}|0\d|[6-9]\d)年(?![前后以代来多])", lambda m: f"{_by_digit(m[1])}年"),
    rule("four-digit year", r"(?<!\d)((?:19|20)\d\d)年", lambda m: f"{_by_digit(m[1])}年"),
    rule("date with zeros", r"(?<!\d)0(?=[1-9][月日号点时分])", ""),
    rule("range", r"(?<=[\d%CF度元块点时天年月日号分])\s?[\-\u2013\u2014~]\s?(?=\d)", "到"),
    rule("range of weekdays", r"(?<=(?:周|期)[一二三四五六日])\s?[\-\u2013\u2014~]\s?(?=周|星期)", "到"),
    rule("clock", r"(?<![\d:])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::00)?(?![\d:])", _clock),
    rule("score", r"(?<=\d)\s?:\s?(?=\d)", "比"),
    rule(
        "money",
        rf"(?P<symbol>[¥$€£])\s?(?P<amount>{_NUMBER})(?P<scale>[万亿]*)元?",
        lambda m: f"{read_number(m['amount'])}{m['scale']}{_CURRENCIES[m['symbol']]}",
    ),
    rule("fraction", r"(?<![\d/.])(?P<above>\d+)\s?/\s?(?P<below>[1-9]\d*)(?![\d/])", _fraction),
    rule("percent", rf"({_NUMBER})\s?%", lambda m: f"百分之{read_number(m[1])}"),
    rule("minus", r"(?<![\w\-])[\-\u2212](?=\d)", "负"),
    rule("number sign", r"(?:#|№|\b[Nn]o\.?)\s?(?=\d)", "第"),
    rule("about", r"~\s?(?=\d)", "大约"),
    rule("Celsius", rf"({_NUMBER})\s?°C", lambda m: f"{read_number(m[1])}摄氏度"),
    rule("Fahrenheit", rf"({_NUMBER})\s?°F", lambda m: f"{read_number(m[1])}华氏度"),
    rule("degrees", r"°", "度"),
    rule(
        "unit",
        rf"({_NUMBER})\s?({_UNIT})(?![A-Za-z\d/])",
        lambda m: f"{'两' if m[1] == '2' else read_number(m[1])}{_UNITS[m[2]]}",
    ),
    rule(
        "two of something",
        rf"(?<![\d.第A-Za-z])(?<!\d,)2\s?(?=[{_PAIRED}万亿千]|公里|小时|分钟|星期|公斤)",
        "两",
    ),
    rule(
        "digits that touch letters",
        r"(?<=[A-Za-z])-?\d+(?![\d.]*\d)|(?<![\d.])\d+-?(?=[A-Za-z])",
        _code_number,
    ),
    rule("decimal without a zero", r"(?<![\d.\w])\.(?=\d)", "0."),
    rule("several points", r"(?<=\d)\.(?=\d+\.\d)|(?<=\d\.\d)\.(?=\d)", "点"),
    rule("number", rf"(?:{_NUMBER})", lambda m: read_number(m.group())),
)

WORDS: tuple[Rule, ...] = (
    rule("dotted letters", r"(?<![A-Za-z])[A-Za-z](?:\.[A-Za-z])+(?![A-Za-z])\.?", lambda m: m[0].replace(".", "")),
    rule("title", r"(?<![A-Za-z])(Mr|Mrs|Ms|Dr|Prof)\.\s*", r"\1 "),
    rule("and or", r"和/或", "或"),
    *(
        rule(f"symbol {symbol}", rf"\s?{re.escape(symbol)}\s?", spoken)
        for symbol, spoken in {
            "&": "和", "+": "加", "=": "等于", "×": "乘", "÷": "除以", "@": "艾特",
            "%": "百分号", "$": "美元", "€": "欧元", "£": "英镑", "¥": "元",
        }.items()
    ),
    rule("slash between words", r"(?<=[^\W\d_])\s?/\s?(?=[^\W\d_])", "或"),
)  # fmt: skip

_FULL_WIDTH = str.maketrans({",": "，", ".": "。", "?": "？", "!": "！", ";": "；", ":": "：", "､": "、"})

PUNCTUATION: tuple[Rule, ...] = (
    rule("ellipsis at the end", r"\s*(?:[.。](?:\s?[.。])+)(?=[\s\"\u201d'」』]*$)", "。"),
    rule("ellipsis", r"\s*(?:[.。](?:\s?[.。])+)", "，"),
    rule("dash", r"\s*(?:[\u2012-\u2015\u2212]+|--+)\s*|\s+-+\s+|(?<![A-Za-zÀ-ÿ])-+|-+(?![A-Za-zÀ-ÿ])", "，"),
    rule("apostrophe that is a quote", r"(?<![A-Za-zÀ-ÿ])'|'(?![A-Za-zÀ-ÿ])", ""),
    rule("half-width", r"[,.?!;:､]", lambda m: m.group().translate(_FULL_WIDTH)),
    rule("anything else", r"[^\w\s'\-，。？！；：、]|_", " "),
    rule(
        "space next to a character or punctuation",
        rf"(?<=[{HAN}，。？！；：、])\s+|\s+(?=[{HAN}，。？！；：、])",
        "",
    ),
    rule("question beats all", r"[，。！；：、？]*？[，。！；：、？]*", "？"),
    rule("exclamation beats the rest", r"[，。；：、！]*！[，。；：、！]*", "！"),
    rule("stop beats the rest", r"[，；：、。]*。[，；：、。]*", "。"),
    rule("one of several", r"([，；：、])[，；：、]+", r"\1"),
    rule("leading punctuation", r"^[\s，。？！；：、]+", ""),
    rule("trailing comma", r"[\s，；：、]+$", lambda m: "。" if m.group().strip() else ""),
    rule("white space", r"\s+", " "),
)
"""The last word: only characters, letters, apostrophes, hyphens and `，。？！；：、` are left."""

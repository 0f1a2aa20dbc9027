"""Mandarin: numbers in the company they keep, from telephone numbers down to plain digits."""

import re

from pipeline.core.speakable.mandarin_numerals import (
    by_digit,
    by_telephone_digit,
    read_amount,
    read_integer,
    read_number,
)
from pipeline.core.speakable.rules import (
    DASH,
    HAN,
    INSIDE_A_CODE,
    NUMBER,
    Rule,
    alternatives,
    round_brackets,
    rule,
)

_CURRENCIES = {
    "¥": "元", "$": "美元", "€": "欧元", "£": "英镑", "US$": "美元", "HK$": "港元", "NT$": "新台币",
    "USD": "美元", "EUR": "欧元", "GBP": "英镑", "RMB": "元", "CNY": "元", "HKD": "港元", "JPY": "日元",
}  # fmt: skip
_CURRENCY = alternatives(_CURRENCIES)
_CODE = alternatives(name for name in _CURRENCIES if name.isalpha())
_MONEY = "元|块|美元|欧元|英镑|镑|港元|日元|人民币"
_UNITS = {
    "km/h": "公里每小时", "m/s": "米每秒", "km2": "平方公里", "m2": "平方米", "m3": "立方米", "cm2": "平方厘米",
    "km": "公里", "cm": "厘米", "mm": "毫米", "m": "米", "kg": "公斤", "mg": "毫克", "g": "克", "t": "吨",
    "ml": "毫升", "mL": "毫升", "L": "升", "h": "小时", "min": "分钟", "s": "秒", "ms": "毫秒",
    "GHz": "吉赫兹", "MHz": "兆赫兹", "kHz": "千赫兹", "Hz": "赫兹", "kWh": "千瓦时", "kW": "千瓦", "W": "瓦",
    "V": "伏", "mAh": "毫安时", "kcal": "千卡", "cal": "卡", "dB": "分贝", "Mbps": "兆每秒",
}  # fmt: skip
_UNIT = alternatives(_UNITS)
_PAIRED = (
    r"(?:[个位天岁只条张件间种杯瓶份块片层点遍趟套双对碗盘斤米周口台辆首场句把顿名家部倍页秒元毛寸晚棵朵支座节款排"
    r"幅枚颗根串箱袋包盒锅群批届项声眼刀票局封扇匹处门圈笔卷万亿千]"
    r"|人(?!位|间|转|世界)|年(?!级|代)|次(?!方|元)|本(?!科|院|线)|公里|小时|分钟|星期|公斤|平方|立方|厘米|毫米|英里|英寸|英尺|美元|欧元|英镑"
    r"|港元|毫升|学期|季度)"
)
"""Measure words that take 两 instead of 二."""
_PHONE = "电话|手机|号码|传真|热线|座机"
_NUMBERED = (
    "房间号?|房号|航班号?|密码|验证码|尾号|工号|学号|编号|邮编|门牌号?|卡号|账号|代码|单号|订单号?|QQ号?|群号"
    "|分机号?"
)
_WINNING = "获胜|战胜|取胜|击败|大胜|险胜|领先|落后|逆转|落败|赢|输|(?:的)?比分"
_RATE_OVER = "斤|公斤|人|天|月|年|周|次|小时|分钟|秒|个|件|位|平|晚|张|瓶|杯|升|吨|公里|户|节|课时"
_SIGN = r"(?:(?<![\w\-])|(?<=[了到为是至温约达跌降低于在]))[\-\u2212]"
_DIRECTION = rf"(?:[{HAN}]{{1,4}}|[A-Za-z'\-]+(?:\s+[A-Za-z'\-]+){{0,2}})[。！!.]?"
"""Up to four characters in round brackets are a stage direction."""


def _telephone(match: re.Match[str]) -> str:
    return by_telephone_digit(match.group())


def _date(match: re.Match[str]) -> str:
    month, day = match["month"].lstrip("0"), match["day"].lstrip("0")
    return f"{by_digit(match['year'])}年{read_integer(month)}月{read_integer(day)}日"


def _day_part(half: str, hour: int) -> str:
    if half in "aA":
        return "凌晨" if hour == 12 else "上午"
    return "中午" if hour == 12 else "下午" if hour < 6 else "晚上"


def _clock(match: re.Match[str]) -> str:
    """`15:05` -> `十五点零五分`, `9:30 PM` -> `晚上九点半`"""
    hour, minute, second = int(match["hour"]), int(match["minute"] or 0), match["second"]
    spoken = f"{_day_part(match['half'], hour) if match['half'] else ''}{read_amount(str(hour))}点"
    if second and int(second):
        return f"{spoken}{_two_digits(minute)}分{_two_digits(int(second))}秒"
    if minute == 30:
        return f"{spoken}半"
    return f"{spoken}{_two_digits(minute)}分" if minute else spoken


def _two_digits(value: int) -> str:
    return f"{'零' if 0 < value < 10 else ''}{read_integer(str(value))}"


def _code_number(match: re.Match[str]) -> str:
    """Digits that touch letters: `B2` -> `B二`, `TR1234` -> `TR幺二三四`."""
    digits = match.group().strip("-")
    return read_integer(digits) if len(digits) < 3 else by_telephone_digit(digits)


def _fraction(match: re.Match[str]) -> str:
    whole = f"{read_integer(match['whole'])}又" if match["whole"] else ""
    return f"{whole}{read_number(match['below'])}分之{read_number(match['above'])}"


def _money(match: re.Match[str]) -> str:
    unit = match.groupdict().get("unit") or _CURRENCIES[match["symbol"].strip()]
    return f"{read_amount(match['amount'])}{match['scale']}{unit}"


_LONG_NUMBERS: tuple[Rule, ...] = (
    round_brackets(_DIRECTION, comma="，", gap=""),
    rule("number of a point", r"(?<=\d)\)\s*", "，"),
    rule(
        "mobile telephone",
        r"(?<![\d.])(?:\+?86[\s\-]?)?1[3-9]\d[\s\-]?\d{4}[\s\-]?\d{4}(?![\d.]*\d)",
        _telephone,
    ),
    rule("fixed telephone", r"(?<!\d)0\d{2,3}[\s\-]\d{3,8}(?:[\s\-]\d{3,4})?(?!\d)", _telephone),
    rule("free telephone", r"(?<!\d)[48]00[\s\-]?\d{3,4}[\s\-]?\d{3,4}(?!\d)", _telephone),
    rule(
        "named telephone",
        rf"((?:{_PHONE})(?:号码|号)?[是为：:]?\s?)(\d{{3,}}(?:\s?-\s?\d+)*)(?![\d.]|{_PAIRED})",
        lambda m: m[1] + by_telephone_digit(m[2]),
    ),
    rule("emergency number", r"(?<=[打拨])(?:110|119|120|122)(?![\d,.]*\d)", _telephone),
    rule("service number", r"(?<=[打拨])\d{5}(?![\d,.]*\d|[个次元块万])", _telephone),
    rule(
        "code",
        rf"((?:{_NUMBERED})[是为：:]?\s?)(\d{{3,}})(?![\d,.]*\d|{_PAIRED})",
        lambda m: m[1] + by_telephone_digit(m[2]),
    ),
    rule("room", r"(?<![\d.第])\d{3,4}(?=室|房间|号房|教室|宿舍|包间|包厢)", _telephone),
    rule("names", r"(?<![\d.])(?:(?:985|211)(?=大学|高校|院校|工程)|798(?=艺术))", _telephone),
    rule("long number", r"(?<![\d.¥$€£])\d{7,}(?![\d.]*\d|[元块万亿])", _telephone),
)
_CALENDAR: tuple[Rule, ...] = (
    rule(
        "date",
        r"(?<!\d)(?P<year>\d{4})[\-/.](?P<month>0?[1-9]|1[0-2])[\-/.](?P<day>0?[1-9]|[12]\d|3[01])(?!\d)",
        _date,
    ),
    rule("day with a name", r"(?<!\d)(\d{1,2})[·•](\d{1,2})(?!\d)", lambda m: by_digit(m[1] + m[2])),
    rule(
        "years from to",
        rf"(?<!\d)(\d{{4}})(?:{DASH}|至)(?=\d{{4}}(?:年|学年|赛季))",
        lambda m: f"{by_digit(m[1])}到",
    ),
    rule(
        "year",
        r"(?<!\d)(\d{4}|0\d|[6-9]\d)年(?![前后以代来多间]|的?历史|之久|左右)",
        lambda m: f"{by_digit(m[1])}年",
    ),
    rule("four-digit year", r"(?<!\d)((?:19|20)\d\d)(?=年|学年|届|级|款|版|赛季)", lambda m: by_digit(m[1])),
    rule(
        "generation",
        r"(?<![\d.:])(?:[05-9]0|[089]5)(?=(?:、\d\d)*后(?![来面天边续半方期勤台]))",
        lambda m: by_digit(m[0]),
    ),
    rule("date with zeros", r"(?<!\d)0(?=[1-9][月日号点时分])", ""),
)
_BETWEEN: tuple[Rule, ...] = (
    rule("hour after a weekday", r"(?<=[周期][一二三四五六日])(?=1\d[:点])", "，"),
    rule("difference", rf"(?<=\d)\s?[\-\u2212]\s?(?=(?:{NUMBER})\s?=)", "减"),
    rule("product", r"(?<=\d)\s?[xX*]\s?(?=\d)", "乘"),
    rule("two or more", rf"(?<![\d.第A-Za-z])2(?={DASH}\d+\s?{_PAIRED})", "两"),
    rule("score", r"(比分[是为：:]?\s?)(\d+)\s?[:\-]\s?(?=\d)", r"\1\2比"),
    rule("score before a verb", rf"(?<=\d)\s?[:\-]\s?(?=\d+(?:{_WINNING}))", "比"),
    rule("range", rf"(?<=[\d两%CF度元块点时天年月日号分]){DASH}(?=[¥$€£]?\d)", "到"),
    rule("range of weekdays", rf"(?<=(?:周|期)[一二三四五六日]){DASH}(?=周|星期)", "到"),
    rule(
        "clock",
        r"(?<![\d:])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])"
        r"(?:\s?(?P<half>[aApP])\.?[mM](?![A-Za-z])\.?)?",
        _clock,
    ),
    rule(
        "hour",
        r"(?<![\d:.])(?P<hour>1[0-2]|[1-9])\s?(?P<minute>)(?P<second>)(?P<half>[aApP])\.?[mM](?![A-Za-z])\.?",
        _clock,
    ),
    rule("ratio", r"(?<=\d)\s?:\s?(?=\d)", "比"),
)
_AMOUNTS: tuple[Rule, ...] = (
    rule("below zero", rf"{_SIGN}(?=\d+(?:\.\d+)?\s?°C)", "零下"),
    rule("minus", rf"{_SIGN}(?=[¥$€£]?\d)", "负"),
    rule(
        "range of money",
        rf"(?P<symbol>[¥$€£])\s?({NUMBER})到(?=\d)",
        lambda m: f"{read_amount(m[2])}到{m[1]}",
    ),
    rule(
        "money",
        rf"(?<![A-Za-z])(?P<symbol>(?:{_CURRENCY})\s?)(?P<amount>{NUMBER})(?P<scale>[万亿]*)(?P<unit>{_MONEY})?",
        _money,
    ),
    rule(
        "money, currency last",
        rf"(?P<amount>{NUMBER})(?P<scale>[万亿]*)\s?(?P<symbol>{_CODE})(?![A-Za-z])",
        _money,
    ),
    rule("zeros of money", rf"(?<=\d)(?:\.0+|(\.\d*?[1-9])0+)(?=[万亿]*(?:{_MONEY}))", lambda m: m[1] or ""),
    rule("discount", r"(?<![\d.])[1-9][1-9](?=折)", lambda m: by_digit(m[0])),
    rule("ten thousand", rf"(?<![A-Za-z\d.])({NUMBER})w(?![A-Za-z])", r"\1万"),
    rule("all the time", r"(?<![\d/])24/7(?![\d/])", "7天24小时"),
    rule("blood pressure", r"(血压[是为：:]?)(\d{2,3})/(?=\d{2,3}(?!\d))", r"\1\2，"),
    rule("per", rf"(?<=[元块次里米克升币个天万亿])\s?/\s?(?={_RATE_OVER})", "每"),
    rule("per second", r"(?<=[A-Za-z])/s(?![A-Za-z])", "每秒"),
    rule(
        "fraction",
        r"(?<![\d/.])(?:(?P<whole>\d+)(?:\s+|又))?(?P<above>\d+)\s?/\s?(?P<below>[1-9]\d*)(?![\d/])",
        _fraction,
    ),
    rule("whole", r"(?<![\d.,])100\s?%", "百分之百"),
    rule("percent", rf"({NUMBER})\s?%", lambda m: f"百分之{read_number(m[1])}"),
    rule("per mille", rf"({NUMBER})\s?‰", lambda m: f"千分之{read_number(m[1])}"),
    rule("number sign", r"(?:#|№|\b[Nn]o\.?)\s?(?=\d)", "第"),
    rule("about", r"~\s?(?=\d)", "大约"),
    rule("Celsius", rf"({NUMBER})\s?°C", lambda m: f"{read_number(m[1])}摄氏度"),
    rule("Fahrenheit", rf"({NUMBER})\s?°F", lambda m: f"{read_number(m[1])}华氏度"),
    rule("degrees", r"°", "度"),
    rule(
        "unit",
        rf"(?<![A-Za-z\d.])(?<!\d,)({NUMBER})\s?({_UNIT})(?![A-Za-z\d/])",
        lambda m: f"{'两' if m[1] == '2' else read_number(m[1])}{_UNITS[m[2]]}",
    ),
    rule("two of something", rf"(?<![\d.第A-Za-z])(?<!\d,)2\s?(?={_PAIRED})", "两"),
)
NUMBERS: tuple[Rule, ...] = (
    *_LONG_NUMBERS,
    *_CALENDAR,
    *_BETWEEN,
    *_AMOUNTS,
    rule("digits inside a code", INSIDE_A_CODE, _telephone),
    rule(
        "digits that touch letters",
        r"(?<=[A-Za-z])-?\d+(?![\d.]*\d)|(?<![\d.])\d+-?(?=[A-Za-z])",
        _code_number,
    ),
    rule("decimal without a zero", r"(?<![\d.\w])\.(?=\d)", "0."),
    rule("several points", r"(?<=\d)\.(?=\d+\.\d)|(?<=\d\.\d)\.(?=\d)", "点"),
    rule("number", NUMBER, lambda m: read_number(m.group())),
)

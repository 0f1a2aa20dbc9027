"""Mandarin numerals."""

import re

from pipeline.core.speakable.rules import digit_by_digit

DIGITS = "零一二三四五六七八九"
TELEPHONE = "零幺二三四五六七八九"
"""一 is said 幺 in telephone and room numbers."""

_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")


def read_integer(digits: str) -> str:
    """`105` -> `一百零五`, `12` -> `十二`, `22000` -> `两万两千`.

    Up to sixteen digits; more are read one by one, as are those that start with zero.
    """
    if len(digits) > 16 or (len(digits) > 1 and digits.startswith("0")):
        return by_digit(digits)
    if not int(digits):
        return "零"
    groups = [digits[max(end - 4, 0) : end] for end in range(len(digits), 0, -4)]
    spoken = ""
    for index in reversed(range(len(groups))):
        value = int(groups[index])
        skipped = bool(spoken) and (value < 1000)
        if value:
            group = "两" if value == 2 and index else _group(value)
            spoken += ("零" if skipped and not spoken.endswith("零") else "") + group + _GROUPS[index]
    return spoken.removeprefix("一") if spoken.startswith("一十") else spoken


def _group(value: int) -> str:
    """1-9999."""
    spoken, gap = "", False
    for place in reversed(range(4)):
        digit = value // 10**place % 10
        if digit:
            name = "两" if digit == 2 and place > 1 and not spoken else DIGITS[digit]
            spoken += ("零" if gap and spoken else "") + name + _PLACES[place]
        gap = not digit
    return spoken


def read_number(written: str) -> str:
    """`1,012.50` -> `一千零一十二点五零`"""
    whole, _, fraction = written.replace(",", "").partition(".")
    spoken = read_integer(whole or "0")
    return f"{spoken}点{by_digit(fraction)}" if fraction else spoken


def read_amount(written: str) -> str:
    """Of something: `2` -> `两`, `12.50` -> `十二点五`."""
    if written == "2":
        return "两"
    return read_number(re.sub(r"\.?0+$", "", written) if "." in written else written)


def by_digit(digits: str) -> str:
    """`2024` -> `二零二四`"""
    return digit_by_digit(digits, DIGITS, "")


def by_telephone_digit(digits: str) -> str:
    """`110` -> `幺幺零`"""
    return digit_by_digit(digits, TELEPHONE, "")

"""Mandarin numerals."""

DIGITS = "零一二三四五六七八九"
TELEPHONE = "零幺二三四五六七八九"
"""一 is said 幺 in telephone and room numbers."""

_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")


def read_integer(digits: str) -> str:
    """`105` -> `一百零五`, `12` -> `十二`, `20010` -> `二万零一十`.

    Up to sixteen digits; more are read one by one, as are those that start with zero.
    """
    if len(digits) > 16 or (len(digits) > 1 and digits.startswith("0")):
        return "".join(DIGITS[int(digit)] for digit in digits)
    if not int(digits):
        return "零"
    groups = [digits[max(end - 4, 0) : end] for end in range(len(digits), 0, -4)]
    spoken = ""
    for index in reversed(range(len(groups))):
        value = int(groups[index])
        skipped = bool(spoken) and (value < 1000)
        if value:
            spoken += ("零" if skipped and not spoken.endswith("零") else "") + _group(value) + _GROUPS[index]
    return spoken.removeprefix("一") if spoken.startswith("一十") else spoken


def _group(value: int) -> str:
    """1-9999."""
    spoken, gap = "", False
    for place in reversed(range(4)):
        digit = value // 10**place % 10
        if digit:
            spoken += ("零" if gap and spoken else "") + DIGITS[digit] + _PLACES[place]
        gap = not digit
    return spoken


def read_number(written: str) -> str:
    """`12.50` -> `十二点五`; thousands commas are ignored, trailing zeros of a fraction are not said."""
    whole, _, fraction = written.replace(",", "").partition(".")
    fraction = fraction.rstrip("0")
    spoken = read_integer(whole or "0")
    return f"{spoken}点{''.join(DIGITS[int(digit)] for digit in fraction)}" if fraction else spoken

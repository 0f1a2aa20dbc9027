"""Mandarin: what is written and what is said, once its numbers are words."""

import re

from pipeline.core.speakable.addresses import Reading
from pipeline.core.speakable.mandarin_numerals import TELEPHONE
from pipeline.core.speakable.rules import HAN, Rule, rule

ADDRESSES = Reading(
    signs={
        ".": "点",
        "-": "杠",
        "_": "下划线",
        "/": "斜杠",
        "@": "艾特",
        "+": "加",
        ":": "冒号",
        "~": "波浪线",
    },
    www="三W",
    digits=TELEPHONE,
    separator="",
).rules()

_SYMBOLS = {
    "&": "和", "+": "加", "=": "等于", "×": "乘", "÷": "除以", "@": "艾特", "±": "正负", "≥": "大于等于",
    "≤": "小于等于", "≈": "约等于", "π": "派", "∞": "无穷大", "√": "根号", "%": "百分号", "$": "美元",
    "€": "欧元", "£": "英镑", "¥": "元",
}  # fmt: skip
_FULL_WIDTH = str.maketrans({",": "，", ".": "。", "?": "？", "!": "！", ";": "；", ":": "：", "､": "、"})

WORDS: tuple[Rule, ...] = (
    rule(
        "dotted letters",
        r"(?<![A-Za-z])[A-Za-z](?:\.[A-Za-z])+(?![A-Za-z])\.?",
        lambda m: m[0].replace(".", ""),
    ),
    rule("title", r"(?<![A-Za-z])(Mr|Mrs|Ms|Dr|Prof)\.\s*", r"\1 "),
    rule("and or", r"和/或", "或"),
    rule("sharp", r"(?<![A-Za-z])([CF])#(?!\w)", r"\1 sharp"),
    rule("arrow", r"\s*(?:[-=]+>|→)\s*", "，"),
    rule("less than", r"(?<=\w)\s*<\s*(?=\w)", "小于"),
    rule("greater than", r"(?<=\w)\s*>\s*(?=\w)", "大于"),
    *(rule(f"symbol {symbol}", rf"\s?{re.escape(symbol)}\s?", spoken) for symbol, spoken in _SYMBOLS.items()),
    rule("slash between words", r"(?<=[^\W\d_])\s?/\s?(?=[^\W\d_])", "或"),
)

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

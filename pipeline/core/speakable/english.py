"""English: what is written and what is said, once its numbers are words."""

import re

from pipeline.core.speakable.addresses import Reading
from pipeline.core.speakable.english_numerals import DIGITS
from pipeline.core.speakable.rules import Rule, rule

ADDRESSES = Reading(
    signs={
        ".": " dot ",
        "-": " dash ",
        "_": " underscore ",
        "/": " slash ",
        "@": " at ",
        "+": " plus ",
        ":": " colon ",
        "~": " tilde ",
    },
    www="w w w",
    digits=DIGITS,
    separator=" ",
).rules()

_COUNT = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty)\b"
_TITLES = {
    r"Mr\.?": "Mister",
    r"Mrs\.?": "Missus",
    r"Ms\.?": "Miss",
    r"Dr\.": "Doctor",
    r"Prof\.": "Professor",
    r"Gen\.": "General",
    r"Capt\.": "Captain",
    r"Lt\.": "Lieutenant",
    r"Sgt\.": "Sergeant",
    r"Sen\.": "Senator",
    r"Gov\.": "Governor",
    r"Rev\.": "Reverend",
    r"Mt\.": "Mount",
    r"vs\.?": "versus",
    r"approx\.": "approximately",
    r"Apt\.": "Apartment",
    r"Fig\.": "Figure",
    rf"Ch\.(?=\s+{_COUNT})": "Chapter",
    r"[Vv]ol\.(?=\s+[a-z])": "volume",
    rf"p\.(?=\s+{_COUNT})": "page",
    rf"pp\.(?=\s+{_COUNT})": "pages",
    r"e\.g\.,?": "for example,",
    r"i\.e\.,?": "that is,",
    r"a\.k\.a\.": "also known as",
    r"btw": "by the way",
    r"idk": "I don't know",
    r"imo": "in my opinion",
    r"tbh": "to be honest",
    r"omw": "on my way",
    r"pl[sz]": "please",
    r"thx": "thanks",
    r"w/o": "without",
    r"b/c": "because",
    r"N/A": "not applicable",
}
"""More is to come after these: their stop ends no sentence."""
_LAST_WORDS = {
    "Jr": "Junior",
    "Sr": "Senior",
    "dept": "department",
    "appt": "appointment",
    "Ave": "Avenue",
    "Blvd": "Boulevard",
    "Rd": "Road",
    "Co": "Company",
    "Corp": "Corporation",
    "Inc": "Incorporated",
    "Ltd": "Limited",
    "Ph.D": "PhD",
}
"""Their stop may end a sentence as well."""
_SYMBOLS = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "×": "times", "÷": "divided by", "±": "plus or minus",
    "≥": "at least", "≤": "at most", "≈": "about", "π": "pi", "∞": "infinity", "√": "the square root of",
    "%": "percent", "°": "degrees", "$": "dollars", "£": "pounds", "€": "euros", "¥": "yuan", "¢": "cents",
}  # fmt: skip

_END = r"(?=\s*$|\s+[A-Z])"
_NEXT = (
    r"(?=\s*[\"\u201d]?\s*$|\s+(?:I|It|We|He|She|They|You|The|This|That|These|There|Then|And|But|So|My|Our|Your|His"
    r"|Her|What|When|Where|Who|Why|How|Yes|No|Oh|Well|Can|Could|Do|Does|Did|Is|Are|Was|If|In|On|Please|Let)\b)"
)
"""The end, or a word that begins a sentence; a name would rather go on with it: `the U.S. Army`."""


def _letters(dotted: str) -> str:
    """`U.S.` -> `US`: speech engines read capitals as letters, and a lone A as the article"""
    return dotted.replace(".", "").upper()


WORDS: tuple[Rule, ...] = (
    rule("St. before a name", r"\bSt\.\s+(?=[A-Z])", "Saint "),
    rule("St. at the end", rf"(?<=[a-z])\s+St\.{_NEXT}", " Street."),
    rule("St. after a name", r"(?<=[a-z])\s+St\.", " Street"),
    rule("et cetera at the end", rf"\betc\.{_END}", "et cetera."),
    rule("et cetera", r"\betc\b\.?", "et cetera"),
    *(
        rule(f"abbreviation {written}", rf"\b(?<!')(?:{written})(?![\w])", spoken)
        for written, spoken in _TITLES.items()
    ),
    *(
        row
        for written, spoken in _LAST_WORDS.items()
        for row in (
            rule(f"abbreviation {written} at the end", rf"\b{re.escape(written)}\.{_NEXT}", f"{spoken}."),
            rule(f"abbreviation {written}", rf"\b{re.escape(written)}\.", spoken),
        )
    ),
    rule("with", r"\bw/\s?(?=\w)", "with "),
    rule("dotted letters at the end", rf"\b((?:[A-Za-z]\.){{2,}}){_NEXT}", lambda m: _letters(m[1]) + "."),
    rule("dotted letters", r"\b(?:[A-Za-z]\.){2,}", lambda m: _letters(m.group()) + " "),
    rule("initial", r"(^|[.!?]\s|\b[A-Z][a-z]+\s)([A-HJ-Z])\.(?=\s+[A-Z][a-z])", r"\1\2"),
    rule("and or", r"\band/or\b", "and or"),
    rule("sharp", r"\b([CF])#(?!\w)", r"\1 sharp"),
    rule("hashtag", r"#(?=[^\W\d_])", "hashtag "),
    rule("arrow", r"\s*(?:[-=]+>|→)\s*", ", "),
    rule("less than", r"(?<=\w)\s*<\s*(?=\w)", " less than "),
    rule("greater than", r"(?<=\w)\s*>\s*(?=\w)", " greater than "),
    rule("plus at the end", r"(?<=\w)\+(?!\w)", " plus "),
    *(
        rule(f"symbol {symbol}", rf"\s?{re.escape(symbol)}\s?", f" {spoken} ")
        for symbol, spoken in _SYMBOLS.items()
    ),
    rule("slash between words", r"(?<=[^\W\d_])\s?/\s?(?=[^\W\d_])", " or "),
)

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

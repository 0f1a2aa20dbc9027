"""Web and mail addresses, file names and IP addresses, part by part as people say them.

    www.example.co.uk/help  ->  w w w dot example dot co dot UK slash help    三W点example点co点UK斜杠help
    jane.doe@example.org    ->  jane dot doe at example dot org               jane点doe艾特example点org

The scheme (`https://`) and a last slash are not said. Speech engines read capitals as letters, so a country
and a name without a vowel are capitals. An address with a query is refused: nobody says one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.core.speakable.rules import Rule, digit_by_digit, refuse, rule

_DOMAINS = "com|org|net|edu|gov|io|ai|app|dev|tv|cn|hk|uk|eu|de|fr|jp|ca|au|info|co"
_FILES = "pdf|docx?|xlsx?|pptx?|txt|csv|zip|exe|html?|jpe?g|png|gif|mp[34]|wav|json|js|py"
_CHARACTER = r"[\w.\-~/:@+?&=%#$,;!*']"
_MAIL = r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+"
_WEB = (
    rf"(?:\bhttps?://|\bwww\.){_CHARACTER}+"
    rf"|(?<![\w.@])(?:[a-z0-9\-]+\.)+(?:{_DOMAINS})(?![a-z0-9])(?:[/?]{_CHARACTER}+|/)?"
)
_IP = r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"
_SAYABLE = r"[A-Za-z0-9.\-~/:@+_]+"
_FILE = rf"(?<=\S)\.(?:{_FILES})(?![A-Za-z0-9])"
_FLAGS = re.IGNORECASE | re.ASCII
_LETTERS = re.compile(r"[b-df-hj-np-tv-xz]+", re.IGNORECASE)
_COUNTRY = r"(?!co|me)[A-Za-z]{2}"
"""The last part of a host; two of them are words."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a language says what holds an address together."""

    signs: dict[str, str]
    www: str
    digits: str | tuple[str, ...]
    """Of an IP address."""
    separator: str

    def rules(self) -> tuple[Rule, ...]:
        """The rules, to be applied before any that knows dots, dashes or digits."""
        return (
            rule("e-mail address", _MAIL, self._say, _FLAGS),
            rule("web address", _WEB, self._say, _FLAGS),
            rule("IP address", _IP, self._say_ip, _FLAGS),
            rule("file name", _FILE, self._say, _FLAGS),
        )

    def _say(self, match: re.Match[str]) -> str:
        written = re.sub(r"^https?://", "", match.group(), flags=re.IGNORECASE)
        address = written.rstrip(".,;:!?'*/")
        if not address or not re.fullmatch(_SAYABLE, address):
            return refuse("a web address that nobody would say,")(match)
        return "".join(self._parts(address)) + written[len(address) :].lstrip("/")

    def _parts(self, address: str) -> Iterator[str]:
        country = re.split("[/:]", address)[0].rpartition(".")[2]
        for part in re.split(r"([^A-Za-z0-9])", address.lower() if address.isupper() else address):
            if part.lower() == "www":
                yield self.www
            elif _LETTERS.fullmatch(part) or (part == country and re.fullmatch(_COUNTRY, part)):
                yield part.upper()
            else:
                yield self.signs.get(part, part)

    def _say_ip(self, match: re.Match[str]) -> str:
        groups = match.group().split(".")
        return self.signs["."].join(digit_by_digit(group, self.digits, self.separator) for group in groups)

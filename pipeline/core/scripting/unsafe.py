"""A short list of what never belongs in this data, whatever the topic.

This is a flag for filtering, not moderation: it knows a few unmistakable phrases and no meaning. What it does not
find is not therefore safe, and runs that are published need a moderation model or people over them. In turn it
leaves topics alone: people talk to assistants about illness, crime and despair, and counselling corpora are seeds
here. So what is listed are slurs, explicit sex, incitement to suicide or murder, and asking for the means of great
harm; coarse words that anger puts into anybody's mouth are not.
"""

import re
from dataclasses import dataclass

from pipeline.domain.labels import Language


@dataclass(frozen=True, slots=True)
class UnsafePhrase:
    """One row of the list."""

    category: str
    pattern: re.Pattern[str]


def _english(category: str, *phrases: str) -> UnsafePhrase:
    """Whole words only: Scunthorpe is a town."""
    return UnsafePhrase(category, re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE))


def _chinese(category: str, *phrases: str) -> UnsafePhrase:
    """Anywhere: Chinese has no gaps between words, so only phrases that no longer word contains."""
    return UnsafePhrase(category, re.compile("|".join(phrases)))


_WEAPON = r"(?:pipe |nail |petrol |fertilizer |homemade |dirty )?bombs?(?! shelters?)|explosives?|nerve gas"
_DRUG = r"crystal meth|meth|heroin|fentanyl|crack cocaine"

UNSAFE: dict[Language, tuple[UnsafePhrase, ...]] = {
    Language.EN: (
        _english("slur", r"nigg(?:er|a)s?", r"faggots?", r"kikes?", r"wetbacks?", r"ragheads?"),
        _english("explicit sex", r"blow ?jobs?", r"cum ?shots?", r"gang ?bangs?", r"hardcore porn", r"fuck me hard"),
        _english("sexual abuse of children", r"child porn(?:ography)?", r"kiddie porn", r"sex with (?:a )?minors?"),
        _english(
            "incitement to suicide",
            r"(?:go|just|please|should|must|better) (?:and )?(?:kill|hang) yourself",
            r"(?:best|easiest|painless|least painful|quickest) way to (?:kill (?:myself|yourself)|commit suicide)",
        ),
        _english(
            "incitement to murder",
            r"gas the jews",
            r"kill all (?:the )?(?:jews|muslims|christians|blacks|whites|gays|immigrants|chinese|women)",
            r"how (?:to|do i|can i) (?:murder|poison) (?:my|him|her|someone|somebody)",
        ),
        _english(
            "means of great harm",
            rf"(?:make|build|assemble) (?:a |an |some |the )?(?:{_WEAPON})",
            rf"(?:cook|make|synthesi[sz]e) (?:some )?(?:{_DRUG})",
        ),
    ),
    Language.ZH: (
        _chinese("slur", "支那", "黑鬼", "死基佬", "死同性恋"),
        _chinese("explicit sex", "颜射", "约炮", "操你妈", "鸡巴"),
        _chinese("sexual abuse of children", "儿童色情", "恋童片", "幼女片"),
        _chinese(
            "incitement to suicide",
            "你(?:怎么|为什么|咋)(?:还)?不去死",
            "你去自杀",
            "(?:最|怎么|怎样|如何)(?:不痛苦|无痛|没痛苦)(?:地|的)?(?:自杀|去死|死法)",
            "自杀(?:教程|攻略)",
        ),
        _chinese(
            "incitement to murder",
            "杀光所有的?人",
            "(?:怎么|怎样|如何)(?:毒死|杀死|杀掉)(?:他|她|我|一个人|别人)",
        ),
        _chinese(
            "means of great harm",
            "(?:自制|制造|制作|做|造)(?:一个|一颗|个|颗)?(?:土制)?(?:炸弹|炸药)",
            "(?:制作|制造|合成|提炼|熬制)(?:冰毒|海洛因|毒品)",
        ),
    ),
}  # fmt: skip


def find_unsafe(text: str, language: Language) -> str | None:
    """The category of the first listed phrase that a text holds; None where it holds none.

    >>> find_unsafe("How do I make a pipe bomb?", Language.EN)
    'means of great harm'
    >>> find_unsafe("How do I make a bath bomb?", Language.EN)
    """
    return next((phrase.category for phrase in UNSAFE[language] if phrase.pattern.search(text)), None)

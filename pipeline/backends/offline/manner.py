"""In what manner one speaks about a field: places are asked about otherwise than worries."""

from pipeline.backends.offline.banks import Domain

_PLACES = "eating_out hotel sights travel transport flights shopping entertainment films banking"
_DOING = "cooking home garden technology study work pets money music calendar"
_WORRIES = "feelings pressure relationships"

MANNERS = {
    **dict.fromkeys(_PLACES.split(), "place"),
    **dict.fromkeys(_DOING.split(), "do"),
    **dict.fromkeys(_WORRIES.split(), "heart"),
}
"""By name of the field; one that is not here takes what fits anywhere."""


def is_grave(domain: Domain) -> bool:
    """Whether somebody speaks of what weighs on them: no jokes then, and no shopping."""
    return MANNERS.get(domain.name) == "heart"


def suits(kind: str, domain: Domain) -> bool:
    """Whether an entry of this kind can be said in talk about the field.

    `""` fits practical matters, `any` everything; `place`, `do` and `heart`, or the name of a field, their own.
    """
    if kind in ("any", domain.name, MANNERS.get(domain.name)):
        return True
    return not kind and not is_grave(domain)

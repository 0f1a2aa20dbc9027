"""The terms of the supported corpora. An engineering summary, not legal advice.

Television transcripts and web crawls carry the permissive licence of the repository that holds them over
text of third parties: for those `redistributable` is False whatever the licence's id.
"""

from pipeline.domain.licence import Licence

_TERMS: dict[str, tuple[bool, bool]] = {  # SPDX id: (non_commercial, share_alike)
    "Apache-2.0": (False, False),
    "CC-BY-4.0": (False, False),
    "CC-BY-NC-4.0": (True, False),
    "CC-BY-NC-SA-4.0": (True, True),
    "CC-BY-SA-4.0": (False, True),
    "CC0-1.0": (False, False),
    "GPL-3.0-only": (False, True),
    "MIT": (False, False),
}


def licence(spdx_id: str, attribution: str, redistributable: bool = True) -> Licence:
    """The licence of a corpus by its SPDX id; KeyError for one that is not in the table."""
    non_commercial, share_alike = _TERMS[spdx_id]
    return Licence(
        id=spdx_id,
        non_commercial=non_commercial,
        share_alike=share_alike,
        redistributable=redistributable,
        attribution=attribution,
    )


def stated_licence(spdx_id: str | None) -> Licence:
    """The licence that a user's own record states; one that is unknown or not stated permits nothing.

    >>> stated_licence(None).redistributable, stated_licence("CC0-1.0").redistributable
    (False, True)
    """
    if spdx_id in _TERMS:
        return licence(spdx_id, "")
    return Licence(
        id=spdx_id or "LicenseRef-not-stated",
        non_commercial=True,
        share_alike=False,
        redistributable=False,
        attribution="",
    )

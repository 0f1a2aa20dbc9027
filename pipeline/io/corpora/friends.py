"""What MELD and EmoryNLP share: transcripts of a television series with labels for several people at once."""

import re

from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason

_GROUPS = frozenset({"all", "both", "everybody", "everyone", "others", "together"})
_SEVERAL = re.compile(r"\band\b|[&/,+]|^the (?:guys|girls|boys|others)$")


def one_person(name: str) -> str:
    """The name, if it is of one person; `All` and `Nora and Otis` are refused as too many."""
    stripped = name.strip()
    lowered = stripped.strip("# ").lower()
    if not lowered:
        raise RecordError(Reason.MISSING_FIELD, "an utterance names no speaker")
    if lowered in _GROUPS or _SEVERAL.search(lowered):
        raise RecordError(
            Reason.TOO_MANY_SPEAKERS, f"{stripped!r} speaks at once, wanted one person at a time"
        )
    return stripped

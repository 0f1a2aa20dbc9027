"""Words with the dialogue acts that people gave them: Switchboard as the Voice Activity Projection project lays it out.

    sw9999A-ms98-a-0002,0.980000,1.210000,um,B,qo,u-1-2     utterance, start, end, word, B/I/O, act, SwDA utterance

Name the file of side A (`sw9999A-word-da.csv`); side B lies beside it. A word without an act was tagged by nobody.
"""

import csv
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from pipeline.domain.errors import ConfigError

_NAME = re.compile(r"sw\d{4}(?P<side>[AB])-word-da\.csv")


class SpokenAct(NamedTuple):
    """When a word was said, and as part of what."""

    start_s: Decimal
    end_s: Decimal
    act: str | None


SpeakerActs = tuple[tuple[str, tuple[SpokenAct, ...]], ...]
"""By speaker, A and B."""


def has_acts(path: Path) -> bool:
    """Whether a file is named as one of this layout."""
    return _NAME.fullmatch(path.name) is not None


def read_acts(path: Path) -> SpeakerActs:
    """Read both sides. Raises ConfigError naming file, line and what was wanted."""
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise ConfigError(f"{path}: no words with dialogue acts; wanted a file sw####A-word-da.csv")
    at = named.start("side")
    sides = ((side, path.with_name(f"{path.name[:at]}{side}{path.name[at + 1 :]}")) for side in "AB")
    return tuple((side, _acts_in(file)) for side, file in sides)


def _acts_in(path: Path) -> tuple[SpokenAct, ...]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    found = []
    for number, row in enumerate(csv.reader(lines), start=1):  # some acts hold a comma and are in quotes
        if not row:
            continue
        try:
            start, end, act = Decimal(row[1]), Decimal(row[2]), row[5]
        except (IndexError, InvalidOperation) as error:
            raise ConfigError(
                f"{path}:{number}: {','.join(row)[:60]!r}: wanted utterance, start, end, word, B/I/O, act"
            ) from error
        if not (start.is_finite() and end.is_finite() and 0 <= start <= end):
            raise ConfigError(f"{path}:{number}: from {start} to {end} s: wanted 0 <= start <= end")
        found.append(SpokenAct(start, end, act or None))
    return tuple(found)

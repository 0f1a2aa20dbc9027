"""Fisher's turns: a line per turn, and no time for any word.

    # fe_03_99999.sph
    12.40 14.05 A: i think we moved (( in the )) spring
    14.60 15.10 B: [laughter] right

Sides A and B are channels 1 and 2. Times were typed by hand, and at least one start in the corpus lacks its first
digit: a turn that is longer than any person speaks, or starts long before the one above it, is refused.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.transcripts.spoken import (
    SpeakerWords,
    SpokenWord,
    by_speaker,
    numbered_lines,
    spoken_word,
)

_TURN = re.compile(r"(?P<start>\S+)\s+(?P<end>\S+)\s+(?P<side>[AB])[^:\s]*:(?P<text>.*)")
_LONGEST_S = 60
_BACK_S = 30
"""Lines go by start; the next one may still begin a little earlier where both sides talk."""


def read_fisher(path: Path) -> SpeakerWords:
    """Read the turns of both sides. Raises ConfigError naming the line."""
    return by_speaker(_turns(path), keep_sounds=False)


def _turns(path: Path) -> Iterator[tuple[str, SpokenWord]]:
    before = Decimal(0)
    for place, line in numbered_lines(path):
        if line.startswith("#"):
            continue
        found = _TURN.fullmatch(line.strip())
        if found is None:
            raise ConfigError(f"{place}: {line[:60]!r}: wanted start, end, A: or B:, text")
        turn = spoken_word(found["start"], found["end"], found["text"].strip() or "(( ))", place)
        if turn.end_s - turn.start_s > _LONGEST_S or turn.start_s < before - _BACK_S:
            raise ConfigError(
                f"{place}: a turn from {turn.start_s} to {turn.end_s} s, after one that starts at {before} s; wanted "
                f"at most {_LONGEST_S} s, in order of time: correct the time"
            )
        before = turn.start_s
        yield found["side"], turn

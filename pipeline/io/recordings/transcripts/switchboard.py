"""Switchboard's words, with or without dialogue acts.

    sw9999A-ms98-a-0002 0.980000 1.210000 um              sw9999A-ms98-a-word.text (and ...B-...)
    sw9999A-ms98-a-0002,0.980000,1.210000,um,B,qo,u-1-2   sw9999A-word-da.csv      (and ...B-...)

Name the file of side A; side B lies beside it. Marks in words (`w[ent]`, `[laughter-yeah]`) stay as they are.
`[laughter]` and `[vocalized-noise]` are the speaker's own sounds, and count as activity: with them there are 318
candidates an hour, as in the figures that the gates are taken from. `[silence]` and `[noise]` are nobody's.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.transcripts.spoken import (
    SpeakerWords,
    SpokenWord,
    by_speaker,
    numbered_lines,
    spoken_word,
)

_SIDE = 6
"""Position of the side's letter, in file names and in the ids of utterances: `sw9999A`."""
_VARIANT = re.compile(r"_\d$")


def read_switchboard(path: Path) -> SpeakerWords:
    """Read both sides. Raises ConfigError naming file and line."""
    return by_speaker(row for side in both_sides(path) for row in _rows(side))


def both_sides(path: Path) -> tuple[Path, ...]:
    """Files of sides A and B, of either one's name."""
    return tuple(path.with_name(f"{path.name[:_SIDE]}{side}{path.name[_SIDE + 1 :]}") for side in "AB")


def _rows(path: Path) -> Iterator[tuple[str, SpokenWord]]:
    for place, line in numbered_lines(path):
        columns = line.split(",") if "," in line.split()[0] else line.split()
        if len(columns) < 4 or len(columns[0]) <= _SIDE:
            raise ConfigError(f"{place}: {line[:60]!r}: wanted utterance, start, end, word")
        text = _VARIANT.sub("", columns[3])
        yield columns[0][_SIDE], spoken_word(columns[1], columns[2], text, place)

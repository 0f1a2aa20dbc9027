"""Which files say who said what when. The name of a file tells its format, as the corpora name theirs.

Words have times of their own in all but two; Fisher's text and CANDOR's csv time whole turns, which say who speaks
when, and of no word when it was said.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.transcripts.ami import ami_files, read_ami
from pipeline.io.recordings.transcripts.candor import candor_files, read_candor_turns, read_candor_words
from pipeline.io.recordings.transcripts.fisher import read_fisher
from pipeline.io.recordings.transcripts.harper_valley import read_harper_valley
from pipeline.io.recordings.transcripts.spoken import SpeakerWords
from pipeline.io.recordings.transcripts.switchboard import both_sides, read_switchboard
from pipeline.io.recordings.transcripts.word_lines import read_word_lines

Timed = Literal["words", "turns"]


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a file says, and of what it has the times."""

    timed: Timed
    spoken: SpeakerWords
    sides: tuple[str, ...] = ()
    """Speakers by channel, where its corpus calls them by their channels."""


@dataclass(frozen=True, slots=True)
class _Format:
    shown: str
    name: re.Pattern[str]
    read: Callable[[Path], SpeakerWords]
    timed: Timed = "words"
    sides: tuple[str, ...] = ()
    files: Callable[[Path], tuple[Path, ...]] = lambda path: (path,)
    """All that is read for the file that is named."""


_AB = ("A", "B")

_FORMATS = (
    _Format(
        "sw####A-ms98-a-word.text",
        re.compile(r"sw\d{4}[AB]-ms98-a-word\.text"),
        read_switchboard,
        sides=_AB,
        files=both_sides,
    ),
    _Format(
        "sw####A-word-da.csv",
        re.compile(r"sw\d{4}[AB]-word-da\.csv"),
        read_switchboard,
        sides=_AB,
        files=both_sides,
    ),
    _Format("<meeting>.A.words.xml", re.compile(r"[^.]+\.[A-Z]\.words\.xml"), read_ami, files=ami_files),
    _Format(
        "transcribe_output.json",
        re.compile(r"transcribe_output\.json"),
        read_candor_words,
        files=candor_files,
    ),
    _Format(
        "<16 hex digits>.json",
        re.compile(r"[0-9a-f]{16}\.json"),
        read_harper_valley,
        sides=("caller", "agent"),
    ),
    _Format(
        "transcript_audiophile.csv, transcript_cliffhanger.csv",
        re.compile(r"transcript_(audiophile|cliffhanger)\.csv"),
        read_candor_turns,
        "turns",
    ),
    _Format("fe_03_#####.txt", re.compile(r"fe_03_\d{5}\.txt"), read_fisher, "turns", _AB),
    _Format(".jsonl with speaker, start, end, text per line", re.compile(r".*\.jsonl"), read_word_lines),
)


def read_transcript(path: Path) -> Transcript:
    """Read a file of any known format. Raises ConfigError naming place and remedy."""
    known = _format_of(path)
    if known is None:
        raise ConfigError(
            f"{path}: no word file that is known; wanted {', '.join(known.shown for known in _FORMATS)}"
        )
    return Transcript(known.timed, known.read(path), known.sides)


def transcript_files(path: Path) -> tuple[Path, ...]:
    """All files that `read_transcript` reads for one: both sides, everybody in a meeting."""
    known = _format_of(path)
    return known.files(path) if known else (path,)


def read_words(path: Path) -> SpeakerWords:
    """Read a file whose words have times. Raises ConfigError where only its turns have."""
    transcript = read_transcript(path)
    if transcript.timed == "turns":
        raise ConfigError(f"{path}: times turns, not words; wanted word times, or RTTM for who speaks when")
    return transcript.spoken


def _format_of(path: Path) -> _Format | None:
    return next((known for known in _FORMATS if known.name.fullmatch(path.name)), None)

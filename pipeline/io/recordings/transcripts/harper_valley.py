"""Harper Valley's segments with word offsets, and where the two recordings of a call begin.

::

    transcript/<sid>.json     [{"speaker_role": "agent", "start_ms": 1200, "offset_ms": 3250,
                                "transcript": "good morning",
                                "word_offsets_ms": [0, 300], "word_durations_ms": [300, 220]}]

    conversation   |----1200----|good |morning|
    agent's file   |--2050--|----1200----|good |morning|       offset_ms - start_ms: the file began 2.05 s earlier

Words are those of the recogniser, whose times these are; what people wrote (`human_transcript`) has no times.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from pydantic import Field, TypeAdapter

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.transcripts.json_rows import Row, read_json
from pipeline.io.recordings.transcripts.spoken import SpeakerWords, SpokenWord, by_speaker, spoken_word

_MS = Decimal(1000)
_LEAD_MAY_VARY_MS = 20
"""Of one file, over a call; the corpus states it as constant."""


class _Segment(Row):
    speaker_role: str = Field(min_length=1)
    start_ms: int
    offset_ms: int
    transcript: str = ""
    word_offsets_ms: tuple[int, ...] = ()
    word_durations_ms: tuple[int, ...] = ()


_SEGMENTS: TypeAdapter[tuple[_Segment, ...]] = TypeAdapter(tuple[_Segment, ...])


def read_harper_valley(path: Path) -> SpeakerWords:
    """Words of agent and caller on the conversation's clock. Raises ConfigError naming the segment."""
    segments = read_json(path, _SEGMENTS)
    return by_speaker(
        row for number, segment in enumerate(segments) for row in _words(segment, f"{path}: segment {number}")
    )


def read_leads_ms(path: Path) -> dict[str, int]:
    """By role: how much earlier than the conversation that side's recording begins, in milliseconds.

    Raises ConfigError where segments of one side disagree.
    """
    leads: dict[str, list[int]] = {}
    for segment in read_json(path, _SEGMENTS):
        leads.setdefault(segment.speaker_role, []).append(segment.offset_ms - segment.start_ms)
    for role, found in leads.items():
        if max(found) - min(found) > _LEAD_MAY_VARY_MS:
            raise ConfigError(
                f"{path}: the {role}'s recording begins between {min(found)} and {max(found)} ms before the "
                "conversation; wanted one number (offset_ms - start_ms): its sides cannot be aligned"
            )
    return {role: sorted(found)[len(found) // 2] for role, found in leads.items()}


def _words(segment: _Segment, place: str) -> Iterator[tuple[str, SpokenWord]]:
    texts = segment.transcript.split()
    if not len(texts) == len(segment.word_offsets_ms) == len(segment.word_durations_ms):
        raise ConfigError(
            f"{place}: {len(texts)} words of `transcript`, {len(segment.word_offsets_ms)} of `word_offsets_ms`, "
            f"{len(segment.word_durations_ms)} of `word_durations_ms`; wanted as many of each"
        )
    for text, offset, duration in zip(texts, segment.word_offsets_ms, segment.word_durations_ms, strict=True):
        start = segment.start_ms + offset
        yield segment.speaker_role, spoken_word(start / _MS, (start + duration) / _MS, text, place)

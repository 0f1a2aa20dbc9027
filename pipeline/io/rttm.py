"""RTTM and UEM files: who speaks when in a recording, and which part of it counts.

    SPEAKER mtg1 1 1.440 3.770 <NA> <NA> SPK_A <NA> <NA>      type uri channel start DURATION ... speaker ...
    mtg1 NA 0.000 30.000                                      uri channel start END

What is met in files of the field and read here: 9 or 10 RTTM columns, `;;` comments, other record types of
the NIST format, several recordings in any order, abutting segments of one speaker, UEM channel `1` or `NA`.
A line that cannot be meant is refused with its place and reason; the rest of the file is still read.
"""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pipeline.core.turntaking import Activity
from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.span import Span

RTTM_SAMPLING_RATE = 16_000
"""Default clock. A time in whole milliseconds falls on a sample of it."""

# NIST RT-09 evaluation plan, appendix A, besides SPEAKER.
_OTHER_TYPES = frozenset(
    {"SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER"}
)
_OTHER_TYPES |= {"EDIT", "SU", "IP", "CB", "A/P", "SPKR-INFO"}
_ROUNDING_S = Decimal("0.01")
"""Overlap of a speaker with itself that rounding start and duration can explain."""


@dataclass(frozen=True, slots=True)
class DiarizedRecording:
    """One recording's segments per speaker, by start, overlaps of a speaker with itself excluded."""

    uri: str
    speakers: tuple[str, ...]
    """By first onset."""
    activity: Activity


@dataclass(frozen=True, slots=True)
class Rttm:
    """What an RTTM file holds: recordings by first appearance, refused lines, and records of other types."""

    recordings: tuple[DiarizedRecording, ...]
    refusals: tuple[Refusal, ...]
    other_records: tuple[tuple[str, int], ...]
    """(type, lines) of records that are not speech segments."""


@dataclass(frozen=True, slots=True)
class _Segment:
    span: Span
    place: str
    line: str


@dataclass(frozen=True, slots=True)
class Uem:
    """Scored regions per recording, and refused lines."""

    regions: tuple[tuple[str, tuple[Span, ...]], ...]
    refusals: tuple[Refusal, ...]

    def of(self, uri: str) -> tuple[Span, ...]:
        """The regions of one recording; ConfigError where the file has none for it."""
        for name, spans in self.regions:
            if name == uri:
                return spans
        known = ", ".join(name for name, _ in self.regions[:5]) or "none"
        raise ConfigError(f"UEM: no region for recording {uri!r}; recordings in the file: {known}")


def read_rttm(path: Path, sampling_rate: int = RTTM_SAMPLING_RATE) -> Rttm:
    """Read a file; times become samples at `sampling_rate`."""
    return parse_rttm(_read(path, "RTTM"), path.name, sampling_rate)


def read_uem(path: Path, sampling_rate: int = RTTM_SAMPLING_RATE) -> Uem:
    """Read a file; times become samples at `sampling_rate`."""
    return parse_uem(_read(path, "UEM"), path.name, sampling_rate)


def parse_rttm(text: str, source: str, sampling_rate: int = RTTM_SAMPLING_RATE) -> Rttm:
    """`read_rttm` on text; `source` names it in refusals (`<source>:<line>`)."""
    segments: dict[str, dict[str, list[_Segment]]] = {}
    refusals: list[Refusal] = []
    others: Counter[str] = Counter()
    for place, line in _lines(text, source):
        columns = line.split()
        if columns[0] in _OTHER_TYPES:
            others[columns[0]] += 1
            continue
        try:
            uri, speaker, span = _segment(columns, sampling_rate)
        except RecordError as error:
            refusals.append(_refusal("rttm", place, error, line))
            continue
        segments.setdefault(uri, {}).setdefault(speaker, []).append(_Segment(span, place, line))
    recordings = []
    for uri, by_speaker in segments.items():
        kept = {name: _without_self_overlap(found, sampling_rate) for name, found in by_speaker.items()}
        names = sorted(kept, key=lambda name: (kept[name][0][0].start, name))
        activity = Activity(tuple(kept[name][0] for name in names), sampling_rate)
        recordings.append(DiarizedRecording(uri, tuple(names), activity))
        refusals.extend(refusal for name in names for refusal in kept[name][1])
    return Rttm(tuple(recordings), tuple(refusals), tuple(sorted(others.items())))


def parse_uem(text: str, source: str, sampling_rate: int = RTTM_SAMPLING_RATE) -> Uem:
    """`read_uem` on text; `source` names it in refusals (`<source>:<line>`)."""
    regions: dict[str, list[Span]] = {}
    refusals: list[Refusal] = []
    for place, line in _lines(text, source):
        try:
            uri, span = _region(line.split(), sampling_rate)
        except RecordError as error:
            refusals.append(_refusal("uem", place, error, line))
            continue
        regions.setdefault(uri, []).append(span)
    return Uem(
        tuple((uri, tuple(sorted(spans, key=lambda s: s.start))) for uri, spans in regions.items()),
        tuple(refusals),
    )


def _read(path: Path, kind: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{kind} {str(path)!r}: cannot be read as UTF-8 text: {error}") from error


def _lines(text: str, source: str) -> list[tuple[str, str]]:
    """(place, line) of everything that is neither empty nor a comment."""
    numbered = enumerate(text.splitlines(), start=1)
    return [
        (f"{source}:{number}", line)
        for number, line in numbered
        if line.strip() and not line.lstrip().startswith(";;")
    ]


def _segment(columns: list[str], sampling_rate: int) -> tuple[str, str, Span]:
    if columns[0] != "SPEAKER":
        raise _malformed(f"record type {columns[0]!r} is unknown, wanted SPEAKER")
    if len(columns) not in (9, 10):
        raise _malformed(f"{len(columns)} columns, wanted 9 or 10")
    uri, start, duration, speaker = columns[1], columns[3], columns[4], columns[7]
    if speaker == "<NA>":
        raise _malformed("column 8 names no speaker")
    begin, length = _seconds(start, "start, column 4"), _seconds(duration, "duration, column 5")
    return uri, speaker, _span(begin, begin + length, sampling_rate)


def _region(columns: list[str], sampling_rate: int) -> tuple[str, Span]:
    if len(columns) != 4:
        raise _malformed(f"{len(columns)} columns, wanted 4: uri channel start end")
    uri, channel, start, end = columns
    if channel not in ("1", "NA"):
        raise _malformed(f"channel {channel!r}, wanted 1 or NA")
    return uri, _span(_seconds(start, "start, column 3"), _seconds(end, "end, column 4"), sampling_rate)


def _seconds(text: str, what: str) -> Decimal:
    """Decimal, so that 13.152 + 3.770 s is exactly 16.922 s."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise _malformed(f"{text!r} is not a number ({what})") from None
    if not value.is_finite() or value < 0:
        raise _malformed(f"{text!r} is not a time of 0 s or more ({what})")
    return value


def _span(start: Decimal, end: Decimal, sampling_rate: int) -> Span:
    first, last = round(start * sampling_rate), round(end * sampling_rate)
    if first >= last:
        raise _malformed(f"from {start} s to {end} s holds not one sample at {sampling_rate} Hz")
    return Span(start=first, end=last)


def _without_self_overlap(
    found: list[_Segment], sampling_rate: int
) -> tuple[tuple[Span, ...], tuple[Refusal, ...]]:
    """Spans by start; a segment that runs into an earlier one of the same speaker is refused."""
    slack = round(_ROUNDING_S * sampling_rate)
    kept: list[Span] = []
    refused: list[Refusal] = []
    reached = 0
    for segment in sorted(found, key=lambda s: (s.span.start, s.span.end)):
        if segment.span.start < reached - slack:
            start, until = segment.span.start / sampling_rate, reached / sampling_rate
            error = _malformed(
                f"the speaker would overlap itself: starts at {start:.3f} s, speaks until {until:.3f} s"
            )
            refused.append(_refusal("rttm", segment.place, error, segment.line))
            continue
        kept.append(segment.span)
        reached = max(reached, segment.span.end)
    return tuple(kept), tuple(refused)


def _malformed(detail: str) -> RecordError:
    return RecordError(Reason.MALFORMED_RECORD, detail)


def _refusal(stage: str, place: str, error: RecordError, line: str) -> Refusal:
    return Refusal(stage=stage, record_id=place, reason=error.reason, detail=error.detail, payload=line)

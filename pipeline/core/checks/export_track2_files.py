"""Annotations of Track 2 against the documented rules: TextGrids, segments, words."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from pipeline.core.checks.export_findings import ExportCode, ExportFinding, ExportLimits

Times = tuple[tuple[float, float], ...]
"""(start, end) of segments or words, s."""

_TIERS = ("文本", "事件", "情绪")
_INTERVAL = re.compile(
    r"intervals \[\d+\]:\s*xmin = (?P<xmin>[\d.]+)\s*xmax = (?P<xmax>[\d.]+)\s*text = \"(?P<text>.*)\"[ \t]*$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """What an annotation file says, and what is wrong with it."""

    duration_s: float | None
    """Of the audio, where the file speaks of it."""
    times: Times
    texts: tuple[str, ...]
    findings: tuple[ExportFinding, ...]


@dataclass(frozen=True, slots=True)
class Annotated:
    """A file to be read."""

    path: str
    export_id: str
    text: str
    limits: ExportLimits

    def finding(self, code: ExportCode, detail: str) -> ExportFinding:
        """A fault of this file."""
        return ExportFinding(code=code, path=self.path, export_id=self.export_id, detail=detail)


def read_grid(file: Annotated) -> Annotation:
    """A TextGrid of three tiers that tile the same time; the first alone has text."""
    parts = re.split(r"^\s*item \[\d+\]:\s*$", file.text, flags=re.MULTILINE)[1:]
    names = tuple(match[1] if (match := re.search(r'name = "(.*)"', part)) else "" for part in parts)
    if names != _TIERS or not file.text.startswith('File type = "ooTextFile"'):
        detail = f"has tiers {', '.join(names) or 'none'}; wanted a long TextGrid with {', '.join(_TIERS)}"
        return Annotation(None, (), (), (file.finding(ExportCode.MALFORMED_LINE, detail),))
    findings: list[ExportFinding] = []
    ends: list[float] = []
    spoken: list[tuple[float, float, str]] = []
    for name, part in zip(names, parts, strict=True):
        intervals = [(float(m["xmin"]), float(m["xmax"]), m["text"]) for m in _INTERVAL.finditer(part)]
        borders = [0.0, *(end for _, end, _ in intervals)]
        if not intervals or [start for start, _, _ in intervals] != borders[:-1]:
            detail = f"the intervals of tier {name} do not follow each other; wanted them to tile the time"
            findings.append(file.finding(ExportCode.TIMES_OFF, detail))
        ends.append(borders[-1])
        if name == _TIERS[0]:
            spoken = [interval for interval in intervals if interval[2]]
    if len(set(ends)) > 1:
        findings.append(file.finding(ExportCode.TIMES_OFF, f"tiers end at {ends}; wanted one end"))
    times = tuple((start, end) for start, end, _ in spoken)
    return Annotation(ends[0], times, tuple(text for _, _, text in spoken), tuple(findings))


def read_segments(file: Annotated) -> Annotation:
    """`<id>_sentence.json`: the segments of the user's microphone."""
    content, problem = _object(file.text, ("final_duration", "speech_segments"))
    if content is None:
        return Annotation(None, (), (), (file.finding(_code(problem), problem),))
    duration = content["final_duration"]
    rows = _rows(content["speech_segments"], ("xmin", "xmax", "text"))
    if rows is None or not _is_number(duration):
        detail = "fields: wanted final_duration in seconds and segments of xmin, xmax, text"
        return Annotation(None, (), (), (file.finding(ExportCode.WRONG_FIELDS, detail),))
    times = _times([(row["xmin"], row["xmax"]) for row in rows])
    texts = tuple(str(row["text"]) for row in rows)
    if times is None or not _is_number(duration):
        detail = "fields: wanted numbers for xmin and xmax"
        return Annotation(None, (), (), (file.finding(ExportCode.WRONG_FIELDS, detail),))
    duration_s = float(str(duration))
    findings = [*_order(file, times, duration_s), *_empty(file, texts)]
    if not rows:
        findings.append(
            file.finding(ExportCode.EMPTY_TEXT, "has no segments, on which the delay scripts crash")
        )
    return Annotation(duration_s, times, texts, tuple(findings))


def read_words(file: Annotated) -> Annotation:
    """`<id>.json`: words in order, their texts joined by spaces."""
    content, problem = _object(file.text, ("text", "chunks"))
    if content is None:
        return Annotation(None, (), (), (file.finding(_code(problem), problem),))
    rows = _rows(content["chunks"], ("text", "timestamp"))
    pairs = None if rows is None else [tuple(t) for row in rows if isinstance(t := row["timestamp"], list)]
    times = None if rows is None or pairs is None or len(pairs) != len(rows) else _times(pairs)
    if rows is None or times is None:
        detail = (
            "fields: wanted text and chunks of text and timestamp [start, end], in numbers and never null"
        )
        return Annotation(None, (), (), (file.finding(ExportCode.WRONG_FIELDS, detail),))
    texts = tuple(str(row["text"]) for row in rows)
    findings = [*_order(file, times, None), *_empty(file, texts)]
    if " ".join(texts) != content["text"]:
        detail = f"text is {content['text']!r}; wanted the chunks joined by spaces"
        findings.append(file.finding(ExportCode.MANIFEST_DIFFERS, detail))
    return Annotation(None, times, texts, tuple(findings))


def _code(problem: str) -> ExportCode:
    return ExportCode.WRONG_FIELDS if problem.startswith("fields") else ExportCode.MALFORMED_LINE


def _object(text: str, keys: Sequence[str]) -> tuple[dict[str, JsonValue] | None, str]:
    try:
        content: JsonValue = json.loads(text)
    except ValueError as error:
        return None, f"is not JSON ({error}); export the run again"
    if not isinstance(content, dict) or set(content) != set(keys):
        got = ", ".join(content) if isinstance(content, dict) else type(content).__name__
        return None, f"fields {got}; wanted {', '.join(keys)}"
    return content, ""


def _rows(value: JsonValue, keys: Sequence[str]) -> list[dict[str, JsonValue]] | None:
    if not isinstance(value, list):
        return None
    rows = [row for row in value if isinstance(row, dict) and set(row) == set(keys)]
    return rows if len(rows) == len(value) else None


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _times(pairs: Sequence[tuple[JsonValue, ...]]) -> Times | None:
    times = []
    for pair in pairs:
        if len(pair) != 2 or not all(_is_number(value) for value in pair):
            return None
        times.append((float(str(pair[0])), float(str(pair[1]))))
    return tuple(times)


def _order(file: Annotated, times: Times, duration_s: float | None) -> Iterator[ExportFinding]:
    starts = [start for start, _ in times]
    slack = file.limits.duration_s
    late = duration_s is not None and any(end > duration_s + slack for _, end in times)
    if starts != sorted(starts) or any(end <= start for start, end in times) or late:
        yield file.finding(
            ExportCode.TIMES_OFF, "times are out of order, empty, or later than the audio's end"
        )


def _empty(file: Annotated, texts: Sequence[str]) -> Iterator[ExportFinding]:
    if not all(text.strip() for text in texts):
        yield file.finding(ExportCode.EMPTY_TEXT, "has a segment or word without text")

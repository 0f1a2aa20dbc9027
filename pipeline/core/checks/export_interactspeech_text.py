"""`information.json` of InteractSpeech against the rules of its demos; nothing here calls the code that wrote it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pydantic import JsonValue

from pipeline.core.checks.export_findings import ExportCode, ExportFinding
from pipeline.domain.labels import Speaker

_KEYS = ("original_dialog_id", "dialog_index", "processed_dialogue", "speakerA_time", "speakerB_time")
_SIDES = {"A": Speaker.USER, "B": Speaker.ASSISTANT}
_LINE = re.compile(r"(?P<side>[AB]): (?P<text>.*)")
_MARK = " [interrupt] "

Interval = tuple[int, int]
"""[start, end) in samples."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of the text with its interval."""

    speaker: Speaker
    interval: Interval
    voiced: str
    """What stands before the mark, or all of it."""
    marked: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What the file says; no lines where they cannot be told from the intervals."""

    index: str
    lines: tuple[TextLine, ...]
    findings: tuple[ExportFinding, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    export_id: str

    def finding(self, code: ExportCode, detail: str) -> ExportFinding:
        return ExportFinding(code=code, path=self.path, export_id=self.export_id, detail=detail)


def read_information(path: str, export_id: str, text: str | None) -> Told:
    """Read the file and judge it; `text` is None where it is not UTF-8."""
    place = _Place(path, export_id)
    try:
        content: JsonValue = json.loads(text or "")
    except ValueError as error:
        detail = f"is no JSON in UTF-8 ({error}); wanted one object"
        return Told("", (), (place.finding(ExportCode.MALFORMED_LINE, detail),))
    if not isinstance(content, dict) or set(content) != set(_KEYS):
        got = ", ".join(content) if isinstance(content, dict) else type(content).__name__
        detail = f"has {got}; wanted {', '.join(_KEYS)}"
        return Told("", (), (place.finding(ExportCode.WRONG_FIELDS, detail),))
    source, index, dialogue, first, second = (content[key] for key in _KEYS)
    own = {Speaker.USER: _intervals(first), Speaker.ASSISTANT: _intervals(second)}
    whole = isinstance(index, int) and not isinstance(index, bool)
    if not isinstance(source, str) or not isinstance(dialogue, str) or not whole or None in own.values():
        detail = "wanted texts, a whole number for dialog_index and lists of [start, end] in whole samples"
        return Told("", (), (place.finding(ExportCode.WRONG_FIELDS, detail),))
    intervals = {speaker: found for speaker, found in own.items() if found is not None}
    texts = dialogue.split("\n")
    findings = [*_interval_findings(place, intervals), *_text_findings(place, texts)]
    lines, problem = _paired(texts, intervals)
    if problem:
        findings.append(place.finding(ExportCode.TIMES_OFF, problem))
    return Told(str(index), lines, tuple(findings))


def _intervals(value: JsonValue) -> tuple[Interval, ...] | None:
    if not isinstance(value, list):
        return None
    found: list[Interval] = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            return None
        start, end = pair
        # Not isinstance: true and false are integers, too.
        if type(start) is not int or type(end) is not int:
            return None
        found.append((start, end))
    return tuple(found)


def _interval_findings(
    place: _Place, intervals: dict[Speaker, tuple[Interval, ...]]
) -> Iterator[ExportFinding]:
    for speaker, own in intervals.items():
        wrong = [list(one) for one in own if not 0 <= one[0] < one[1]]
        wrong += [list(after) for before, after in pairwise(own) if after[0] < before[1]]
        if wrong:
            detail = f"intervals of the {speaker.value}: {wrong} are empty or out of order; wanted one after another"
            yield place.finding(ExportCode.TIMES_OFF, detail)


def _text_findings(place: _Place, texts: list[str]) -> Iterator[ExportFinding]:
    for index, text in enumerate(texts):
        match = _LINE.fullmatch(text)
        if match is None:
            detail = f"line {index}: {text!r}; wanted one that begins with 'A: ' or 'B: '"
            yield place.finding(ExportCode.MALFORMED_LINE, detail)
            continue
        voiced, mark, unvoiced = match["text"].partition(_MARK)
        if set(voiced + unvoiced) & set("[]"):
            detail = f"line {index}: {match['text']!r} has brackets beside one [interrupt] between spaces"
            yield place.finding(ExportCode.UNKNOWN_TAG, detail)
        # Of a word that was broken off before its first letter nothing is heard, so only lines without a mark
        # have to begin with words.
        if not (unvoiced if mark else voiced).strip():
            detail = (
                f"line {index}: {match['text']!r}; wanted words, and words that were left to say after a mark"
            )
            yield place.finding(ExportCode.EMPTY_TEXT, detail)


def _paired(
    texts: list[str], intervals: dict[Speaker, tuple[Interval, ...]]
) -> tuple[tuple[TextLine, ...], str]:
    """Intervals of both speakers by time are the lines in order, or: why they are not."""
    union = sorted((interval, speaker) for speaker, own in intervals.items() for interval in own)
    sides = [_SIDES.get(text[:1]) for text in texts]
    if len(union) != len(texts):
        return (), f"has {len(union)} intervals for {len(texts)} lines; wanted one for each"
    starts = [start for (start, _), _ in union]
    if len(set(starts)) != len(starts):
        return (), "has two intervals that begin on one sample, so that nobody can say whose line is first"
    if [speaker for _, speaker in union] != sides or any(start < 0 for start in starts):
        said = "".join(text[:1] for text in texts)
        return (), f"has lines by {said} and intervals by others at their time; wanted them one to one"
    return tuple(_line(text, *one) for text, one in zip(texts, union, strict=True)), ""


def _line(text: str, interval: Interval, speaker: Speaker) -> TextLine:
    voiced, mark, _ = text[3:].partition(_MARK)
    return TextLine(speaker, interval, voiced, bool(mark))

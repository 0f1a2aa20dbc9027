"""One line of a Track 1 file against the documented rules; nothing here calls the code that wrote it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from pipeline.core.checks.export_findings import ExportCode, ExportFinding
from pipeline.domain.emotional import EmotionalTask, Tag
from pipeline.domain.labels import Emotion

_LABELS = frozenset(emotion.value for emotion in Emotion)
_TAGS = frozenset(tag.value for tag in Tag)
_BRACKETED = re.compile(r"\[([^\[\]]*)\]")
_INSIDE_WORD = re.compile(r"[A-Za-z0-9]\[[^\[\]]*\][A-Za-z0-9]")
_ID = re.compile(r"task([1-5])_([1345])_(zh|en)_\d{4}_\d{4}")

_ANNOTATED = ("turn_id", "text", "emotion", "split_audio_file", "response_text")
_GIVEN = ("turn_id", "input_audio")
_WORDS = ("turn_id", "input_text", "input_emotion")
_ANSWERED = ("turn_id", "input_audio", "response_text", "response_audio")
_SCORED = ("turn_id", "input_audio", "input_text", "input_emotion", "response_text")

_TREES = (
    (r"(?P<kind>train|dev)_jsonl/(?P<lang>zh|en)/task(?P<task>[1-5])_(?P<turns>[1345])\.jsonl", 2),
    (r"(?P<kind>train)/(?P<lang>zh|en)/task(?P<task>1)\.jsonl", 1),
    (r"(?P<kind>train)/(?P<lang>zh|en)/task(?P<task>[23])_(?P<turns>[345])\.jsonl", 1),
    (r"(?P<kind>dev)/(?P<lang>zh|en)/task(?P<task>[1-4])\.jsonl", 1),
    (r"(?P<kind>HD-Track1-Test)/(?P<lang>zh|en)/HD-Track1-T(?P<task>[1-5])\.jsonl", 2),
    (r"(?P<kind>HD-Track1)/(?P<lang>zh|en)/HD-Track1-T(?P<task>[1-3])\.jsonl", 2),
    (r"(?P<kind>scoring)/(?P<lang>zh|en)/HD-Track1-T(?P<task>[1-3])\.jsonl", 2),
)
_PATH_FIELDS = {"split_audio_file": ".wav", "input_audio": ".wav", "response_audio": "_response.wav"}
_NUMBERS_1 = ("recognition", "trajectory", "reasoning", "empathy", "generation")


@dataclass(frozen=True, slots=True)
class LinesFile:
    """A JSONL file of one of the trees, by what its path says."""

    path: str
    kind: str
    """`train`, `dev`, `HD-Track1-Test`, `HD-Track1` or `scoring`."""
    language: str
    number: int
    """Of the task, as its generation counts."""
    turns: int | None
    """Where the file holds one number of turns only."""
    generation: int

    @classmethod
    def of(cls, path: str) -> "LinesFile | None":
        """What the path says; None for a path of no tree."""
        for pattern, generation in _TREES:
            match = re.fullmatch(pattern, path)
            if match is not None:
                turns = match.groupdict().get("turns")
                return cls(
                    path,
                    match["kind"],
                    match["lang"],
                    int(match["task"]),
                    None if turns is None else int(turns),
                    generation,
                )
        return None

    @property
    def task(self) -> EmotionalTask:
        """The task that the number stands for."""
        if self.generation == 1:
            return EmotionalTask(_NUMBERS_1[self.number - 1])
        return tuple(EmotionalTask)[self.number - 1]

    @property
    def official(self) -> bool:
        """Whether readers of the field are to find it."""
        return self.kind != "scoring"

    @property
    def base(self) -> str:
        """The folder that paths in its lines count from."""
        return "" if self.kind in ("scoring", "HD-Track1") else self.path.rpartition("/")[0] + "/"

    def fields(self) -> tuple[tuple[str, ...], frozenset[str]]:
        """What a turn must have, and what it may have."""
        if self.kind == "scoring":
            return _SCORED, frozenset({"response_audio"})
        if self.kind == "HD-Track1":
            return _ANSWERED, frozenset()
        if self.kind == "HD-Track1-Test":
            return (_WORDS if self.task is EmotionalTask.GENERATION else _GIVEN), frozenset()
        if self.task.single_turn:
            return _ANNOTATED[:-1], frozenset({"response_text"})
        return _ANNOTATED, frozenset()


@dataclass(frozen=True, slots=True)
class ReadLine:
    """What a line says, where it says it well; its findings."""

    export_id: str | None
    texts: tuple[str, ...]
    emotions: tuple[str, ...]
    responses: tuple[str, ...]
    audio: tuple[str, ...]
    """Paths from the export's root."""
    findings: tuple[ExportFinding, ...]


Turns = list[dict[str, JsonValue]]


@dataclass(frozen=True, slots=True)
class _Place:
    file: LinesFile
    number: int
    export_id: str | None = None

    def finding(self, code: ExportCode, detail: str) -> ExportFinding:
        return ExportFinding(
            code=code, path=self.file.path, export_id=self.export_id, detail=f"line {self.number}: {detail}"
        )


def read_line(file: LinesFile, number: int, line: str) -> ReadLine:
    """Read one line and judge it."""
    place = _Place(file, number)
    turns, export_id, problem = _parse(line)
    if turns is None or export_id is None:
        code = ExportCode.WRONG_FIELDS if problem.startswith("fields") else ExportCode.MALFORMED_LINE
        return ReadLine(None, (), (), (), (), (place.finding(code, problem),))
    place = _Place(file, number, export_id)
    findings = [*_id_findings(place, len(turns)), *_turn_findings(place, turns)]
    shaped = not any(f.code is ExportCode.WRONG_FIELDS for f in findings)
    if shaped:
        findings += [*_text_findings(place, turns), *_score_findings(place, turns)]
        findings += _path_findings(place, turns)
    audio = [f"{file.base}{turn[name]}" for turn in turns for name in _PATH_FIELDS if name in turn]
    return ReadLine(
        export_id,
        _strings(turns, "text", "input_text"),
        _strings(turns, "emotion", "input_emotion"),
        _strings(turns, "response_text"),
        tuple(audio) if shaped else (),
        tuple(findings),
    )


def _parse(line: str) -> tuple[Turns | None, str | None, str]:
    try:
        content: JsonValue = json.loads(line)
    except ValueError as error:
        return None, None, f"is not JSON ({error}); wanted one object per line"
    if not isinstance(content, dict):
        return None, None, f"holds a {type(content).__name__}; wanted one object per line"
    if set(content) != {"dialogue_id", "turns"}:
        return None, None, f"fields {', '.join(content) or 'none'}; wanted dialogue_id, turns"
    name, turns = content["dialogue_id"], content["turns"]
    if not isinstance(name, str) or not isinstance(turns, list):
        return None, None, "fields dialogue_id and turns: wanted text and a list"
    objects = [turn for turn in turns if isinstance(turn, dict)]
    if len(objects) != len(turns):
        return None, None, "fields of turns: wanted objects"
    return objects, name, ""


def _id_findings(place: _Place, count: int) -> Iterator[ExportFinding]:
    match = _ID.fullmatch(place.export_id or "")
    if match is None:
        wanted = "task<n>_<turns>_<zh|en>_dddd_dddd"
        yield place.finding(ExportCode.BAD_ID, f"id {place.export_id!r}; wanted {wanted}")
        return
    file = place.file
    said = (int(match[1]), int(match[2]), match[3])
    wanted_here = (file.number, count if file.turns is None else file.turns, file.language)
    if said != wanted_here or said[1] != count:
        detail = (
            f"id {place.export_id!r} with {count} turns; wanted task {wanted_here[0]}, {wanted_here[1]} turns, "
            f"{wanted_here[2]} in this file"
        )
        yield place.finding(ExportCode.MISPLACED, detail)


def _turn_findings(place: _Place, turns: Turns) -> Iterator[ExportFinding]:
    numbers = [turn.get("turn_id") for turn in turns]
    allowed = (1,) if place.file.task.single_turn else (3, 4, 5)
    if numbers != list(range(1, len(turns) + 1)) or len(turns) not in allowed:
        wanted = " or ".join(map(str, allowed))
        yield place.finding(
            ExportCode.TURN_NUMBERS, f"turns {numbers}; wanted 1, 2, 3 ... and {wanted} in all"
        )
    for index, turn in enumerate(turns, start=1):
        needed, optional = place.file.fields()
        missing, extra = set(needed) - set(turn), set(turn) - set(needed) - optional
        if missing or extra:
            detail = (
                f"turn {index}: missing {', '.join(sorted(missing)) or 'nothing'}, "
                f"beyond the layout {', '.join(sorted(extra)) or 'nothing'}; wanted {', '.join(needed)}"
            )
            yield place.finding(ExportCode.WRONG_FIELDS, detail)
        untyped = [name for name, value in turn.items() if not _well_typed(name, value)]
        if untyped:
            detail = f"turn {index}: {', '.join(untyped)}: wanted text, and a whole number for turn_id"
            yield place.finding(ExportCode.WRONG_FIELDS, detail)


def _well_typed(name: str, value: JsonValue) -> bool:
    if name == "turn_id":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)


def _text_findings(place: _Place, turns: Turns) -> Iterator[ExportFinding]:
    for index, turn in enumerate(turns, start=1):
        for name in ("text", "input_text", "response_text"):
            if name not in turn:
                continue
            text = str(turn[name])
            if not _BRACKETED.sub("", text).strip():
                yield place.finding(ExportCode.EMPTY_TEXT, f"turn {index}: {name} is {text!r}; wanted words")
            problem = _tag_problem(text)
            if problem:
                yield place.finding(ExportCode.UNKNOWN_TAG, f"turn {index}: {name} {problem}")
        for name in ("emotion", "input_emotion"):
            if name in turn and turn[name] not in _LABELS:
                wanted = ", ".join(sorted(_LABELS))
                detail = f"turn {index}: {name} {turn[name]!r}; wanted one of {wanted}"
                yield place.finding(ExportCode.UNKNOWN_LABEL, detail)


def _tag_problem(text: str) -> str:
    unknown = sorted({inside for inside in _BRACKETED.findall(text) if inside not in _TAGS})
    if unknown:
        return (
            f"holds {', '.join(f'[{inside}]' for inside in unknown)}; wanted [{'], ['.join(sorted(_TAGS))}]"
        )
    if _INSIDE_WORD.search(text):
        return f"has a tag inside a word: {text!r}"
    if set(_BRACKETED.sub("", text)) & {"[", "]"}:
        return f"has a bracket without its partner: {text!r}"
    return ""


def _score_findings(place: _Place, turns: Turns) -> Iterator[ExportFinding]:
    """What judges skip or misread. Test lines say nothing of feelings; their `scoring` twins do."""
    emotions = _strings(turns, "emotion", "input_emotion")
    task = place.file.task
    if not emotions or task.single_turn:
        return
    felt = sum(emotion != Emotion.NEUTRAL.value for emotion in emotions)
    spelled = " -> ".join(emotions)
    if task is EmotionalTask.EMPATHY:
        if felt != 2:
            detail = f"{spelled}: {felt} turns are not neutral; wanted 2, of which the second is scored"
            yield place.finding(ExportCode.NOT_SCORABLE, detail)
        return
    if emotions[-1] != Emotion.NEUTRAL.value:
        yield place.finding(ExportCode.NOT_SCORABLE, f"{spelled}; wanted a neutral question as last turn")
    if len(set(emotions[:-1])) < 2 or felt < 2:
        detail = f"{spelled}; wanted a change of feeling, and two turns or more that are not neutral"
        yield place.finding(ExportCode.NOT_SCORABLE, detail)


def _path_findings(place: _Place, turns: Turns) -> Iterator[ExportFinding]:
    for turn in turns:
        for name, ending in _PATH_FIELDS.items():
            if name in turn:
                wanted = f"{place.export_id}_{turn['turn_id']}{ending}"
                if str(turn[name]).rpartition("/")[2] != wanted:
                    detail = f"{name} is {turn[name]!r}; wanted a file called {wanted}"
                    yield place.finding(ExportCode.MISPLACED, detail)


def _strings(turns: Turns, *names: str) -> tuple[str, ...]:
    return tuple(str(turn[name]) for turn in turns for name in names if name in turn)

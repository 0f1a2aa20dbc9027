"""One line of an `osum-echat` or `opens2s` file against the documented rules.

Nothing here calls the code that wrote it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from pipeline.core.checks.export_findings import ExportCode, ExportFinding
from pipeline.domain.emotional import Tag
from pipeline.domain.labels import Emotion

_BRACKETED = re.compile(r"\[([^\[\]]*)\]")
_NUMBERED = re.compile(r"(?:wav|txt)_(\d+)")
_TOKENS = re.compile(r"speech_token(?:_(\d+))?")
_TAGS = frozenset(tag.value for tag in Tag)
_NONE = "none"
"""What readers take for a field that is not there."""

_METADATA = ("task", "lang", "speaker", "emotion", "gender")
_REQUIRED = frozenset({"key", "task", "wav", "txt", "extra"})
_OPTIONAL = frozenset({"lang", "speaker", "emotion", "gender"})
_MULTI_TURN, _SINGLE_TURN = "<S2TCHAT> <TEXT2TOKEN> <HISTORY>", "<S2TCHAT> <TEXT2TOKEN>"
_VOCABULARY = {
    "lang": frozenset({"<CN>", "<EN>", _NONE}),
    "emotion": frozenset({*(emotion.value for emotion in Emotion), _NONE}),
    "gender": frozenset({"female", "male", _NONE}),
}
_EXTRA_TEXTS = frozenset({"age", "gender", "think_str", "question", "a_wav_path", "dataset"})
_CONTENT = ("text", "audio", "speech_units", "spk_emb")
_LANGUAGES = {"zh": "<CN>", "en": "<EN>"}

Fields = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class AnsweredLine:
    """What a line says; None where its format has no word for it."""

    key: str | None
    findings: tuple[ExportFinding, ...]
    whole: bool = True
    """Whether it could be read at all."""
    user_audio: tuple[str, ...] = ()
    """From the first turn to the last."""
    responses: tuple[str, ...] = ()
    last_response_audio: str | None = None
    question: str | None = None
    """The user's last words."""
    emotion: str | None = None
    """Of the last user turn."""
    last_duration_s: float | None = None
    """Of the last user audio."""

    def audio(self) -> tuple[str, ...]:
        """Every file that the line names."""
        return tuple(path for path in (*self.user_audio, self.last_response_audio) if path)


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    number: int
    key: str | None = None

    def finding(self, code: ExportCode, detail: str) -> ExportFinding:
        return ExportFinding(
            code=code, path=self.path, export_id=self.key, detail=f"line {self.number}: {detail}"
        )

    def unread(self, code: ExportCode, detail: str) -> AnsweredLine:
        """A line of which nothing but this is known."""
        return AnsweredLine(self.key, (self.finding(code, detail),), whole=False)


def read_osum_line(path: str, number: int, text: str) -> AnsweredLine:
    """A raw line of OSUM-EChat: the last user audio and the final response, and the history by numbers."""
    place = _Place(path, number)
    item, problem = _object(text)
    if item is None:
        return place.unread(ExportCode.MALFORMED_LINE, problem)
    key = item.get("key")
    place = _Place(path, number, key if isinstance(key, str) else None)
    problem = _osum_shape(item)
    extra = item.get("extra")
    if problem or not isinstance(extra, dict):
        return place.unread(ExportCode.WRONG_FIELDS, problem)
    history = _numbers(item)
    findings = (
        *_key_findings(place, str(key)),
        *_history_findings(place, item, extra),
        *_metadata_findings(place, item),
        *_text_findings(place, {n: v for n, v in item.items() if n.startswith("txt")}),
        *_tag_findings(place, "extra.question", extra.get("question", "")),
    )
    answer, question, duration = (extra.get(name) for name in ("a_wav_path", "question", "duration"))
    emotion = item.get("emotion", _NONE)

    def in_order(kind: str) -> tuple[str, ...]:
        names = (*(f"{kind}_{n}" for n in history), kind)
        return tuple(str(item[name]) for name in names if name in item)

    return AnsweredLine(
        str(key),
        findings,
        user_audio=in_order("wav"),
        responses=in_order("txt"),
        last_response_audio=None if answer is None else str(answer),
        question=None if question is None else str(question),
        emotion=None if emotion == _NONE else str(emotion),
        last_duration_s=None if duration is None else float(str(duration)),
    )


def read_opens2s_line(path: str, number: int, text: str) -> AnsweredLine:
    """A line of OpenS2S: messages of the user, who is heard, and of the assistant, who is read."""
    place = _Place(path, number)
    item, problem = _object(text)
    if item is None:
        return place.unread(ExportCode.MALFORMED_LINE, problem)
    messages, problem = _messages(item)
    if messages is None:
        return place.unread(ExportCode.WRONG_FIELDS, problem)
    roles = [role for role, _ in messages]
    findings = [*_role_findings(place, roles)]
    for index, (role, content) in enumerate(messages, start=1):
        findings += _content_findings(place, f"message {index}", role, content)
    return AnsweredLine(
        None,
        tuple(findings),
        user_audio=tuple(content["audio"] for role, content in messages if role == "user"),
        responses=tuple(content["text"] for role, content in messages if role == "assistant"),
    )


def _object(text: str) -> tuple[dict[str, JsonValue] | None, str]:
    try:
        content: JsonValue = json.loads(text)
    except ValueError as error:
        return None, f"is not JSON ({error}); wanted one object per line"
    if not isinstance(content, dict):
        return None, f"holds a {type(content).__name__}; wanted one object per line"
    return content, ""


def _osum_shape(item: Fields) -> str:
    """What keeps the line from being read, if anything does."""
    beyond = sorted(n for n in item.keys() - _REQUIRED - _OPTIONAL if not _NUMBERED.fullmatch(n))
    if beyond or _REQUIRED - item.keys():
        missing = sorted(_REQUIRED - item.keys())
        return (
            f"missing {', '.join(missing) or 'nothing'}, beyond the layout {', '.join(beyond) or 'nothing'}; "
            f"wanted {', '.join(sorted(_REQUIRED))}"
        )
    untyped = sorted(name for name, value in item.items() if name != "extra" and not isinstance(value, str))
    if untyped:
        return f"{', '.join(untyped)}: wanted text"
    extra = item["extra"]
    if not isinstance(extra, dict):
        return "extra: wanted an object"
    wrong = sorted(name for name, value in extra.items() if not _extra_typed(name, value))
    if wrong:
        return f"extra: {', '.join(wrong)}: wanted documented keys with lists of numbers, numbers or texts"
    return ""


def _extra_typed(name: str, value: JsonValue) -> bool:
    if _TOKENS.fullmatch(name):
        return isinstance(value, list) and all(_is_whole(token) for token in value)
    if name == "speech_token_num":
        return _is_whole(value)
    if name == "duration":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return name in _EXTRA_TEXTS and isinstance(value, str)


def _is_whole(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _numbers(item: Fields) -> list[int]:
    return sorted({int(match[1]) for name in item if (match := _NUMBERED.fullmatch(name))})


def _key_findings(place: _Place, key: str) -> Iterator[ExportFinding]:
    if not key or not key.isascii() or "." in key or "/" in key:
        detail = f"key {key!r}; wanted ASCII without dots, after which members of the shards are named"
        yield place.finding(ExportCode.BAD_ID, detail)


def _history_findings(place: _Place, item: Fields, extra: Fields) -> Iterator[ExportFinding]:
    """A gap in the numbers makes the reader discard all of the history."""
    numbers = {
        kind: sorted(int(name.removeprefix(f"{kind}_")) for name in names if _is_numbered(name, kind))
        for kind, names in (("wav", item), ("txt", item), ("speech_token", extra))
    }
    longest = max(map(len, numbers.values()))
    wanted = list(range(1, longest + 1))
    if any(found != wanted for found in numbers.values()) or "speech_token" not in extra:
        spelled = ", ".join(f"{kind} {found}" for kind, found in numbers.items())
        detail = f"history is numbered {spelled}; wanted 1, 2, 3 ... without a gap, and speech_token"
        yield place.finding(ExportCode.TURN_NUMBERS, detail)
    task = _MULTI_TURN if longest else _SINGLE_TURN
    if item["task"] != task:
        detail = f"task {item['task']!r} with {longest} turns of history; wanted {task!r}"
        yield place.finding(ExportCode.UNKNOWN_LABEL, detail)


def _is_numbered(name: str, kind: str) -> bool:
    # Not isdigit: readers format a number, and `01` is none that they make.
    return re.fullmatch(rf"{kind}_(0|[1-9]\d*)", name) is not None


def _metadata_findings(place: _Place, item: Fields) -> Iterator[ExportFinding]:
    for name in _METADATA:
        value = str(item.get(name, _NONE))
        if not value.isascii():
            detail = f"{name} {value!r}; wanted ASCII: its size is counted in characters, the rest is cut off"
            yield place.finding(ExportCode.UNKNOWN_LABEL, detail)
        elif name in _VOCABULARY and value not in _VOCABULARY[name]:
            detail = f"{name} {value!r}; wanted one of {', '.join(sorted(_VOCABULARY[name]))}"
            yield place.finding(ExportCode.UNKNOWN_LABEL, detail)
    lang = item.get("lang", _NONE)
    wanted = _LANGUAGES[place.path.rpartition("/")[2].removesuffix(".jsonl")]
    if lang in _LANGUAGES.values() and lang != wanted:
        yield place.finding(ExportCode.MISPLACED, f"lang {lang!r} in this file; wanted {wanted!r}")


def _text_findings(place: _Place, texts: Fields) -> Iterator[ExportFinding]:
    for name, value in texts.items():
        if not str(value).strip():
            yield place.finding(ExportCode.EMPTY_TEXT, f"{name} is {value!r}; wanted words")
        yield from _tag_findings(place, name, value)


def _tag_findings(place: _Place, name: str, value: JsonValue) -> Iterator[ExportFinding]:
    unknown = sorted(set(_BRACKETED.findall(str(value))) - _TAGS)
    if unknown:
        detail = f"{name} holds [{'], ['.join(unknown)}]; wanted [{'], ['.join(sorted(_TAGS))}]"
        yield place.finding(ExportCode.UNKNOWN_TAG, detail)


Message = tuple[str, dict[str, str]]
"""A role and its content."""


def _messages(item: Fields) -> tuple[list[Message] | None, str]:
    if set(item) != {"messages"} or not isinstance(listed := item["messages"], list):
        return None, f"has {', '.join(item) or 'no field'}; wanted messages, a list, and nothing else"
    found: list[Message] = []
    for index, message in enumerate(listed, start=1):
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            return None, f"message {index}: wanted role and content, and nothing else"
        role, content = message["role"], message["content"]
        if role not in ("user", "assistant") or not isinstance(content, list) or len(content) != 1:
            return None, f"message {index}: wanted user or assistant, and one content in a list"
        inside = content[0]
        texts = {n: v for n, v in inside.items() if isinstance(v, str)} if isinstance(inside, dict) else {}
        if inside != texts or set(texts) != set(_CONTENT):
            return None, f"message {index}: wanted texts for all of {', '.join(_CONTENT)}, and nothing else"
        found.append((str(role), texts))
    return found, ""


def _role_findings(place: _Place, roles: list[str]) -> Iterator[ExportFinding]:
    wanted = ["user", "assistant"] * (len(roles) // 2)
    if not roles or roles != wanted:
        detail = (
            f"messages by {', '.join(roles) or 'nobody'}; wanted user and assistant by turns, the user first"
        )
        yield place.finding(ExportCode.TURN_NUMBERS, detail)


def _content_findings(
    place: _Place, where: str, role: str, content: dict[str, str]
) -> Iterator[ExportFinding]:
    """Audio wins over text and is legal for the user alone, units for the assistant, and with a text."""
    own = ("audio",) if role == "user" else ("text", "speech_units")
    beyond = [name for name in ("text", "audio", "speech_units") if content[name] and name not in own]
    if beyond:
        detail = f"{where}: {', '.join(beyond)} of the {role}; wanted {', '.join(own)} alone"
        yield place.finding(ExportCode.WRONG_FIELDS, detail)
    if role == "user" and not content["audio"]:
        yield place.finding(ExportCode.MISSING_FILE, f"{where}: audio is empty; wanted the user's turn")
    if role == "assistant":
        yield from _text_findings(place, {f"{where}: text": content["text"]})

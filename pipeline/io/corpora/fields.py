"""Typed access to what a JSON file holds; a RecordError names the field, what it is and what was wanted."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason

T = TypeVar("T")

_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true/false",
    type(None): "null",
}


def mapping(value: object, what: str = "the dialogue") -> Mapping[str, object]:
    """The value as a JSON object."""
    return _checked(value, dict, what)


def sequence(value: object, what: str = "the dialogue") -> Sequence[object]:
    """The value as a JSON list."""
    return _checked(value, list, what)


def text(value: object, what: str) -> str:
    """The value as a text."""
    return _checked(value, str, what)


def texts(value: object, what: str) -> tuple[str, ...]:
    """The value as a list of texts."""
    return tuple(text(item, f"{what}[{index}]") for index, item in enumerate(sequence(value, what)))


def field(record: Mapping[str, object], key: str) -> object:
    """A field that has to be there."""
    if key not in record:
        found = ", ".join(list(record)[:8]) or "none"
        raise RecordError(Reason.MISSING_FIELD, f"no field {key!r}; its fields: {found}")
    return record[key]


def text_field(record: Mapping[str, object], key: str) -> str:
    """A text that has to be there."""
    return text(field(record, key), key)


def optional_text(record: Mapping[str, object], key: str) -> str | None:
    """A text that may be absent, null or empty: then None."""
    value = record.get(key)
    return None if value is None else text(value, key) or None


def mapping_field(record: Mapping[str, object], key: str) -> Mapping[str, object]:
    """An object that has to be there."""
    return mapping(field(record, key), key)


def objects_field(record: Mapping[str, object], key: str) -> tuple[Mapping[str, object], ...]:
    """A list of objects that has to be there."""
    items = sequence(field(record, key), key)
    return tuple(mapping(item, f"{key}[{index}]") for index, item in enumerate(items))


def _checked(value: object, wanted: type[T], what: str) -> T:
    if not isinstance(value, wanted):
        got = _NAMES.get(type(value), type(value).__name__)
        raise RecordError(Reason.MALFORMED_RECORD, f"{what} is {got}, wanted {_NAMES[wanted]}")
    return value

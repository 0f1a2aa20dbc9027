"""The record that MultiWOZ 2.2 and SGD share: services, and turns by USER and SYSTEM."""

import re

from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason
from pipeline.io.corpora.fields import field, mapping, objects_field, text_field, texts
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.shaping import NativeDialogue, Utterance

SYSTEM = "SYSTEM"
_SPEAKERS = ("USER", SYSTEM)


def read_schema_guided(item: Item) -> NativeDialogue:
    """The dialogue; `.json` at the end of a MultiWOZ id is no part of the id."""
    record = mapping(item.value)
    return NativeDialogue(
        native_id=text_field(record, "dialogue_id").removesuffix(".json"),
        split=item.split,
        utterances=tuple(
            Utterance(_speaker(text_field(turn, "speaker")), text_field(turn, "utterance"))
            for turn in objects_field(record, "turns")
        ),
        topic=service_topic(texts(field(record, "services"), "services")),
        systems=frozenset({SYSTEM}),
    )


def service_topic(services: tuple[str, ...]) -> str | None:
    """Services as words.

    >>> service_topic(("RideSharing_2", "Banks_1"))
    'ride sharing, banks'
    """
    words = (re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"_\d+$", "", service)) for service in services)
    return ", ".join(dict.fromkeys(word.lower() for word in words)) or None


def _speaker(name: str) -> str:
    if name not in _SPEAKERS:
        raise RecordError(Reason.MALFORMED_RECORD, f"speaker is {name!r}, wanted {' or '.join(_SPEAKERS)}")
    return name

"""The container that DialogStudio converts its datasets to.

::

    {"SODA--train--1": {"original dialog id": "", "original dialog info": {...}, "log": [
        {"user utterance": "I missed it again!", "system response": "Oh no.", ...},
        {"user utterance": "I know.",            "system response": "",       ...}]}}

A side that did not speak is an empty text: at the end where the number of turns is odd, at the start where
the system opened. `dialog history` repeats everything and is ignored. Same-speaker runs were merged before.
"""

import re
from collections.abc import Mapping

from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason
from pipeline.io.corpora.fields import mapping, mapping_field, objects_field, optional_text, text_field
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.shaping import NativeDialogue, Utterance

USER = "user"
SYSTEM = "system"

_KEY = re.compile(r"(?P<name>.+)--(?P<split>\w+)--(?P<number>\d+)")


def is_container(item: Item) -> bool:
    """Whether the item is a dialogue in this form rather than in its corpus's own."""
    return isinstance(item.value, dict) and "log" in item.value and "original dialog info" in item.value


def original_info(item: Item) -> Mapping[str, object]:
    """What the container kept of the original dialogue beside its turns."""
    return mapping_field(mapping(item.value), "original dialog info")


def read_container(item: Item) -> NativeDialogue:
    """The dialogue, its parties named as the container's side information names them, else user and system."""
    record = mapping(item.value)
    key = _KEY.fullmatch(str(item.keys[-1]))
    if key is None:
        raise RecordError(Reason.MALFORMED_RECORD, f"key {item.keys[-1]!r}, wanted <name>--<split>--<n>")
    utterances: list[Utterance] = []
    log = objects_field(record, "log")
    named = True
    for index, turn in enumerate(log):
        for side, content in ((USER, "user utterance"), (SYSTEM, "system response")):
            raw = text_field(turn, content)
            at_edge = (index == 0 and side == USER) or (index == len(log) - 1 and side == SYSTEM)
            if at_edge and not raw.strip():
                continue
            name = _name(turn, side)
            named = named and name is not None
            utterances.append(Utterance(name or side, raw))
    return NativeDialogue(
        native_id=optional_text(record, "original dialog id") or key["number"],
        split=key["split"],
        utterances=tuple(utterances),
        named=named,
    )


def _name(turn: Mapping[str, object], side: str) -> str | None:
    information = turn.get(f"original {side} side information")
    if not isinstance(information, dict):
        return None
    name = information.get("speaker", information.get("speaker_idx"))
    return None if name is None else str(name)

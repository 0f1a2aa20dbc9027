"""MultiWOZ in the form of ConvLab: an object of dialogues in a zip, turns without speakers.

The user speaks first and the parties take turns. Topics come from the names of the dialogue acts
(`Hotel-Inform`, `列车-通知`), because the Chinese files have no goals.
"""

from collections.abc import Mapping
from itertools import cycle

from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason
from pipeline.io.corpora.fields import mapping, objects_field, text_field
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.shaping import NativeDialogue, Utterance

_USER, _SYSTEM = "user", "system"
_NO_TOPICS = frozenset({"general", "booking", "常规", "预定"})


def read_convlab(item: Item, separator: str) -> NativeDialogue:
    """The dialogue; its topic lists the domains, joined by `separator`."""
    log = objects_field(mapping(item.value), "log")
    if not isinstance(item.keys[-1], str):
        raise RecordError(
            Reason.MALFORMED_RECORD, "a list of dialogues, wanted an object from id to dialogue"
        )
    utterances = tuple(
        Utterance(side, text_field(turn, "text"))
        for side, turn in zip(cycle((_USER, _SYSTEM)), log, strict=False)
    )
    domains = dict.fromkeys(domain for turn in log for domain in _domains(turn))
    return NativeDialogue(
        native_id=item.keys[-1],
        split=item.split,
        utterances=utterances,
        topic=separator.join(domains) or None,
        systems=frozenset({_SYSTEM}),
    )


def _domains(turn: Mapping[str, object]) -> tuple[str, ...]:
    acts = turn.get("dialog_act")
    names = (str(act).split("-")[0].lower() for act in acts) if isinstance(acts, dict) else ()
    return tuple(name for name in names if name not in _NO_TOPICS)

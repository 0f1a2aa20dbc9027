"""CrossWOZ: people asking a (human) guide for sights, restaurants, hotels and transport in Beijing."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import field, mapping, objects_field, sequence, text, text_field
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance

_ROLES = ("usr", "sys")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_items, _parse)


def _parse(item: Item) -> NativeDialogue:
    record = mapping(item.value)
    return NativeDialogue(
        native_id=str(item.keys[-1]),
        split=item.split,
        utterances=tuple(map(_utterance, objects_field(record, "messages"))),
        topic=_topic(sequence(field(record, "goal"), "goal")),
        systems=frozenset({"sys"}),
    )


def _utterance(message: Mapping[str, object]) -> Utterance:
    role = text_field(message, "role")
    if role not in _ROLES:
        raise RecordError(Reason.MALFORMED_RECORD, f"role is {role!r}, wanted {' or '.join(_ROLES)}")
    return Utterance(role, text_field(message, "content"))


def _topic(goal: Sequence[object]) -> str | None:
    """Domains of a goal whose rows are `[sub-goal, domain, slot, value, mentioned]`."""
    rows = (sequence(row, f"goal[{index}]") for index, row in enumerate(goal))
    domains = (text(cell, "the domain of a goal row") for row in rows for cell in row[1:2])
    return "、".join(dict.fromkeys(domains)) or None


CORPUS = Corpus(
    name="crosswoz",
    title="CrossWOZ",
    languages=(Language.ZH,),
    files="{train,val,test}.json.zip, or the json file in it",
    source="https://github.com/thu-coai/CrossWOZ",
    licence=licence("Apache-2.0", "CrossWOZ (Zhu et al., 2020), Apache-2.0"),
    read=_read,
)

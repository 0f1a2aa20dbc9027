"""SmileChat: counselling conversations in Chinese; one file per dialogue, or a list of dialogues in one.

A directory of 55,165 files is read one file at a time.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import mapping, sequence, text_field
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance

_ROLES = ("client", "counselor")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, _items, _parse, pattern="*.json")


def _items(file: Path) -> Iterator[Item | Refusal]:
    """Utterances at the top level make one dialogue, named by its file; lists are dialogues of their own."""
    utterances: list[object] = []
    for item in json_items(file):
        if isinstance(item, Item) and isinstance(item.value, dict):
            utterances.append(item.value)
        else:
            yield item
    if utterances:
        yield Item(file, (file.stem,), file.name, utterances)


def _parse(item: Item) -> NativeDialogue:
    utterances = sequence(item.value)
    return NativeDialogue(
        native_id=str(item.keys[-1]) if isinstance(item.keys[-1], str) else item.position_id,
        split="all",
        utterances=tuple(_utterance(mapping(value, "utterance")) for value in utterances),
        systems=frozenset({"counselor"}),
    )


def _utterance(record: Mapping[str, object]) -> Utterance:
    role = text_field(record, "role")
    if role not in _ROLES:
        raise RecordError(Reason.MALFORMED_RECORD, f"role is {role!r}, wanted {' or '.join(_ROLES)}")
    return Utterance(role, text_field(record, "content"))


CORPUS = Corpus(
    name="smilechat",
    title="SmileChat",
    languages=(Language.ZH,),
    files="a directory of <id>.json files, one of those, or a json list of dialogues",
    source="https://github.com/qiuhuachuan/smile",
    licence=licence("CC0-1.0", "SmileChat (Qiu et al., 2023), CC0"),
    read=_read,
)

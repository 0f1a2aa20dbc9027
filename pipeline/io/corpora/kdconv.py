"""KdConv: chat about films, music and sights with a knowledge graph; the parties take turns, unnamed."""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import mapping, objects_field, optional_text, text_field
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, alternating

_DOMAINS = ("film", "music", "travel")
_EXPLANATION = re.compile(r"[（(][^（）()]*[）)]$")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_items, _parse, pattern="[td]e[sv]*.json")


def _parse(item: Item) -> NativeDialogue:
    record = mapping(item.value)
    name = optional_text(record, "name")
    domain = item.file.parent.name
    return NativeDialogue(
        native_id=f"{domain}-{item.keys[-1]}" if domain in _DOMAINS else item.position_id,
        split=item.split,
        utterances=alternating(
            text_field(message, "message") for message in objects_field(record, "messages")
        ),
        topic=_EXPLANATION.sub("", name) or name if name else None,
        named=False,
    )


CORPUS = Corpus(
    name="kdconv",
    title="KdConv",
    languages=(Language.ZH,),
    files="data/{film,music,travel}/{train,dev,test}.json, or a directory of those",
    source="https://github.com/thu-coai/KdConv",
    licence=licence("Apache-2.0", "KdConv (Zhou et al., 2020), Apache-2.0"),
    read=_read,
)

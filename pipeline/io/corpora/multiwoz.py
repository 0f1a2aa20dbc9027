"""MultiWOZ 2.2: people asking a (human) clerk for hotels, trains, tables."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.dialogstudio import SYSTEM, is_container, original_info, read_container
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import field, texts
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.schema_guided import read_schema_guided, service_topic
from pipeline.io.corpora.shaping import NativeDialogue


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_items, _parse, pattern="dialogues_*.json")


def _parse(item: Item) -> NativeDialogue:
    if not is_container(item):
        return read_schema_guided(item)
    native = read_container(item)
    return replace(
        native,
        native_id=native.native_id.removesuffix(".json"),
        topic=service_topic(texts(field(original_info(item), "services"), "services")),
        systems=frozenset({SYSTEM}),
        named=True,
    )


CORPUS = Corpus(
    name="multiwoz",
    title="MultiWOZ 2.2",
    languages=(Language.EN,),
    files="dialogues_NNN.json, a directory of those, or a DialogStudio json file",
    source="https://github.com/budzianowski/multiwoz (data/MultiWOZ_2.2)",
    licence=licence("MIT", "MultiWOZ 2.2 (Zang et al., 2020), MIT"),
    read=_read,
)

"""PLACES 3.5: small talk by a prompted language model, as distributed through DialogStudio.

An utterance is `Alice: I try: tomatoes mostly.`: the speaker ends at the first colon.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.dialogstudio import is_container, original_info, read_container
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import field, mapping, optional_text, texts
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_items, _parse)


def _parse(item: Item) -> NativeDialogue:
    if is_container(item):
        return replace(read_container(item), topic=optional_text(original_info(item), "domain"))
    record = mapping(item.value)
    lines = texts(field(record, "conversation"), "conversation")
    return NativeDialogue(
        native_id=item.position_id,
        split=item.split,
        utterances=tuple(map(_utterance, lines)),
        topic=optional_text(record, "domain"),
    )


def _utterance(line: str) -> Utterance:
    speaker, colon, said = line.partition(":")
    if not colon or not speaker.strip():
        raise RecordError(Reason.MALFORMED_RECORD, f"utterance {line[:60]!r}, wanted '<speaker>: <text>'")
    return Utterance(speaker.strip(), said.strip())


CORPUS = Corpus(
    name="places",
    title="PLACES 3.5",
    languages=(Language.EN,),
    files="a json list or json lines with `conversation` and `domain`, or a DialogStudio json file",
    source="https://github.com/alexa/places",
    licence=licence("CC-BY-NC-4.0", "PLACES (Chen et al., 2023), Amazon, CC BY-NC 4.0"),
    read=_read,
)

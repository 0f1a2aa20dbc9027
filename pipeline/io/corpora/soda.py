"""SODA: million-scale social dialogues written by a language model from commonsense triples.

`tail` is an emotion where `relation` is `xReact` ("PersonX feels ..."): it belongs to PersonX, who may be
either party or neither.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.dialogstudio import USER, is_container, original_info, read_container
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import field, mapping, optional_text, texts
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance, felt_by


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_items, _parse)


def _parse(item: Item) -> NativeDialogue:
    if is_container(item):
        record = original_info(item)
        native = _rename(read_container(item), texts(field(record, "speakers"), "speakers"))
    else:
        record = mapping(item.value)
        said, speakers = (
            texts(field(record, "dialogue"), "dialogue"),
            texts(field(record, "speakers"), "speakers"),
        )
        if len(said) != len(speakers):
            detail = f"{len(said)} utterances by {len(speakers)} speakers, wanted as many"
            raise RecordError(Reason.MALFORMED_RECORD, detail)
        native = NativeDialogue(item.position_id, item.split, tuple(map(Utterance, speakers, said)))
    without_stray_quotes = tuple(replace(u, text=_without_stray_quote(u.raw)) for u in native.utterances)
    return replace(native, utterances=_with_emotion(record, without_stray_quotes))


def _rename(native: NativeDialogue, speakers: tuple[str, ...]) -> NativeDialogue:
    """The container's user and system by name. It folds a third party into one of them: refused instead."""
    names = tuple(dict.fromkeys(speakers))
    if len(names) > 2:
        raise RecordError(Reason.TOO_MANY_SPEAKERS, f"{len(names)} speakers ({', '.join(names)}), wanted two")
    if len(names) < 2:
        raise RecordError(Reason.ONE_SPEAKER, f"speakers: {', '.join(names) or 'none'}, wanted two")
    renamed = tuple(
        replace(u, speaker=names[0] if u.speaker == USER else names[1]) for u in native.utterances
    )
    return replace(native, utterances=renamed, named=True)


def _with_emotion(record: Mapping[str, object], utterances: tuple[Utterance, ...]) -> tuple[Utterance, ...]:
    person = optional_text(record, "PersonX")
    if optional_text(record, "relation") != "xReact" or person is None:
        return utterances
    return felt_by(person, optional_text(record, "tail"), utterances)


def _without_stray_quote(raw: str) -> str:
    """Some utterances begin or end with one half of a pair of quotes."""
    stripped = raw.strip()
    if stripped.count('"') != 1:
        return raw
    return stripped.removeprefix('"').removesuffix('"')


CORPUS = Corpus(
    name="soda",
    title="SODA",
    languages=(Language.EN,),
    files="a json list or json lines with SODA's fields, or a DialogStudio json file",
    source="https://huggingface.co/datasets/allenai/soda",
    licence=licence("CC-BY-4.0", "SODA (Kim et al., 2023), Allen Institute for AI, CC BY 4.0"),
    read=_read,
)

"""DialogSum: everyday dialogues with summaries; three forms of a record.

`train`/`dev` have `summary` and `topic`, `test` has `summary1..3` and `topic1..3`, the hidden test neither.
The dialogue is one text, a line per utterance: `#Person1#: Is the office open?`
"""

import re
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
from pipeline.io.corpora.fields import mapping, optional_text, text_field
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance

_SPEAKER = re.compile(r"#(Person\d+)#\s*:\s*")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_items, _parse)


def _parse(item: Item) -> NativeDialogue:
    if is_container(item):
        return replace(read_container(item), topic=optional_text(original_info(item), "topic"))
    record = mapping(item.value)
    return NativeDialogue(
        native_id=text_field(record, "fname"),
        split=item.split,
        utterances=_utterances(text_field(record, "dialogue")),
        topic=optional_text(record, "topic") or optional_text(record, "topic1"),
    )


def _utterances(dialogue: str) -> tuple[Utterance, ...]:
    """A line without a speaker goes on with the utterance before it."""
    utterances: list[Utterance] = []
    for line in dialogue.splitlines():
        if tag := _SPEAKER.match(line):
            utterances.append(Utterance(tag.group(1), line[tag.end() :]))
        elif utterances:
            utterances[-1] = replace(utterances[-1], raw=f"{utterances[-1].raw}\n{line}")
        elif line.strip():
            raise RecordError(Reason.MALFORMED_RECORD, f"starts with {line[:40]!r}, wanted '#Person1#: ...'")
    return tuple(utterances)


CORPUS = Corpus(
    name="dialogsum",
    title="DialogSum",
    languages=(Language.EN,),
    files="dialogsum.{train,dev,test}.jsonl, dialogsum.hiddentest.dialogue.jsonl or a DialogStudio json file",
    source="https://github.com/cylnlp/dialogsum",
    licence=licence("CC-BY-NC-SA-4.0", "DialogSum (Chen et al., 2021), CC BY-NC-SA 4.0"),
    read=_read,
)

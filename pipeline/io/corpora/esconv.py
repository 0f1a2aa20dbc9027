"""ESConv: emotional support by trained peers. `FailedESConv.json` names the parties otherwise.

`emotion_type` is what the one who seeks help feels; it goes to that party's turns.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import mapping, objects_field, optional_text, text_field
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance

_SEEKERS = ("seeker", "speaker", "usr")
_SUPPORTERS = ("supporter", "listener", "sys")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_items, _parse)


def _parse(item: Item) -> NativeDialogue:
    record = mapping(item.value)
    feeling = optional_text(record, "emotion_type")
    return NativeDialogue(
        native_id=item.position_id,
        split=item.split,
        utterances=tuple(_utterance(turn, feeling) for turn in objects_field(record, "dialog")),
        topic=optional_text(record, "problem_type"),
        systems=frozenset(_SUPPORTERS),
    )


def _utterance(turn: Mapping[str, object], feeling: str | None) -> Utterance:
    speaker = text_field(turn, "speaker")
    if speaker not in _SEEKERS + _SUPPORTERS:
        raise RecordError(Reason.MALFORMED_RECORD, f"speaker is {speaker!r}, wanted seeker or supporter")
    return Utterance(speaker, text_field(turn, "content"), feeling if speaker in _SEEKERS else None)


CORPUS = Corpus(
    name="esconv",
    title="ESConv",
    languages=(Language.EN,),
    files="ESConv.json or FailedESConv.json",
    source="https://github.com/thu-coai/Emotional-Support-Conversation",
    licence=licence("CC-BY-NC-4.0", "ESConv (Liu et al., 2021), CC BY-NC 4.0, for academic research only"),
    read=_read,
)

"""The project's own plain form, for seeds that come from nowhere else: one dialogue per line.

::

    {"id": "d1", "language": "en", "topic": "gardening", "licence": "CC0-1.0",
     "speakers": {"A": {"name": "Nora", "gender": "female"}, "B": {"name": "Otis", "is_system": true}},
     "turns": [{"speaker": "A", "text": "Look, it bloomed!", "emotion": "happy"},
               {"speaker": "B", "text": "After a whole year!"}]}

Only `id` and `turns` are needed. `speaker` is any two names; `speakers` says more about them by those names.
`language` is checked against the one that the configuration asks for. `licence` is an SPDX id; a dialogue
without one may not leave the user's machine. Other keys are refused, so that a typing error is seen.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydantic import Field, ValidationError

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Gender, Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.record import Record
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.documents import json_line_items
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import stated_licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance

_REASONS = {"missing": Reason.MISSING_FIELD, "string_unicode": Reason.UNREADABLE_ENCODING}


class PlainSpeaker(Record):
    """What is known of one party."""

    name: str | None = None
    gender: Gender | None = None
    is_system: bool = False


class PlainTurn(Record):
    """One utterance; runs of one speaker are merged as in any corpus."""

    speaker: str = Field(min_length=1)
    text: str
    emotion: str | None = None


class PlainDialogue(Record):
    """One line of the file."""

    id: str = Field(min_length=1)
    language: Language | None = None
    topic: str | None = None
    speakers: dict[str, PlainSpeaker] = Field(default_factory=dict)
    turns: tuple[PlainTurn, ...]
    licence: str | None = None


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_line_items, partial(_parse, language))


def _parse(language: Language, item: Item) -> NativeDialogue:
    dialogue = _validated(item.value)
    if dialogue.language not in {None, language}:
        detail = f"its language is {dialogue.language!r}, the source's is {language.value!r}"
        raise RecordError(Reason.WRONG_LANGUAGE, detail)
    names = {label: speaker.name or label for label, speaker in dialogue.speakers.items()}
    if len(set(names.values())) < len(names):
        raise RecordError(Reason.MALFORMED_RECORD, f"two speakers have one name: {names}")
    return NativeDialogue(
        native_id=dialogue.id,
        split=item.split,
        utterances=tuple(
            Utterance(names.get(turn.speaker, turn.speaker), turn.text, turn.emotion)
            for turn in dialogue.turns
        ),
        topic=dialogue.topic,
        systems=frozenset(names[label] for label, speaker in dialogue.speakers.items() if speaker.is_system),
        genders={
            names[label]: speaker.gender for label, speaker in dialogue.speakers.items() if speaker.gender
        },
        named=bool(dialogue.speakers) or not {turn.speaker for turn in dialogue.turns} <= {"A", "B"},
        licence=stated_licence(dialogue.licence),
    )


def _validated(value: object) -> PlainDialogue:
    try:
        return PlainDialogue.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        reason = _REASONS.get(first["type"], Reason.MALFORMED_RECORD)
        raise RecordError(reason, f"{where}: {first['msg']}") from error


CORPUS = Corpus(
    name="jsonl",
    title="Plain dialogues (this project's own form)",
    languages=(Language.ZH, Language.EN),
    files="json lines, one dialogue each",
    source="your own texts",
    licence=stated_licence(None),
    read=_read,
)

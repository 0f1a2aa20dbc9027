"""CPED: scenes of forty Chinese television series, with the speakers' gender and thirteen emotions.

A row is a subtitle line: runs of one speaker are the norm, and there is almost no punctuation. A space
inside a line is where a comma would be; a line that is labelled a question gets its mark.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Gender, Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance
from pipeline.io.corpora.tables import Row, rows_of, table_items
from pipeline.io.corpora.text import HAN

_COLUMNS = ("Dialogue_ID", "Utterance_ID", "Speaker", "Gender", "Age", "Emotion", "DA", "Utterance")
_OTHERS = "其他"
_SPACE_FOR_COMMA = re.compile(rf"(?<=[{HAN}])\s+(?=[{HAN}])")
_STOPPED = re.compile(r"[，。！？；：、…—,.!?;:~～]\s*$")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, _items, _parse)


def _items(file: Path) -> Iterator[Item | Refusal]:
    return table_items(file, _COLUMNS, key=("Dialogue_ID",))


def _parse(item: Item) -> NativeDialogue:
    rows = sorted(rows_of(item), key=lambda row: row["Utterance_ID"])
    _check_others(rows)
    genders = {row["Speaker"]: Gender(row["Gender"]) for row in rows if row["Gender"] in set(Gender)}
    return NativeDialogue(
        native_id=rows[0]["Dialogue_ID"],
        split=item.split,
        utterances=tuple(map(_utterance, rows)),
        genders=genders,
    )


def _utterance(row: Row) -> Utterance:
    if not row["Speaker"].strip():
        raise RecordError(Reason.MISSING_FIELD, f"{row['Utterance_ID']} names no speaker")
    raw = row["Utterance"]
    text = _SPACE_FOR_COMMA.sub("，", raw.strip())
    if row["DA"] == "question" and text and not _STOPPED.search(text):
        text += "？"
    return Utterance(row["Speaker"].strip(), raw, row["Emotion"] or None, text)


def _check_others(rows: list[Row]) -> None:
    """`其他` is anybody without a name: two of different gender or age are two people."""
    people = {(row["Gender"], row["Age"]) for row in rows if row["Speaker"].strip() == _OTHERS}
    if len(people) > 1:
        detail = f"{_OTHERS!r} stands for {len(people)} different people, wanted two parties in all"
        raise RecordError(Reason.TOO_MANY_SPEAKERS, detail)


CORPUS = Corpus(
    name="cped",
    title="CPED",
    languages=(Language.ZH,),
    files="{train,valid,test}_split.csv",
    source="https://github.com/scutcyr/CPED",
    licence=licence(
        "Apache-2.0",
        "CPED (Chen et al., 2022), Apache-2.0; subtitles of television series",
        redistributable=False,
    ),
    read=_read,
)

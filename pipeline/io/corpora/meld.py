"""MELD and MELD_Dyadic: scenes of *Friends* with an emotion per utterance.

The dyadic files cut two-party dialogues out of the same scenes and number them anew: their ids say so.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.friends import one_person
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance
from pipeline.io.corpora.tables import number, rows_of, table_items

_COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, _items, _parse)


def _items(file: Path) -> Iterator[Item | Refusal]:
    return table_items(file, _COLUMNS, key=("Dialogue_ID",))


def _parse(item: Item) -> NativeDialogue:
    """Ordered by Utterance_ID, never by time: hours have one digit or two, and some rows end before they start."""
    rows = sorted(rows_of(item), key=lambda row: number(row, "Utterance_ID"))
    form = "dyadic-" if "Old_Dialogue_ID" in rows[0] else ""
    return NativeDialogue(
        native_id=f"{form}{rows[0]['Dialogue_ID']}",
        split=item.split,
        utterances=tuple(
            Utterance(one_person(row["Speaker"]), row["Utterance"], row["Emotion"] or None) for row in rows
        ),
    )


CORPUS = Corpus(
    name="meld",
    title="MELD and MELD_Dyadic",
    languages=(Language.EN,),
    files="{train,dev,test}_sent_emo.csv or {train,dev,test}_sent_emo_dya.csv",
    source="https://github.com/declare-lab/MELD",
    licence=licence(
        "GPL-3.0-only",
        "MELD (Poria et al., 2019), GPL-3.0; transcripts of a television series",
        redistributable=False,
    ),
    read=_read,
)

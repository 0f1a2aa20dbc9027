"""EmpatheticDialogues: one tells of a situation, the other listens.

`context` is what the first speaker feels; it goes to that party's turns. Commas are written `_comma_`, and
quoting cannot be relied on: a row with more commas than columns is mended where only its utterance can
have them. DialogStudio's original is columnar: an object with one list per column.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.dialogstudio import is_container, original_info, read_container
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import optional_text
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance, felt_by
from pipeline.io.corpora.tables import Row, number, rows_of, table_items

_COLUMNS = ("conv_id", "utterance_idx", "context", "speaker_idx", "utterance")
_WIDTH, _UTTERANCE = 8, 5
_SELF_EVALUATION = re.compile(r"[\d|_]*\|[\d|_]*")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, _items, _parse)


def _items(file: Path) -> Iterator[Item | Refusal]:
    if file.suffix == ".csv":
        yield from table_items(file, _COLUMNS, key=("conv_id",), quoted=False, repair=_mend_row)
        return
    columns: dict[str, list[object]] = {}
    for item in json_items(file, open_lists=True):
        if isinstance(item, Item) and len(item.keys) == 2:
            columns.setdefault(str(item.keys[0]), []).append(item.value)
        else:
            yield item
    if columns:
        yield from _columnar_items(file, columns)


def _mend_row(row: list[str]) -> list[str]:
    """Columns 0-4 and the last two (scores like `5|5|5_4|5|5`, tags) hold no comma; only the utterance may."""
    if len(row) == _WIDTH - 1 and row[4].isdecimal():
        return [*row, ""]
    if len(row) > _WIDTH and row[4].isdecimal() and _SELF_EVALUATION.fullmatch(row[-2]):
        return [*row[:_UTTERANCE], ",".join(row[_UTTERANCE:-2]), *row[-2:]]
    return row


def _columnar_items(file: Path, columns: Mapping[str, list[object]]) -> Iterator[Item]:
    missing = [name for name in _COLUMNS if name not in columns]
    if missing or len({len(columns[name]) for name in _COLUMNS}) != 1:
        lengths = {name: len(values) for name, values in columns.items()}
        detail = f"columns {lengths}, wanted {', '.join(_COLUMNS)} of one length"
        raise RecordError(Reason.MALFORMED_RECORD, detail)
    dialogues: dict[str, list[Row]] = {}
    for values in zip(*(columns[name] for name in _COLUMNS), strict=True):
        row = dict(zip(_COLUMNS, map(str, values), strict=True))
        dialogues.setdefault(row["conv_id"], []).append(row)
    for index, (conversation, rows) in enumerate(dialogues.items()):
        yield Item(file, (index,), f"{file.name}:{conversation}", tuple(rows))


def _parse(item: Item) -> NativeDialogue:
    if is_container(item):
        native = read_container(item)
        feeling = optional_text(original_info(item), "context")
    else:
        rows = sorted(rows_of(item), key=lambda row: number(row, "utterance_idx"))
        said = tuple(Utterance(row["speaker_idx"], row["utterance"]) for row in rows)
        native = NativeDialogue(rows[0]["conv_id"], item.split, said)
        feeling = rows[0]["context"] or None
    utterances = tuple(replace(u, text=_restore_commas(u.raw)) for u in native.utterances)
    teller = utterances[0].speaker if utterances else ""
    return replace(native, utterances=felt_by(teller, feeling, utterances), named=False)


def _restore_commas(raw: str) -> str:
    """`Look_comma_ it bloomed!` -> `Look, it bloomed!`; a field that was quoted loses its quotes."""
    text = raw.strip().replace("_comma_", ",")
    return text[1:-1].replace('""', '"') if len(text) > 1 and text[0] == text[-1] == '"' else text


CORPUS = Corpus(
    name="empathetic",
    title="EmpatheticDialogues",
    languages=(Language.EN,),
    files="{train,valid,test}.csv or a DialogStudio json file",
    source="https://github.com/facebookresearch/EmpatheticDialogues",
    licence=licence("CC-BY-NC-4.0", "EmpatheticDialogues (Rashkin et al., 2019), Meta, CC BY-NC 4.0"),
    read=_read,
)

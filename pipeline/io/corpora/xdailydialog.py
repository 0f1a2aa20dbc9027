"""XDailyDialog: DailyDialog in four languages, line by line; Chinese and English are read.

::

    Did you call him ? __eou__ Not yet . __eou__ <TAB> 1 <TAB> 2 1 <TAB> 0 0
    utterances                                    topic  acts    emotions, one per utterance
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.documents import line_items
from pipeline.io.corpora.fields import text
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, alternating

_EMOTIONS = ("none", "anger", "disgust", "fear", "happiness", "sadness", "surprise")
_TOPICS = {
    Language.EN: (
        "ordinary life",
        "school life",
        "culture and education",
        "attitude and emotion",
        "relationship",
        "tourism",
        "health",
        "work",
        "politics",
        "finance",
    ),
    Language.ZH: (
        "日常生活",
        "校园生活",
        "文化与教育",
        "态度与情感",
        "人际关系",
        "旅游",
        "健康",
        "工作",
        "政治",
        "金融",
    ),
}


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, line_items, partial(_parse, language))


def _parse(language: Language, item: Item) -> NativeDialogue:
    columns = text(item.value, "the line").split("\t")
    if len(columns) != 4:
        raise RecordError(Reason.MALFORMED_RECORD, f"{len(columns)} columns, wanted 4 separated by tabs")
    said = columns[0].split("__eou__")
    if not said[-1].strip():
        said.pop()
    acts, emotions = columns[2].split(), columns[3].split()
    if not len(said) == len(acts) == len(emotions):
        detail = f"{len(said)} utterances, {len(acts)} acts, {len(emotions)} emotions, wanted as many of each"
        raise RecordError(Reason.MALFORMED_RECORD, detail)
    labels = (_EMOTIONS[_index(code, 0, len(_EMOTIONS), "emotion")] for code in emotions)
    return NativeDialogue(
        native_id=f"{language.value}-{item.keys[-1]}",
        split=item.split,
        utterances=tuple(replace(u, emotion=e) for u, e in zip(alternating(said), labels, strict=True)),
        topic=_TOPICS[language][_index(columns[1], 1, len(_TOPICS[language]), "topic")],
        named=False,
    )


def _index(code: str, first: int, count: int, what: str) -> int:
    if not code.strip().isdecimal() or not first <= int(code) < first + count:
        raise RecordError(
            Reason.MALFORMED_RECORD, f"{what} is {code!r}, wanted {first} to {first + count - 1}"
        )
    return int(code) - first


CORPUS = Corpus(
    name="xdailydialog",
    title="XDailyDialog",
    languages=(Language.ZH, Language.EN),
    files="{zh,en}_{train,dev,test}_human.txt",
    source="https://github.com/liuzeming01/XDailyDialog",
    licence=licence(
        "CC-BY-NC-SA-4.0",
        "XDailyDialog (Liu et al., 2023) from DailyDialog (Li et al., 2017), CC BY-NC-SA 4.0",
    ),
    read=_read,
)

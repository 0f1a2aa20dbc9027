"""LCCC: replies on Weibo, cleaned; every character is separated by a space, the parties take turns.

The file is an object of splits, `{"train": [["今 天 下 雨 了 吗 ？", "下 了 一 上 午"], ...]}`, or a bare list.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import texts
from pipeline.io.corpora.items import Item
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, alternating

_SPACED_LETTERS = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9](?: [A-Za-z0-9](?![A-Za-z0-9]))+")
_LINK = re.compile(r"\s*\ba ?l ?i ?n ?k\b\s*$")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, _items, _parse)


def _items(file: Path) -> Iterator[Item | Refusal]:
    return json_items(file, open_lists=True)


def _parse(item: Item) -> NativeDialogue:
    in_split = len(item.keys) == 2
    utterances = alternating(texts(item.value, "the dialogue"))
    return NativeDialogue(
        native_id=str(item.keys[-1]) if in_split else item.position_id,
        split=str(item.keys[0]).replace("valid", "dev") if in_split else item.split,
        utterances=tuple(replace(u, text=rejoin_letters(_LINK.sub("", u.raw))) for u in utterances),
        named=False,
    )


def rejoin_letters(raw: str) -> str:
    """Letters and digits that stand one by one belong together; words of several letters stay apart.

    >>> rejoin_letters("玩 得 h a p p y 吗 2 3 3"), rejoin_letters("听 let it be")
    ('玩 得 happy 吗 233', '听 let it be')
    """
    return _SPACED_LETTERS.sub(lambda match: match.group().replace(" ", ""), raw)


CORPUS = Corpus(
    name="lccc",
    title="LCCC (CDial-GPT)",
    languages=(Language.ZH,),
    files="a json object of splits (toy_data.json), a json list, or json lines",
    source="https://github.com/thu-coai/CDial-GPT",
    licence=licence("MIT", "LCCC (Wang et al., 2020), MIT; texts by users of Weibo", redistributable=False),
    read=_read,
)

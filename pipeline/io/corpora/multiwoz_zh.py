"""MultiWOZ in Chinese, translated and checked by people, in the form of ConvLab-3."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.convlab import read_convlab
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_items, partial(read_convlab, separator="、"))


CORPUS = Corpus(
    name="multiwoz_zh",
    title="MultiWOZ-zh (ConvLab)",
    languages=(Language.ZH,),
    files="human_val.json.zip, or the json file in it",
    source="https://github.com/ConvLab/ConvLab-3 (data/multiwoz_zh)",
    licence=licence("MIT", "MultiWOZ (Budzianowski et al., 2018), MIT; Chinese by ConvLab, Apache-2.0"),
    read=_read,
)

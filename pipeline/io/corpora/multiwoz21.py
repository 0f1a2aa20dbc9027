"""MultiWOZ 2.1 in the form of ConvLab-3 (CRLF, tokenised: `You 're welcome .`)."""

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
    return read_corpus(CORPUS, path, language, json_items, partial(read_convlab, separator=", "))


CORPUS = Corpus(
    name="multiwoz21",
    title="MultiWOZ 2.1 (ConvLab)",
    languages=(Language.EN,),
    files="{train,val,test}.json.zip, or the json file in it",
    source="https://github.com/ConvLab/ConvLab-3 (data/multiwoz)",
    licence=licence("MIT", "MultiWOZ 2.1 (Eric et al., 2020), MIT; ConvLab-3, Apache-2.0"),
    read=_read,
)

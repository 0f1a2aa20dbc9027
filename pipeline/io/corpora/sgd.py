"""Schema-Guided Dialogue: simulated service dialogues in twenty domains, paraphrased by people."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.schema_guided import read_schema_guided


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, json_items, read_schema_guided, pattern="dialogues_*.json")


CORPUS = Corpus(
    name="sgd",
    title="Schema-Guided Dialogue (SGD)",
    languages=(Language.EN,),
    files="dialogues_NNN.json or a directory of those",
    source="https://github.com/google-research-datasets/dstc8-schema-guided-dialogue",
    licence=licence("CC-BY-SA-4.0", "Schema-Guided Dialogue (Rastogi et al., 2020), Google, CC BY-SA 4.0"),
    read=_read,
)

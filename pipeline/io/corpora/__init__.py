"""Readers of text corpora: native files in, seed dialogues or refusals out. One module per corpus.

>>> find_corpus("kdconv").title
'KdConv'
"""

import difflib

from pipeline.domain.errors import ConfigError
from pipeline.io.corpora import (
    cped,
    crosswoz,
    dialogsum,
    emorynlp,
    empathetic,
    esconv,
    jsonl,
    kdconv,
    lccc,
    meld,
    multiwoz,
    multiwoz21,
    multiwoz_zh,
    places,
    sgd,
    smilechat,
    soda,
    xdailydialog,
)
from pipeline.io.corpora.base import Corpus

__all__ = ["CORPORA", "Corpus", "find_corpus"]

_MODULES = (
    cped,
    crosswoz,
    dialogsum,
    emorynlp,
    empathetic,
    esconv,
    jsonl,
    kdconv,
    lccc,
    meld,
    multiwoz,
    multiwoz21,
    multiwoz_zh,
    places,
    sgd,
    smilechat,
    soda,
    xdailydialog,
)

CORPORA: dict[str, Corpus] = {module.CORPUS.name: module.CORPUS for module in _MODULES}
"""Every reader by the name that configuration uses."""


def find_corpus(name: str) -> Corpus:
    """The reader of that name; raises ConfigError with the nearest one."""
    if name in CORPORA:
        return CORPORA[name]
    near = difflib.get_close_matches(name.lower(), CORPORA, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else "set reader to one of them"
    raise ConfigError(f"seeds: no reader {name!r}; there are {', '.join(CORPORA)}; {hint}")

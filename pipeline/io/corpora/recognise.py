"""Which corpus a file belongs to, by its shape: so that a wrong `reader:` is refused, not misread.

A wrong reader could go unnoticed: SGD read as MultiWOZ looks the same and would carry the wrong licence.
"""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.domain.errors import PipelineError
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.items import Item

_TABLES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"TV_ID", "Dialogue_ID", "Speaker", "Utterance"}), "cped"),
    (frozenset({"Scene_ID", "Speaker", "Utterance", "Emotion"}), "emorynlp"),
    (frozenset({"Dialogue_ID", "Sentiment", "Speaker", "Utterance"}), "meld"),
    (frozenset({"conv_id", "utterance_idx", "utterance"}), "empathetic"),
)

_OBJECTS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"fname", "dialogue"}), "dialogsum"),
    (frozenset({"dialogue", "speakers", "narrative"}), "soda"),
    (frozenset({"conversation", "domain"}), "places"),
    (frozenset({"dialog", "emotion_type"}), "esconv"),
    (frozenset({"messages", "sys-usr"}), "crosswoz"),
    (frozenset({"messages", "name"}), "kdconv"),
    (frozenset({"episodes"}), "emorynlp"),
    (frozenset({"id", "turns"}), "jsonl"),
)
"""By the keys of a dialogue. Forms that need a look inside it are told apart in `_corpus_of_object`."""

_CONTAINERS = {
    "soda": "soda",
    "soda_processed": "soda",
    "dialogsum": "dialogsum",
    "places3.5": "places",
    "multiwoz2_2": "multiwoz",
    "empathetic": "empathetic",
}
"""DialogStudio's `<name>--<split>--<n>`, by name in lower case."""


def recognise(file: Path) -> str | None:
    """The reader that fits the file's first dialogue; None where that cannot be told."""
    try:
        named = None if zipfile.is_zipfile(file) else _corpus_of_head(file)
        first = None if named else next(json_items(file, open_lists=True), None)
    except (PipelineError, OSError):
        return None
    return _corpus_of_item(first) if isinstance(first, Item) else named


def _corpus_of_head(file: Path) -> str | None:
    """By the header of a table, or by the marks in the first line of XDailyDialog."""
    with file.open("rb") as handle:
        head = handle.readline(1 << 16).decode("utf-8-sig", "replace")
    if "__eou__" in head and "\t" in head:
        return "xdailydialog"
    columns = {name.strip() for name in head.split(",")}
    return next((corpus for wanted, corpus in _TABLES if wanted <= columns), None)


def _corpus_of_item(item: Item) -> str | None:
    value, key = item.value, item.keys[0]
    if isinstance(value, list):
        if value and all(isinstance(text, str) for text in value):
            return "lccc" if isinstance(key, int) or len(item.keys) == 2 else None
        return "smilechat" if value and _corpus_of_object(value[0]) == "smilechat" else None
    if isinstance(key, str) and len(item.keys) == 2:  # a list inside the outermost object
        return {"episodes": "emorynlp", "conv_id": "empathetic"}.get(key)
    if isinstance(key, str) and (named := re.fullmatch(r"(.+)--\w+--\d+", key)):
        return _CONTAINERS.get(named.group(1).lower())
    return "emorynlp" if key == "season_id" else _corpus_of_object(value)


def _corpus_of_object(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    for wanted, corpus in _OBJECTS:
        if wanted <= value.keys():
            return corpus
    if {"dialogue_id", "turns"} <= value.keys():
        return _multiwoz_or_sgd(value)
    if {"role", "content"} <= value.keys():
        return "smilechat"
    turns = value.get("log")
    if isinstance(turns, list) and turns and isinstance(turns[0], dict) and "text" in turns[0]:
        chinese = re.search("[\u4e00-\u9fff]", str(turns[0]["text"]))
        return "multiwoz_zh" if chinese else "multiwoz21"
    return "empathetic" if {"conv_id", "utterance_idx"} <= value.keys() else None


def _multiwoz_or_sgd(value: Mapping[str, object]) -> str | None:
    turns = value["turns"]
    if not isinstance(turns, list) or not turns or not isinstance(turns[0], dict):
        return None
    return "multiwoz" if "turn_id" in turns[0] else "sgd"

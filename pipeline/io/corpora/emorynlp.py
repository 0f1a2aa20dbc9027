"""EmoryNLP: scenes of *Friends* with seven emotions, as csv (MELD's repository) or json (the original).

Both forms of a scene get the id of the original: season 1, episode 2, scene 3 is `s01_e02_c03`.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.documents import json_items
from pipeline.io.corpora.fields import field, mapping, objects_field, optional_text, text_field, texts
from pipeline.io.corpora.friends import one_person
from pipeline.io.corpora.items import Item, refuse
from pipeline.io.corpora.licences import licence
from pipeline.io.corpora.reading import read_corpus
from pipeline.io.corpora.shaping import NativeDialogue, Utterance
from pipeline.io.corpora.tables import Row, number, rows_of, table_items

_COLUMNS = ("Utterance", "Speaker", "Emotion", "Scene_ID", "Utterance_ID", "Season", "Episode")


def _read(path: Path, language: Language) -> Iterator[SeedDialogue | Refusal]:
    return read_corpus(CORPUS, path, language, _items, _parse)


def _items(file: Path) -> Iterator[Item | Refusal]:
    if file.suffix == ".csv":
        yield from table_items(file, _COLUMNS, key=("Season", "Episode", "Scene_ID"))
        return
    for item in json_items(file, open_lists=True):
        if isinstance(item, Refusal):
            yield item
        elif item.keys[0] == "episodes":
            yield from _scenes(item)


def _scenes(episode: Item) -> Iterator[Item | Refusal]:
    try:
        scenes = objects_field(mapping(episode.value, "the episode"), "scenes")
    except RecordError as error:
        yield refuse(error, episode.place, episode.value)
        return
    for index, scene in enumerate(scenes):
        yield Item(episode.file, (*episode.keys, index), f"{episode.place}/{index}", scene)


def _parse(item: Item) -> NativeDialogue:
    if isinstance(item.value, tuple):
        rows = sorted(rows_of(item), key=lambda row: number(row, "Utterance_ID"))
        utterances = tuple(
            _utterance(_literal_names(row), row["Utterance"], row["Emotion"] or None) for row in rows
        )
        return NativeDialogue(_scene_id(rows[0]), item.split, utterances)
    record = mapping(item.value)
    said = objects_field(record, "utterances")
    return NativeDialogue(text_field(record, "scene_id"), item.split, tuple(map(_json_utterance, said)))


def _scene_id(row: Row) -> str:
    season, episode, scene = (number(row, name) for name in ("Season", "Episode", "Scene_ID"))
    return f"s{season:02}_e{episode:02}_c{scene:02}"


def _json_utterance(record: Mapping[str, object]) -> Utterance:
    names = texts(field(record, "speakers"), "speakers")
    return _utterance(names, text_field(record, "transcript"), optional_text(record, "emotion"))


def _utterance(names: tuple[str, ...], raw: str, emotion: str | None) -> Utterance:
    if len(names) > 1:
        raise RecordError(
            Reason.TOO_MANY_SPEAKERS, f"{' and '.join(names)} speak at once, wanted one at a time"
        )
    return Utterance(one_person("".join(names)), raw, emotion)


def _literal_names(row: Row) -> tuple[str, ...]:
    """`['Nora Lind', 'Otis Ray']` is a python literal; it is parsed as one, never evaluated."""
    try:
        return texts(ast.literal_eval(row["Speaker"]), "Speaker")
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        detail = f"Speaker is {row['Speaker'][:60]!r}, wanted a list like ['Nora Lind']"
        raise RecordError(Reason.MALFORMED_RECORD, detail) from error


CORPUS = Corpus(
    name="emorynlp",
    title="EmoryNLP emotion detection",
    languages=(Language.EN,),
    files="emorynlp_{train,dev,test}_final.csv or emotion-detection-{trn,dev,tst}.json",
    source="https://github.com/emorynlp/emotion-detection",
    licence=licence(
        "Apache-2.0",
        "EmoryNLP (Zahiri and Choi, 2018), Apache-2.0; transcripts of a television series",
        redistributable=False,
    ),
    read=_read,
)

"""The readers on slices of the real corpora, where a developer has them; nothing of those is in this project.

Set HUMDIAL_SHARED_DATA to the folder that holds `text/`, or put it beside the repository as `shared/data`.
"""

import ast
import csv
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.core.tokens import words_of
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from pipeline.io.corpora.shaping import MAX_TURN_WORDS
from tests.io.corpora.reading import accepted, refused

DATA = Path(os.environ.get("HUMDIAL_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data")) / "text"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no real corpora: set HUMDIAL_SHARED_DATA to the folder that holds text/"
)

Count = Callable[[Path], int]


def lines(path: Path) -> int:
    return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def members(path: Path) -> int:
    return len(json.loads(path.read_text(encoding="utf-8")))


def zip_members(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return len(json.loads(archive.read(archive.namelist()[0])))


def below(pattern: str, count: Count) -> Count:
    return lambda path: sum(count(file) for file in path.rglob(pattern))


def one(path: Path) -> int:
    return 1


def splits(path: Path) -> int:
    return sum(map(len, json.loads(path.read_text(encoding="utf-8")).values()))


def scenes(path: Path) -> int:
    episodes = json.loads(path.read_text(encoding="utf-8"))["episodes"]
    return sum(len(episode["scenes"]) for episode in episodes)


def conversations(path: Path) -> int:
    return len(set(json.loads(path.read_text(encoding="utf-8"))["conv_id"]))


def rows_by(*columns: str) -> Count:
    def count(path: Path) -> int:
        table = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        return len({tuple(row[column] for column in columns) for row in table})

    return count


EN, ZH = Language.EN, Language.ZH
SLICES: tuple[tuple[str, str, Language, Count], ...] = (
    ("dialogsum", "en/dialogsum/dialogsum.dev.jsonl", EN, lines),
    ("dialogsum", "en/dialogsum/dialogsum.test.jsonl", EN, lines),
    ("dialogsum", "en/dialogsum/dialogsum.hiddentest.dialogue.jsonl", EN, lines),
    ("dialogsum", "en/dialogstudio/dialogsum_dialogstudio/original_examples.json", EN, members),
    ("dialogsum", "en/dialogstudio/dialogsum_dialogstudio/converted_examples.json", EN, members),
    ("soda", "en/dialogstudio/soda/original_examples.json", EN, members),
    ("soda", "en/dialogstudio/soda/converted_examples.json", EN, members),
    ("places", "en/dialogstudio/places3.5/original_examples.json", EN, members),
    ("places", "en/dialogstudio/places3.5/converted_examples.json", EN, members),
    ("multiwoz", "en/dialogstudio/multiwoz2_2/original_examples.json", EN, members),
    ("multiwoz", "en/dialogstudio/multiwoz2_2/converted_examples.json", EN, members),
    ("empathetic", "en/dialogstudio/empathetic/original_examples.json", EN, conversations),
    ("empathetic", "en/dialogstudio/empathetic/converted_examples.json", EN, members),
    ("sgd", "en/sgd", EN, below("dialogues_*.json", members)),
    ("multiwoz21", "en/multiwoz2_1/val.json.zip", EN, zip_members),
    ("meld", "en/meld/dev_sent_emo.csv", EN, rows_by("Dialogue_ID")),
    ("meld", "en/meld_dyadic/dev_sent_emo_dya.csv", EN, rows_by("Dialogue_ID")),
    ("emorynlp", "en/emorynlp/emorynlp_dev_final.csv", EN, rows_by("Season", "Episode", "Scene_ID")),
    ("emorynlp", "en/emorynlp_json/emotion-detection-dev.json", EN, scenes),
    ("esconv", "en/esconv/FailedESConv.json", EN, members),
    ("xdailydialog", "en/xdailydialog/en_dev_human.txt", EN, lines),
    ("xdailydialog", "zh/xdailydialog/zh_dev_human.txt", ZH, lines),
    ("cped", "zh/cped/valid_split.csv", ZH, rows_by("Dialogue_ID")),
    ("crosswoz", "zh/crosswoz/val.json.zip", ZH, zip_members),
    ("kdconv", "zh/kdconv", ZH, below("dev.json", members)),
    ("lccc", "zh/lccc_toy/toy_data.json", ZH, splits),
    ("smilechat", "zh/smilechat", ZH, below("*.json", one)),
    ("multiwoz_zh", "zh/multiwoz_zh/human_val.json.zip", ZH, zip_members),
)

REAL = pytest.mark.parametrize(
    ("reader", "path", "language", "count"), [pytest.param(*row, id=row[1]) for row in SLICES]
)


@REAL
def test_every_native_dialogue_is_accepted_or_refused(
    reader: str, path: str, language: Language, count: Count
) -> None:
    seeds, refusals = accepted(reader, DATA / path, language), refused(reader, DATA / path, language)

    assert seeds
    assert len(seeds) + len(refusals) == count(DATA / path)
    assert len({seed.seed_id for seed in seeds}) == len(seeds)
    damage = {Reason.UNREADABLE_ENCODING, Reason.MALFORMED_RECORD, Reason.MISSING_FIELD, Reason.DUPLICATE_ID}
    assert not damage & {refusal.reason for refusal in refusals}


@REAL
def test_accepted_text_is_clean(reader: str, path: str, language: Language, count: Count) -> None:
    residue = ("_comma_", "__eou__", "\u200b", " ,", " 's ", " n't", "#Person", "\n", "  ", " 。", "。 ")
    for seed in accepted(reader, DATA / path, language):
        for turn in seed.turns:
            assert not [mark for mark in residue if mark in turn.text], (seed.seed_id, turn.text)
            assert 1 <= len(words_of(turn.text)) <= MAX_TURN_WORDS


def test_refused_speakers_are_counted_as_the_file_has_them() -> None:
    """Independent of the reader: scenes of EmoryNLP with other than two single speakers."""
    path = DATA / "en/emorynlp/emorynlp_dev_final.csv"
    labels: dict[tuple[str, str, str], set[str]] = {}
    for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")):
        scene = (row["Season"], row["Episode"], row["Scene_ID"])
        labels.setdefault(scene, set()).add(" and ".join(ast.literal_eval(row["Speaker"])))
    several = [names for names in labels.values() if len(names) > 2 or any(" and " in name for name in names)]

    refusals = [r for r in refused("emorynlp", path) if r.reason is Reason.TOO_MANY_SPEAKERS]

    assert len(refusals) == len(several)

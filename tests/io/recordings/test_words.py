"""Word times are read as each corpus writes them."""

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.words import read_words

DATA = Path(__file__).parents[2] / "data" / "recordings"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("sw9999A-ms98-a-word.text", {"A": ["so", "okay", "w[ent]-", "[laughter-yeah]"], "B": ["um-hum"]}),
        ("sw9999B-ms98-a-word.text", {"A": ["so", "okay", "w[ent]-", "[laughter-yeah]"], "B": ["um-hum"]}),
        ("sw9998A-word-da.csv", {"A": ["so", "there", "tr[avel]-"], "B": ["um-hum"]}),
        ("two_words.jsonl", {"agent": ["good morning"], "caller": ["hello"]}),
    ],
)
def test_words_are_read_with_both_sides_and_without_marks(file: str, said: dict[str, list[str]]) -> None:
    assert {name: [word.text for word in words] for name, words in read_words(DATA / file)} == said


def test_times_are_those_of_the_file_to_the_digit() -> None:
    (_, words), _ = read_words(DATA / "sw9999A-ms98-a-word.text")
    assert words[1][:2] == (Decimal("0.900000"), Decimal("1.300000"))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("words.txt", "x", "no word file that is known"),
        ("w.jsonl", '{"speaker": "A", "start": 1, "end": 2}\n', "w.jsonl:1: text: Field required"),
        ("w.jsonl", '{"speaker": "A", "start": 3, "end": 2, "text": "a"}\n', "wanted 0 <= start <= end"),
        ("w.jsonl", "not json\n", "w.jsonl:1: the line"),
        ("sw9997A-word-da.csv", "sw9997A-ms98-a-0001,x,1.0,so,B,o,u\n", "wanted two times in seconds"),
        ("sw9997A-word-da.csv", "sw9997A-ms98-a-0001,0.5\n", "wanted utterance, start, end, word"),
        ("sw9997A-word-da.csv", "", "sw9997B-word-da.csv: cannot be read"),
        ("sw9997A-word-da.csv", "sw9997A-ms98-a-0001,NaN,1.0,so,B,o,u\n", "wanted 0 <= start <= end"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=problem):
        read_words(tmp_path / name)

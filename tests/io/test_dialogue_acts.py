from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.io.dialogue_acts import SpokenAct, has_acts, read_acts


def write(folder: Path, side: str, text: str, number: str = "9990") -> Path:
    path = folder / f"sw{number}{side}-word-da.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_words_of_both_sides_have_times_and_acts(tmp_path: Path) -> None:
    side_a = write(tmp_path, "A", "sw9990A-ms98-a-0001,0.500000,0.800000,so,B,sd,u-1-1\n\n")
    write(
        tmp_path,
        "B",
        'sw9990B-ms98-a-0001,1.000000,1.250000,yeah,B,"sd,o@",u-1-1\n'
        "sw9990B-ms98-a-0002,2.000000,2.250000,uh-huh,O,,\n",
    )
    assert read_acts(side_a) == (
        ("A", (SpokenAct(Decimal("0.5"), Decimal("0.8"), "sd"),)),
        (
            "B",
            (
                SpokenAct(Decimal("1"), Decimal("1.25"), "sd,o@"),
                SpokenAct(Decimal("2"), Decimal("2.25"), None),  # nobody tagged it
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sw9990A-ms98-a-0001,0.5,0.8,so\n", r"A-word-da.csv:1: .*wanted utterance, start, end, word"),
        ("x,0.1,0.2,so,B,sd,u\nx,half,0.8,so,B,sd,u\n", r"A-word-da.csv:2: 'x,half"),
        ("x,0.9,0.8,so,B,sd,u\n", "from 0.9 to 0.8 s: wanted 0 <= start <= end"),
        ("x,NaN,0.8,so,B,sd,u\n", "wanted 0 <= start <= end"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(tmp_path: Path, text: str, problem: str) -> None:
    side_a = write(tmp_path, "A", text)
    write(tmp_path, "B", "")
    with pytest.raises(ConfigError, match=problem):
        read_acts(side_a)


def test_a_side_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sw9990B-word-da.csv: cannot be read"):
        read_acts(write(tmp_path, "A", ""))


@pytest.mark.parametrize(
    ("name", "known"), [("sw2005A-word-da.csv", True), ("sw2005A-ms98-a-word.text", False), ("a.csv", False)]
)
def test_the_layout_is_told_by_the_name(tmp_path: Path, name: str, known: bool) -> None:
    assert has_acts(tmp_path / name) is known
    if not known:
        with pytest.raises(ConfigError, match=r"wanted a file sw####A-word-da.csv"):
            read_acts(tmp_path / name)

"""What `compare` prints."""

import json
from pathlib import Path

import pytest

from pipeline.domain.quarantine import Reason
from tests.cli.calling import humdial
from tests.compared import write_compared


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("runs")
    a = write_compared(base / "steps", [4] * 98, (Reason.INVALID_REPLY,), turned_down=(2,))
    b = write_compared(base / "single", [4] * 21, (Reason.INVALID_REPLY,) * 59, turned_down=(1,) * 20)
    return a, b


def test_two_runs_stand_side_by_side(runs: tuple[Path, Path]) -> None:
    answer = humdial("compare", *runs)
    assert answer.code == 0, answer.err
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    for wanted in (
        "planned 100 100",
        "the same in both 100 100",
        "script accepted 98 21",
        "acceptance 98.0% [93.0%, 99.4%] 21.0% [14.2%, 30.0%] -77.0 [-84.0, -66.7]",
        "came to audio - - -",
        "script: invalid_reply 1 59",
        "script: poor_review 1 20",
        "accepted dialogues 98 21",
        "words looked at 840 840",
        "dialogues looked at 21 21",
        "self-BLEU-4 1.0000 1.0000",
        "requests 198 82",
        "cost per accepted dialogue 0.003233 USD 0.006248 USD",
    ):
        assert wanted in lines
    (naturalness,) = (line for line in lines if line.startswith("naturalness"))
    assert naturalness.startswith("naturalness 99 41 3.98 [")  # (98 x 4 + 2) / 99
    assert "] 2.54 [" in naturalness  # (21 x 4 + 20 x 1) / 41
    assert "] -1.44 [" in naturalness
    assert naturalness.endswith("] 99.0% [94.5%, 99.8%] 51.2% [36.5%, 65.7%]")


def test_json_holds_the_same_figures(runs: tuple[Path, Path]) -> None:
    content = json.loads(humdial("compare", *runs, "--json").out)
    assert content["scripts"]["value"] == pytest.approx(-0.77)
    assert content["a"]["scripts"]["part"] == 98
    assert content["b"]["refusals"] == {"script: invalid_reply": 59, "script: poor_review": 20}
    assert content["languages"][0]["a"]["diversity"]["words"] == 840


def test_warnings_go_beside_the_tables_not_into_them(runs: tuple[Path, Path], tmp_path: Path) -> None:
    other = write_compared(tmp_path / "other", [None] * 3, with_ledger=False)
    answer = humdial("compare", runs[0], other)
    assert answer.code == 0
    assert "warning: other dialogues: A planned 100, B 3, 3 of them are the same" in answer.err
    assert "warning: only A was judged" in answer.err
    assert "warning:" not in answer.out
    assert humdial("compare", runs[0], other, "--json").err == ""
    rows = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert "requests 198 none" in rows
    assert "commonest, of dialogues 100.0% en/lead" in rows
    assert any(row.startswith("naturalness 99 - ") and row.endswith("not judged") for row in rows)


def test_embedded_authors_are_neither_judged_nor_paid(tmp_path: Path) -> None:
    run = write_compared(tmp_path / "run", [None] * 3, with_ledger=False)
    answer = humdial("compare", run, run)
    assert "judge's scores: not judged" in answer.out
    assert "tokens and cost: none" in answer.out
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert "different 4 4" in lines
    assert "commonest, of dialogues 100.0% en/lead 100.0% en/lead" in lines
    assert "33.3% en/tip/2 33.3% en/tip/2" in lines


def test_a_directory_that_is_no_run_is_misuse(runs: tuple[Path, Path], tmp_path: Path) -> None:
    answer = humdial("compare", runs[0], tmp_path)
    assert answer.code == 2
    assert "holds no run.json; wanted the directory of a finished run" in answer.problem

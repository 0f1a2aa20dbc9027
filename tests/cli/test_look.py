import json
import shutil
from pathlib import Path

import pytest

from pipeline.io.corpora import CORPORA
from pipeline.io.prompts import load_prompts, shipped_prompts
from tests.cli.calling import humdial

DIALOGUE = {
    "id": "d1",
    "topic": "a late bus",
    "turns": [
        {"speaker": "Nora", "text": "Has it gone?", "emotion": "fear"},
        {"speaker": "Otis", "text": "Not yet."},
    ],
}


def seeds_file(path: Path, *dialogues: object) -> Path:
    path.write_text("\n".join(map(json.dumps, dialogues)), encoding="utf-8")
    return path


def test_seeds_list_names_every_reader_with_its_licence() -> None:
    answer = humdial("seeds", "list")
    assert answer.code == 0
    rows = {line.split()[0]: line for line in answer.out.splitlines()[1:]}
    assert set(rows) == set(CORPORA)
    assert all(corpus.licence.id in rows[name] for name, corpus in CORPORA.items())


def test_seeds_show_prints_dialogues_and_counts_what_is_refused(tmp_path: Path) -> None:
    path = seeds_file(tmp_path / "mine.jsonl", DIALOGUE, {"id": "d2", "turns": []}, {**DIALOGUE, "id": "d3"})
    answer = humdial("seeds", "show", "jsonl", path, "--language", "en")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "jsonl/mine/d1  [unstated, en]  a late bus".replace("[unstated, en]", answer.out.split("  ")[1]),
        "  Nora (fear): Has it gone?",
        "  Otis: Not yet.",
        "",
        "1 accepted, 2 refused (too_few_turns 1, duplicate_text 1)",
    ]


def test_seeds_show_of_the_demo_stops_printing_after_n() -> None:
    answer = humdial("seeds", "show", "jsonl", "demo", "--language", "zh", "-n", "1")
    assert answer.code == 0
    assert answer.out.count("\n\n") == 1
    assert answer.out.splitlines()[-1] == "40 accepted, 0 refused"


def test_seeds_show_of_nothing_usable_is_exit_code_1(tmp_path: Path) -> None:
    path = seeds_file(tmp_path / "mine.jsonl", {"id": "d2", "turns": []})
    answer = humdial("seeds", "show", "jsonl", path, "--language", "en")
    assert answer.code == 1
    assert answer.out == "0 accepted, 1 refused (too_few_turns 1)\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["jsonll", "x", "--language", "en"], "did you mean 'jsonl'?"),
        (["jsonl", "absent.jsonl", "--language", "en"], "absent.jsonl does not exist"),
        (["jsonl", "demo"], "say which with --language"),
        (
            ["crosswoz", "absent", "--language", "en"],
            "crosswoz: has no 'en' dialogues, only zh; set language",
        ),
    ],
)
def test_seeds_that_cannot_be_shown_are_exit_code_2(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = humdial("seeds", "show", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert problem in answer.problem


def test_prompts_list_names_every_version_with_its_hash() -> None:
    answer = humdial("prompts", "list")
    assert answer.code == 0
    for prompt in load_prompts().list():
        assert any(
            row.startswith(prompt.reference) and prompt.sha256[:12] in row for row in answer.out.splitlines()
        )


def test_prompts_show_prints_the_file_as_it_is() -> None:
    answer = humdial("prompts", "show", "script/adapt")
    assert answer.code == 0
    assert answer.out.startswith("---\nname: script/adapt\n")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", ["script/adapt", "script/place", "script/write"])
def test_prompts_render_shows_what_a_model_would_be_sent(name: str, language: str) -> None:
    answer = humdial("prompts", "render", name, "--language", language)
    assert answer.code == 0
    head, _, tail = answer.out.partition("--- user\n")
    assert head.startswith("--- system\n")
    assert ("中文" in tail or "场景" in tail) == (language == "zh")
    assert "{{" not in answer.out
    assert "{%" not in answer.out


@pytest.fixture
def two_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped prompts, and a second version of one of them that greets."""
    directory = tmp_path / "prompts"
    shutil.copytree(shipped_prompts(), directory)
    first = (directory / "script" / "write.v1.md").read_text(encoding="utf-8")
    second = first.replace("\nversion: 1\n", "\nversion: 2\n").replace(
        "--- system ---\n", "--- system ---\nHello.\n"
    )
    (directory / "script" / "write.v2.md").write_text(second, encoding="utf-8")
    monkeypatch.setattr("pipeline.io.prompts.shipped_prompts", lambda: directory)


@pytest.mark.parametrize("command", ["show", "render"])
@pytest.mark.parametrize(
    ("name", "greets"), [("script/write", True), ("script/write.v2", True), ("script/write.v1", False)]
)
def test_a_prompt_is_found_with_and_without_its_version(
    command: str, name: str, greets: bool, two_versions: None
) -> None:
    answer = humdial("prompts", command, name)
    assert answer.code == 0, answer.err
    assert ("\nHello.\n" in answer.out) == greets


@pytest.mark.parametrize("command", ["show", "render"])
def test_every_name_that_prompts_list_prints_is_taken(command: str) -> None:
    names = [row.split()[0] for row in humdial("prompts", "list").out.splitlines()[1:]]
    assert names
    assert [humdial("prompts", command, name).code for name in names] == [0] * len(names)


@pytest.mark.parametrize("command", ["show", "render"])
@pytest.mark.parametrize("version", ["3", "0", "01", "x", ""])
def test_a_version_that_is_not_there_is_told_with_those_that_are(
    command: str, version: str, two_versions: None
) -> None:
    answer = humdial("prompts", command, f"script/write.v{version}")
    assert answer.code == 2
    assert answer.problem == (
        f"humdial: prompts: got 'script/write.v{version}', wanted a version that is there: "
        "script/write.v1, script/write.v2"
    )


@pytest.mark.parametrize("command", ["show", "render"])
def test_an_unknown_prompt_with_a_version_is_told_by_name(command: str) -> None:
    answer = humdial("prompts", command, "script/wriet.v1")
    assert answer.code == 2
    assert "got 'script/wriet', wanted 'script/write'" in answer.problem


def test_prompts_check_finds_nothing_in_the_shipped_ones() -> None:
    answer = humdial("prompts", "check")
    assert (answer.code, answer.out) == (0, "prompts: every file is locked, valid and renders\n")


@pytest.mark.parametrize("command", ["show", "render"])
def test_an_unknown_prompt_is_exit_code_2_with_the_known_ones(command: str) -> None:
    answer = humdial("prompts", command, "script/adept")
    assert answer.code == 2
    assert "script/adept" in answer.problem
    assert "script/adapt" in answer.problem

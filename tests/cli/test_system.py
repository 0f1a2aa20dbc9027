"""What the doctor looks at, and what it makes of it."""

from importlib import metadata
from pathlib import Path

import pytest

from pipeline.cli import system
from pipeline.cli.system import Examination
from tests.cli.calling import Answer, humdial


def marks(answer: Answer) -> list[str]:
    return [row.split()[0] for row in answer.out.splitlines()[1:]]


def only(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the doctor look at one thing alone."""
    chosen = tuple(one for one in system.EXAMINATIONS if one.name == name)
    assert len(chosen) == 1
    monkeypatch.setattr(system, "EXAMINATIONS", chosen)


def missing() -> str:
    raise ImportError("no such thing;\n install it")


def test_the_doctor_finds_nothing_wrong_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = humdial("doctor")
    assert answer.code == 0, answer.out
    for mark, examination in zip(marks(answer), system.EXAMINATIONS, strict=True):
        assert mark in (("ok", "no") if examination.optional else ("ok",)), examination.name
    assert "espeak-ng-" in answer.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("optional", "mark", "code"), [(False, "--", 1), (True, "no", 0)])
def test_the_doctor_says_what_is_missing_and_goes_on(
    optional: bool, mark: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = (
        Examination("thing", "speech", missing, optional),
        Examination("python", "everything", lambda: "here"),
    )
    monkeypatch.setattr(system, "EXAMINATIONS", looked_at)
    answer = humdial("doctor")
    assert answer.code == code
    assert [row.split() for row in answer.out.splitlines()[1:]] == [
        [mark, "thing", "speech", "no", "such", "thing;", "install", "it"],
        ["ok", "python", "everything", "here"],
    ]


@pytest.mark.parametrize("there", [True, False])
def test_outputs_are_tried_and_left_as_they_were(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only("outputs", monkeypatch)
    monkeypatch.chdir(tmp_path)
    if there:
        (tmp_path / "outputs").mkdir()
    answer = humdial("doctor")
    assert answer.code == 0, answer.out
    assert f"{tmp_path / 'outputs'}, {'writable' if there else 'can be made'}" in answer.out
    assert [path.name for path in tmp_path.rglob("*")] == ["outputs"] * there


@pytest.mark.parametrize("what", ["a file", "a link to nowhere"])
def test_outputs_that_cannot_be_written_are_exit_code_1(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only("outputs", monkeypatch)
    monkeypatch.chdir(tmp_path)
    if what == "a file":
        (tmp_path / "outputs").write_text("mine")
    else:
        (tmp_path / "outputs").symlink_to("absent")
    answer = humdial("doctor")
    assert (answer.code, marks(answer)) == (1, ["--"])
    assert f"{tmp_path / 'outputs'}: cannot be written" in answer.out
    assert "--out" in answer.out


@pytest.mark.parametrize("extra", ["flow", "openai", "plot", "vad"])
def test_an_extra_that_is_not_installed_is_told_with_the_remedy_and_fails_nothing(
    extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(f"extra {extra}", monkeypatch)
    monkeypatch.setattr(metadata, "version", lambda package: "9.8.7")
    installed = humdial("doctor")
    assert (installed.code, marks(installed)) == (0, ["ok"])
    assert " 9.8.7" in installed.out

    def not_found(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", not_found)
    answer = humdial("doctor")
    assert (answer.code, marks(answer)) == (0, ["no"])
    assert f"is not installed; pip install 'humdial-pipeline[{extra}]'" in answer.out


def test_ffmpeg_is_looked_for_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only("ffmpeg", monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (humdial("doctor").code, marks(humdial("doctor"))) == (0, ["no"])
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    answer = humdial("doctor")
    assert (answer.code, marks(answer)) == (0, ["ok"])
    assert str(program) in answer.out

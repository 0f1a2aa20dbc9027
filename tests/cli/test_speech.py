"""`humdial speech serve-cosyvoice`: what it checks, what it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import speech
from tests.backends.cosyvoice_worker.asking import ask
from tests.backends.cosyvoice_worker.double import started
from tests.backends.cosyvoice_worker.fake_checkout import write_checkout
from tests.cli.calling import humdial

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "flows.app", "speech", "serve-cosyvoice")


def serve(root: Path, *arguments: object) -> str:
    """The one line that the command complains in."""
    answer = humdial("speech", "serve-cosyvoice", "--root", root, *arguments)
    assert answer.code == 2
    return answer.problem


def write_environment(root: Path, missing: str = "") -> None:
    """A Python beside the checkout that says which packages it lacks."""
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\necho {missing}\n")
    python.chmod(0o755)


def test_a_directory_that_is_no_checkout_is_named_with_the_remedy(tmp_path: Path) -> None:
    problem = serve(tmp_path / "absent")
    assert f"--root {tmp_path / 'absent'}" in problem
    assert "git clone --recursive" in problem


def test_a_checkout_without_its_submodule_is_told_apart(tmp_path: Path) -> None:
    write_checkout(tmp_path)
    (tmp_path / "third_party/Matcha-TTS/matcha/__init__.py").unlink()
    (tmp_path / "third_party/Matcha-TTS/matcha").rmdir()
    assert "git submodule update --init --recursive" in serve(tmp_path)


def test_a_missing_python_and_missing_packages_are_named(tmp_path: Path) -> None:
    write_checkout(tmp_path)
    assert f"no Python at {tmp_path}/.venv/bin/python" in serve(tmp_path)
    write_environment(tmp_path, missing="torch uvicorn")
    assert "lacks torch, uvicorn" in serve(tmp_path)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [(None, "cannot be run"), ("#!/nowhere/python\n", "cannot be run"), ("no program\0", "cannot be run")],
)
def test_a_python_that_is_no_program_is_told_in_one_line(
    tmp_path: Path, script: str | None, complaint: str
) -> None:
    write_checkout(tmp_path)
    python = tmp_path / "python"
    python.write_text(script or "root:x:0:0\n")
    python.chmod(0o644 if script is None else 0o755)
    problem = serve(tmp_path, "--python", python)
    assert f"{python} {complaint}" in problem
    assert "--python" in problem


@pytest.mark.parametrize(("option", "value"), [("--port", "70000"), ("--port", "-1"), ("--engines", "0")])
def test_a_number_that_cannot_be_is_misuse(tmp_path: Path, option: str, value: str) -> None:
    write_checkout(tmp_path)
    assert f"'{option}': {value} is not in the range" in serve(tmp_path, option, value)


def test_a_model_that_is_not_there_is_never_downloaded(tmp_path: Path) -> None:
    write_checkout(tmp_path)
    write_environment(tmp_path)
    problem = serve(tmp_path, "--model-dir", tmp_path / "CosyVoice-300M")
    assert f"--model-dir {tmp_path / 'CosyVoice-300M'}: holds none of cosyvoice.yaml" in problem


def test_of_several_models_one_has_to_be_named(tmp_path: Path) -> None:
    write_checkout(tmp_path, 1)
    write_environment(tmp_path)
    other = tmp_path / "pretrained_models" / "another"
    other.mkdir()
    (other / "cosyvoice3.yaml").touch()
    assert "2 models" in serve(tmp_path)
    assert "another, model-1" in serve(tmp_path)


def test_the_worker_is_started_with_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_dir = write_checkout(tmp_path)
    write_environment(tmp_path)
    begun: list[tuple[str, list[str], dict[str, str], Path]] = []
    monkeypatch.setattr(speech.os, "execve", lambda *call: begun.append((*call, Path.cwd())))
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.chdir(tmp_path)
    arguments = [
        "--root",
        ".",
        "--engines",
        "2",
        "--port",
        "0",
        "--voices",
        "kept",
        "--queue",
        "4",
        "--gpus",
        "0,1",
    ]
    assert humdial("speech", "serve-cosyvoice", *arguments).code == 0
    ((program, command, environment, directory),) = begun
    assert program == command[0] == str(tmp_path / ".venv/bin/python")
    assert command[1:3] == ["-m", "worker"]
    given = dict(zip(command[3::2], command[4::2], strict=True))
    assert given == {
        "--root": str(tmp_path),
        "--model-dir": str(model_dir),
        "--host": "127.0.0.1",
        "--port": "0",
        "--engines": "2",
        "--queue": "4",
        "--gpus": "0,1",
        "--voices": str(tmp_path / "kept"),
    }
    packages, *others = environment["PYTHONPATH"].split(os.pathsep)
    assert (Path(packages) / "worker" / "__main__.py").is_file()
    assert others == ["/elsewhere"]
    assert directory == tmp_path


@pytest.mark.slow
def test_the_command_serves_until_it_is_ended(tmp_path: Path) -> None:
    write_checkout(tmp_path, 1, ("中文女",))
    arguments = ["--root", str(tmp_path), "--python", sys.executable, "--port", "0", "--queue", "3"]
    with started(
        arguments, tmp_path / "voices", wait_s=60, program=PROGRAM, python_path=(ROOT, tmp_path)
    ) as worker:
        content = ask(f"{worker.url}/v1/capabilities").json
    assert (content["model"], content["queue"]) == ("model-1", 3)


@pytest.mark.slow
def test_an_option_that_nobody_knows_is_misuse(tmp_path: Path) -> None:
    write_checkout(tmp_path)
    asked = subprocess.run(
        [*PROGRAM, "--root", str(tmp_path), "--python", sys.executable, "--engnies", "2"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        check=False,
    )
    assert asked.returncode == 2
    assert "--engnies" in asked.stderr


def test_nothing_beside_the_worker_hides_a_module_of_its_environment() -> None:
    packages = ROOT / "pipeline" / "backends" / "cosyvoice"
    names = {path.stem for path in packages.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert "worker" in names
    taken = {
        *sys.stdlib_module_names,
        "cosyvoice",
        "torch",
        "fastapi",
        "uvicorn",
        "pydantic",
        "numpy",
        "matcha",
    }
    assert not names & taken

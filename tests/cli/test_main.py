import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pipeline import __version__
from pipeline.cli import main as main_function
from pipeline.cli.main import humdial as group
from pipeline.cli.system import doctor
from pipeline.domain.errors import ConfigError, PipelineError, TerminalBackendError
from tests.cli.calling import humdial

HEAVY = (
    "numpy",
    "scipy",
    "soundfile",
    "soxr",
    "jinja2",
    "jsonlines",
    "yaml",
    "rich",
    "matplotlib",
    "prefect",
    "torch",
)


def commands(command: click.Command = group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))


@pytest.mark.parametrize("path", tuple(commands()), ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(path: tuple[str, ...], option: str) -> None:
    answer = humdial(*path, option)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(" ".join(("Usage: humdial", *path)))
    assert len(answer.out.splitlines()) > 4
    assert max(map(len, answer.out.splitlines())) <= 100


def test_every_command_of_the_design_is_there() -> None:
    named = "run preview retime check describe fit export prompts voices doctor seeds"
    assert set(named.split()) <= set(group.commands)


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, json\n"
        "sys.argv = ['humdial', '--help']\n"
        "from flows.app import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "pipeline" in loaded
    assert not loaded & set(HEAVY)


def test_the_version_is_that_of_the_package() -> None:
    answer = humdial("--version")
    assert (answer.code, answer.out) == (0, f"humdial, version {__version__}\n")


def test_without_a_command_help_is_shown() -> None:
    answer = humdial()
    assert answer.code == 2
    assert "Commands:" in answer.err + answer.out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["rnu"], r"No such command 'rnu'.*[Dd]id you mean 'run'\?.*see humdial --help$"),
        (["xyzzy"], r"No such command 'xyzzy'.*see humdial --help$"),
        (
            ["voices", "chekc"],
            r"No such command 'chekc'.*[Dd]id you mean 'check'\?.*see humdial voices --help$",
        ),
        (["preview"], r"Missing argument 'CONFIG'.*see humdial preview --help$"),
        (["preview", "demo"], r"Missing option '--out'.*see humdial preview --help$"),
        (["preview", "demo", "--ouz", "x"], r"No such option.*--ouz.*--out"),
        (["preview", "demo", "-n", "0", "--out", "x"], r"'-n': 0 is not in the range x>=1"),
        (["preview", "demo", "-n", "few", "--out", "x"], r"'-n': 'few' is not a valid integer"),
        (["preview", "demo", "extra", "--out", "x"], r"unexpected extra argument"),
        (["export", "humdial-track3", "x", "--out", "y"], r"'humdial-track3' is not.*'?humdial-track2'?"),
        (["export", "humdial-track2", "x", "--out", "y", "--layout", "t"], r"'t' is not one of.*dev"),
        (["retime", "x", "--out", "y", "--processes", "0"], r"0 is not in the range"),
        (["--nope"], r"No such option.*--nope"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_misuse_is_told_in_one_line_with_exit_code_2(arguments: list[str], problem: str) -> None:
    answer = humdial(*arguments)
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1
    assert re.search(problem, answer.problem), answer.problem


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("wrong"), 2, "humdial: wrong"),
        (PipelineError("failed"), 1, "humdial: failed"),
        (TerminalBackendError("two\nlines"), 1, "humdial: two lines"),
        (KeyboardInterrupt(), 130, "humdial: interrupted; the same command goes on where it stopped"),
        (
            OSError(28, "No space left on device", "some/file"),
            1,
            "humdial: some/file: No space left on device",
        ),
    ],
    ids=repr,
)
def test_an_error_is_one_line_and_decides_the_exit_code(
    error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(doctor, "callback", fail)
    answer = humdial("doctor")
    assert (answer.code, answer.out) == (code, "")
    assert answer.problem == line


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigError("wrong"), 2), (OSError(28, "No space left", "some/file"), 1)], ids=repr
)
def test_debug_shows_the_traceback_and_keeps_the_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(doctor, "callback", fail)
    with pytest.raises(SystemExit) as left:
        main_function(arguments=["--debug", "doctor"])
    assert left.value.code == code
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_hangs_up_is_no_error(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "flows.app", "seeds", "list"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.close()
        assert listing.stderr.read() == ""

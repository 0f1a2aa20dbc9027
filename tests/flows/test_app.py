import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.app import run_flow
from pipeline.cli import main

ROOT = Path(__file__).parents[2]


def humdial(*arguments: str) -> int:
    """The command in this process; its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(run_flow=run_flow, arguments=list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_help_imports_neither_prefect_nor_the_pipeline_s_engines() -> None:
    script = (
        "import sys\n"
        "sys.argv = ['humdial', '--help']\n"
        "from flows.app import main\n"
        "try:\n    main()\n"
        "finally:\n    print([m for m in ('prefect', 'numpy', 'scipy', 'torch') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.startswith("Usage: humdial")
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nosuch",), "nosuch: neither a file nor a preset"),
        (("full",), "does not exist"),
        (("demo", "--set", "workers=none"), "workers: "),
        (("demo", "--out", "/dev/null/run"), "cannot be written"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2_before_any_server(
    arguments: tuple[str, ...],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    assert humdial("run", *arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


def test_a_server_that_does_not_answer_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert humdial("run", "demo", "--out", str(tmp_path / "run")) == 1
    said = capsys.readouterr().err
    assert "no server answers at http://127.0.0.1:9/api" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "run" / "01-seeds").exists()


def test_an_error_inside_the_flow_is_one_line_and_keeps_its_exit_code(
    api: str, small_config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    assert humdial("run", str(small_config), "--out", out, "--set", "timing.reference=nosuch.json") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("humdial: ")
    assert "nosuch.json" in last


def test_a_run_ends_with_its_summary_and_exit_code_0(
    api: str, small_config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert humdial("run", str(small_config), "--out", str(tmp_path / "run")) == 0
    said = capsys.readouterr()
    assert str(tmp_path / "run") in said.out
    assert "Traceback" not in said.err
    assert "Flow run" not in said.err

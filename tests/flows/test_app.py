import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def humdial(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command as a user calls it."""
    return subprocess.run(
        [sys.executable, "-m", "flows.app", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
    )


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


def test_help_answers_at_once() -> None:
    def once() -> float:
        began = time.perf_counter()
        assert humdial("--help").returncode == 0
        return time.perf_counter() - began

    assert min(once() for _ in range(3)) < 0.5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "nosuch"), "nosuch: neither a file nor a preset"),
        (("run", "full"), "does not exist"),
        (("run", "demo", "--set", "workers=none"), "workers: "),
        (("run", "demo", "--out", "/dev/null/run"), "cannot be written"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2_before_any_server(arguments: tuple[str, ...], says: str) -> None:
    done = humdial(*arguments, PREFECT_API_URL="http://127.0.0.1:9/api")  # a server would be asked in vain
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_server_that_does_not_answer_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    done = humdial("run", "demo", "--out", str(tmp_path / "run"), PREFECT_API_URL="http://127.0.0.1:9/api")
    assert done.returncode == 1, done.stderr
    assert "no server answers at http://127.0.0.1:9/api" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run" / "01-seeds").exists()

"""`humdial filter` as a process: killed in the middle, it goes on and writes what it would have written."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import soundfile

from tests.calls import call
from tests.flows.processes import HUMDIAL, ROOT, children_of, is_running, process, wait_until
from tests.flows.test_filter import contents

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"),
]

RECORDINGS = 12
MINUTES = 8


@pytest.fixture(scope="module")
def declaration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same long call under many names."""
    folder = tmp_path_factory.mktemp("calls")
    samples = call()
    with soundfile.SoundFile(folder / "call.wav", "w", 8000, 2) as file:
        for _ in range(MINUTES):
            file.write(samples)
    names = "".join(f"  - {{recording_id: call-{n:02d}, audio: [call.wav]}}\n" for n in range(RECORDINGS))
    path = folder / "calls.yaml"
    path.write_text(
        "rights: {corpus: made-up, licence_id: CC0-1.0, consent_basis: invented}\n"
        f"workers: 2\nrecordings:\n{names}",
        encoding="utf-8",
    )
    return path


def command(declaration: Path, out: Path) -> list[str]:
    return [*HUMDIAL, "filter", str(declaration), "--out", str(out)]


def finished(declaration: Path, out: Path) -> str:
    """Run to the end; what it told of each recording."""
    done = subprocess.run(
        command(declaration, out),
        capture_output=True,
        text=True,
        timeout=180,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def entries(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (out / "activity").glob("[!.]*.json")}


def test_a_killed_filter_goes_on_where_it_stopped(declaration: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    with process(command(declaration, out), log) as started:
        wait_until(lambda: len(entries(out)) >= 2, "the first recordings", 90, log)
        below = children_of(started.pid)
        assert len(below) >= 2, "wanted two processes that hear"
        os.kill(started.pid, signal.SIGKILL)
        started.wait(timeout=10)
        wait_until(lambda: not any(map(is_running, below)), f"the end of {below}", 10, log)
        kept = entries(out)
    assert 2 <= len(kept) < RECORDINGS
    assert not (out / "summary.json").exists()

    told = finished(declaration, out)
    assert told.count(" kept (") == len(kept)
    assert told.count(" heard (") == RECORDINGS - len(kept)
    assert {name: entries(out)[name] for name in kept} == kept
    assert not list(out.rglob(".partial-*"))

    finished(declaration, tmp_path / "uninterrupted")
    assert contents(out) == contents(tmp_path / "uninterrupted")

"""`humdial run` as a process: killed, interrupted, repeated, cut differently."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.io.files import file_sha256
from tests.flows.processes import HUMDIAL, ROOT, children_of, is_running, process, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"),
]

CONFIG = """
name: twenty
shard_size: 4
seeds:
  sources:
    - {reader: jsonl, path: demo, language: en, limit: 10}
    - {reader: jsonl, path: demo, language: zh, limit: 10}
  splits: {train: 0.5, dev: 0.5}
export: [humdial-track2]
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "twenty.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def uninterrupted(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from nothing, with a store of its own."""
    out = tmp_path_factory.mktemp("uninterrupted") / "run"
    humdial(config, out)
    return out


def command(config: Path, out: Path, *arguments: str) -> list[str]:
    return [*HUMDIAL, "run", str(config), "--out", str(out), *arguments]


def humdial(config: Path, out: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command(config, out, *arguments),
        capture_output=True,
        text=True,
        timeout=180,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def hashes(run: Path) -> dict[str, str]:
    """Of the records, the audio and the export: what a run is made for."""
    files = [run / "dialogues.jsonl", *(run / "audio").iterdir(), *(run / "export").rglob("*")]
    found = {str(path.relative_to(run)): file_sha256(path) for path in files if path.is_file()}
    assert sum(name.startswith("audio/") for name in found) >= 10, sorted(found)
    return found


def times_of_work(run: Path) -> dict[str, int]:
    """When every stamp and every audio file was written."""
    paths = [*run.glob("[0-9][0-9]-*/*"), *(run / "audio").iterdir(), *(run / "export").rglob("*")]
    return {str(path): path.stat().st_mtime_ns for path in paths}


def stamps(run: Path, stage: str) -> int:
    return len(list(run.glob(f"{stage}/stamp.*")))


def test_the_same_command_again_makes_nothing_again(config: Path, uninterrupted: Path) -> None:
    before = times_of_work(uninterrupted)
    assert stamps(uninterrupted, "05-render") == 5
    done = humdial(config, uninterrupted)
    assert times_of_work(uninterrupted) == before
    assert " kept: " in done.stderr
    assert " done: " not in done.stderr


def test_shards_and_workers_change_nothing(config: Path, uninterrupted: Path, tmp_path: Path) -> None:
    humdial(
        config, tmp_path / "run", "--set", "shard_size=7", "--set", "workers=3", "--set", "speech.processes=1"
    )
    assert stamps(tmp_path / "run", "05-render") == 3
    assert hashes(tmp_path / "run") == hashes(uninterrupted)


@pytest.fixture
def under_way(config: Path, tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", set[int], Path]]:
    """A run in the middle of its speech stage, and every process below it."""
    out, log = tmp_path / "run", tmp_path / "log"
    with process(command(config, out), log) as started:
        wait_until(lambda: stamps(out, "03-speech") >= 1, "the first shard of speech", 90, log)
        below = children_of(started.pid)
        assert len(below) >= 2, "wanted a server and an engine"
        assert not (out / "dialogues.jsonl").exists()
        yield started, below, out


def test_a_killed_run_goes_on_where_it_stopped(
    under_way: tuple["subprocess.Popen[bytes]", set[int], Path], config: Path, uninterrupted: Path
) -> None:
    started, below, out = under_way
    os.kill(started.pid, signal.SIGKILL)
    started.wait(timeout=10)
    kept = {path: path.stat().st_mtime_ns for path in out.glob("0[2-4]-*/stamp.*") if path.is_file()}
    assert kept
    assert not (out / "dialogues.jsonl").exists()
    wait_until(lambda: not any(map(is_running, below)), f"the end of {below}", 10, out.parent / "log")

    humdial(config, out)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert hashes(out) == hashes(uninterrupted)
    assert not list(out.rglob(".partial-*"))


def test_an_interrupted_run_leaves_no_process_and_says_how_to_go_on(
    under_way: tuple["subprocess.Popen[bytes]", set[int], Path],
) -> None:
    started, below, out = under_way
    os.killpg(started.pid, signal.SIGINT)  # what Ctrl-C does: to the whole group
    assert started.wait(timeout=60) == 130
    log = (out.parent / "log").read_text()
    assert "goes on where it stopped" in log
    assert "Traceback" not in log
    assert not any(map(is_running, below))


def test_a_terminated_run_leaves_no_process(
    under_way: tuple["subprocess.Popen[bytes]", set[int], Path],
) -> None:
    started, below, out = under_way
    started.terminate()
    assert started.wait(timeout=60) != 0
    wait_until(lambda: not any(map(is_running, below)), f"the end of {below}", 10, out.parent / "log")


def test_a_second_run_into_the_same_directory_is_refused(
    under_way: tuple["subprocess.Popen[bytes]", set[int], Path], config: Path
) -> None:
    started, _, out = under_way
    started.send_signal(signal.SIGSTOP)  # or it might end first
    done = subprocess.run(
        command(config, out),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    started.send_signal(signal.SIGCONT)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"humdial: {out}: another run is writing here; wait for it or choose another --out"
    ]


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("timing.reference=nosuch.json", 2, "nosuch.json"),
        ("seeds.scenes={pause_handling: 1}", 1, "all records were refused"),
    ],
)
def test_what_fails_inside_a_task_is_one_line_with_its_own_exit_code(
    config: Path, tmp_path: Path, line: str, code: int, says: str
) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text('{"id": "x", "turns": [{"speaker": "A", "text": "Hello there"}]}\n', encoding="utf-8")
    sources = (
        f"seeds.sources=[{{reader: jsonl, path: {seeds if code == 1 else 'demo'}, language: en, limit: 4}}]"
    )
    out, log = tmp_path / "run", tmp_path / "log"
    arguments = ("--set", sources, "--set", "seeds.splits={train: 1}", "--set", line)
    with process(command(config, out, *arguments), log) as started:
        wait_until(lambda: bool(children_of(started.pid)), "the server", 30, log)
        below = children_of(started.pid)
        assert started.wait(timeout=120) == code, log.read_text()
    last = log.read_text().splitlines()[-1]
    assert last.startswith("humdial: ")
    assert says in last
    assert "Traceback" not in log.read_text()
    assert not any(map(is_running, below))

"""Real processes for tests: started in a group of their own, waited for with a bound, ended whatever happens."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HUMDIAL = (sys.executable, "-m", "flows.app")
PREFECT = (sys.executable, "-m", "prefect")


@contextmanager
def process(command: Sequence[str], log: Path, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process and its group; what it prints goes to `log`."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            start_new_session=True,
        )
        try:
            yield started
        finally:
            end_group(started)


def end_group(started: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, fifteen seconds, SIGKILL."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(started.pid, kind)
        except ProcessLookupError:
            break
        try:
            started.wait(timeout=15)
        except subprocess.TimeoutExpired:
            continue
    started.wait(timeout=15)


def wait_until(holds: Callable[[], bool], what: str, within_s: float, log: Path) -> None:
    """Poll; fail with what was waited for and the end of the log."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-3000:] if log.is_file() else "(no log)"
            raise AssertionError(f"waited {within_s:.0f} s for {what}; the log ends with:\n{tail}")
        time.sleep(0.1)


def children_of(pid: int) -> set[int]:
    """Every process below one, from /proc (Linux)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        below = {child for child, its_parent in parents.items() if its_parent == parent} - found
        found |= below
        waiting.extend(below)
    return found


def is_running(pid: int) -> bool:
    """Whether a process exists and is more than a zombie."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

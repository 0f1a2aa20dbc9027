"""A worker to test against: real HTTP, real processes, an engine without a model.

    with running_worker(faults={"nan": 0.1, "crash": 0.1}) as worker:
        httpx.post(f"{worker.url}/v1/tts", json={...})

**Faults.** `faults` gives a share per kind (see `double_engine.FAULTS`). Whether a kind strikes depends on voice,
text and seed alone - not on the request id, nor on what came before - so that a retry with another seed is another
draw, and a run that was killed meets the same faults again. `error`, `stuck` and `crash` strike once per (voice,
text, seed): the same request, sent again, succeeds. A `stuck` request ends with its deadline, so send a small
`deadline_s`. `script={"<request id>": "nan"}` makes single requests fail, at every try. Faults never hit warm-ups
and the trial of a new voice.

Every fault of the audio is one that the worker's gate refuses (422): empty as too_short, nan as nan, silence and
leading_silence as silent, clipped as clipped, spoken_instruction (eight times as long as it should be) and too_long
(28 s) as too_long, unless the request's own `max_duration_s` is above that.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.backends.cosyvoice_worker.double_engine import DoubleOptions, Fault

ROOT = Path(__file__).parents[3]
PACKAGES = ROOT / "pipeline" / "backends" / "cosyvoice"
MODULE = "pipeline.backends.cosyvoice.worker"
ENGINE = "tests.backends.cosyvoice_worker.double_engine:open_double"


@dataclass(frozen=True)
class RunningWorker:
    """A worker that listens."""

    url: str
    pid: int
    voices: Path

    def kill(self) -> None:
        """`kill -9` of the parent: its engines have to notice."""
        os.kill(self.pid, signal.SIGKILL)


@contextmanager
def running_worker(
    *,
    faults: Mapping[Fault, float] | None = None,
    script: Mapping[str, Fault] | None = None,
    fault_seed: int = 0,
    engines: int = 1,
    port: int = 0,
    voices: Path | None = None,
    arguments: tuple[str, ...] = (),
    wait_s: float = 30.0,
    **options: object,
) -> Iterator[RunningWorker]:
    """A worker that is ready (with `wait_s=0`: one that was just started).

    `arguments` are further ones of the worker (`--queue 1`); `options` are those of `DoubleOptions`. Naming `port`
    and `voices` lets a second worker take the place of one that was killed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        double = DoubleOptions.model_validate(
            {
                "rates": dict(faults or {}),
                "script": dict(script or {}),
                "fault_seed": fault_seed,
                "once_dir": scratch,
                **options,
            }
        )
        place = voices or Path(scratch) / "voices"
        command = ["--engine", ENGINE, "--engine-options", double.model_dump_json()]
        command += ["--engines", str(engines), "--port", str(port), *arguments]
        with started(command, place, wait_s=wait_s) as worker:
            yield worker


@contextmanager
def started(
    arguments: list[str],
    voices: Path,
    *,
    wait_s: float,
    program: tuple[str, ...] = (sys.executable, "-m", MODULE),
    python_path: tuple[Path, ...] = (ROOT,),
) -> Iterator[RunningWorker]:
    """A worker process with any engine, ended at the end."""
    process = subprocess.Popen(
        [*program, *arguments, "--voices", str(voices)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, python_path))},
    )
    try:
        if process.stdout is None:
            raise RuntimeError("no standard output")
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended with {process.wait()} before it listened")
        worker = RunningWorker(url=json.loads(line)["url"], pid=process.pid, voices=voices)
        _wait_until_ready(worker.url, wait_s)
        yield worker
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _wait_until_ready(url: str, wait_s: float) -> None:
    end = time.monotonic() + wait_s
    problem = "not asked"
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except urllib.error.HTTPError as error:
            problem = error.read().decode()
        except OSError as error:
            problem = str(error)
        time.sleep(0.02)
    if wait_s:
        raise RuntimeError(f"the worker was not ready within {wait_s} s: {problem}")

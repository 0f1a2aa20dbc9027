"""An engine in a process of its own: loads one model, serves one job at a time, ends with its parent.

Libraries print what they like: standard output is theirs and goes to standard error, the pipe is a descriptor
that they do not know. A thread listens to the parent while the model works, so that a parent that was killed is
noticed in the middle of a synthesis: no engine is left behind.

Usage: `python -m worker.engine_process SETTINGS_AS_JSON`
"""

import importlib
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .framing import PipeClosedError, frame, read_message, samples_to_bytes, write_all
from .gate import BadAudioError, judge
from .messages import EngineSettings, Greeting, Job, Refused, Reply

_NOTHING = np.zeros(0, dtype=np.float32)


class Engine(Protocol):
    """A model that was loaded."""

    @property
    def greeting(self) -> Greeting:
        """What it is, and what it can do."""
        ...

    def synthesize(self, job: Job) -> npt.NDArray[np.float32]:
        """Float32 `[num_samples]` at the greeting's rate, as the model made it; empty where it made nothing."""
        ...


def load_engine(settings: EngineSettings) -> Engine:
    """Call the factory that the settings name."""
    module, _, function = settings.factory.partition(":")
    factory: Callable[[EngineSettings], Engine] = getattr(importlib.import_module(module), function)
    return factory(settings)


def answer(engine: Engine, job: Job) -> tuple[Reply, npt.NDArray[np.float32]]:
    """Synthesize and judge. Whatever the model raises is an answer too."""
    started = time.monotonic()
    try:
        with _failures_in_threads() as failures:
            samples = engine.synthesize(job)
        if failures:  # CosyVoice's language model runs in a thread, whose errors are printed and forgotten
            raise RuntimeError(f"a thread of the model failed: {failures[0]}")
        passed = judge(
            samples,
            engine.greeting.sample_rate,
            text=job.text,
            kind=job.kind,
            speed=job.speed,
            max_duration_s=job.max_duration_s,
        )
    except BadAudioError as error:
        return _refuse(started, Refused(reason=error.reason, message=str(error), details=error.details))
    except Exception as error:
        return _refuse(started, Refused(reason=None, message=f"{type(error).__name__}: {error}"[:1000]))
    reply = Reply(
        num_samples=len(passed.samples),
        trimmed_lead_s=passed.trimmed_lead_s,
        trimmed_tail_s=passed.trimmed_tail_s,
        engine_ms=_since_ms(started),
        rss_mb=resident_mb(),
        warnings=list(passed.warnings),
    )
    return reply, passed.samples


def _refuse(started: float, refused: Refused) -> tuple[Reply, npt.NDArray[np.float32]]:
    return Reply(refused=refused, engine_ms=_since_ms(started), rss_mb=resident_mb()), _NOTHING


def _since_ms(started: float) -> int:
    return round(1000 * (time.monotonic() - started))


def resident_mb() -> int:
    """Memory of this process: what it holds now, or where only that is known, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") >> 20
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak >> (20 if sys.platform == "darwin" else 10)


@contextmanager
def _failures_in_threads() -> Iterator[list[str]]:
    """What threads fail with meanwhile is kept, beside being printed."""
    failures: list[str] = []
    before = threading.excepthook

    def keep(arguments: threading.ExceptHookArgs) -> None:
        failures.append(f"{arguments.exc_type.__name__}: {arguments.exc_value}")
        threading.__excepthook__(arguments)

    threading.excepthook = keep
    try:
        yield failures
    finally:
        threading.excepthook = before


def _listen(descriptor: int, jobs: "queue.SimpleQueue[bytes]") -> None:
    """Pass jobs on; end the whole process with the parent, whatever the model is doing."""
    try:
        while True:
            jobs.put(read_message(descriptor))
    except PipeClosedError:
        os._exit(0)


def _own_pipes() -> tuple[int, int]:
    """Input and output of this process under other numbers; prints go to standard error from here on."""
    inward, outward = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return inward, outward


def main(settings: EngineSettings) -> None:
    """Serve until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    inward, outward = _own_pipes()
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inward, jobs), daemon=True).start()
    try:
        engine = load_engine(settings)
        first = Reply(greeting=engine.greeting)
    except Exception as error:
        failed = Reply(refused=Refused(reason=None, message=f"{type(error).__name__}: {error}"[:1000]))
        write_all(outward, frame(failed.model_dump_json().encode()))
        raise
    write_all(outward, frame(first.model_dump_json().encode()))
    while True:
        reply, samples = answer(engine, Job.model_validate_json(jobs.get()))
        write_all(outward, frame(reply.model_dump_json().encode()) + samples_to_bytes(samples))


if __name__ == "__main__":
    main(EngineSettings.model_validate_json(sys.argv[1]))

"""One fork server as its parent sees it: started when needed, restarted once, never left behind."""

import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from pipeline.backends.espeak.alignment import EngineEvent
from pipeline.backends.espeak.folder import Installation, link_data_folder
from pipeline.domain.errors import ConfigError, RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record

_WORKER = Path(__file__).with_name("worker.py")


class EngineRequest(Record):
    """What goes down the pipe: text and voice as the engine spells them, and its parameters."""

    text: str
    voice: str
    seed: int
    rate_wpm: int
    pitch: int
    pitch_range: int
    volume: int
    deadline_s: int


class _Greeting(BaseModel):
    sampling_rate: int = 0
    version: str = ""
    error: str | None = None


class _ReplyHead(BaseModel):
    events: tuple[tuple[Literal["word", "end", "pause", "phoneme"], int, int], ...] = ()
    num_bytes: int = 0
    error: str | None = None
    unknown_voice: bool = False
    signal: int | None = None


class _WorkerLostError(Exception):
    """The process ended while something was asked of it."""


class WorkerProcess:
    """A fork server, for use by one thread at a time."""

    def __init__(self, installation: Installation, deadline_s: int) -> None:
        self._installation = installation
        self._deadline_s = deadline_s
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self.version = ""
        self.sampling_rate = 0

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it if it does not run, and read which engine it is."""
        try:
            self._start()
        except _WorkerLostError:
            self.close()
            raise TransientBackendError(
                f"espeak: the process of {_WORKER.name} ended before it was ready; remedy: run again, "
                f"or look at what `python {_WORKER}` says"
            ) from None

    def speak(self, request: EngineRequest) -> tuple[tuple[EngineEvent, ...], npt.NDArray[np.int16]]:
        """Events and PCM of one request. A process that died is replaced once per request."""
        for _ in range(2):
            try:
                self._start()
                return self._ask(request)
            except _WorkerLostError:
                self.close()
        raise TransientBackendError(
            f"espeak: the speech process died twice over {request.text!r}; remedy: run again"
        )

    def close(self) -> None:
        """End the process, reap it, remove its folder. Safe to repeat."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder.parent, ignore_errors=True)

    def _start(self) -> None:
        if self._process is not None:
            return
        self._folder = link_data_folder(self._installation)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_WORKER), str(self._installation.library), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the parent; the worker ends with its input
        )
        greeting = _Greeting.model_validate_json(self._read_message(time.monotonic() + self._deadline_s))
        if greeting.error is not None:
            self.close()
            raise ConfigError(
                f"espeak: the engine {self._installation.library} does not start: {greeting.error}; "
                "remedy: pip install --force-reinstall 'humdial-pipeline[espeak]'"
            )
        self.version, self.sampling_rate = greeting.version, greeting.sampling_rate

    def _ask(self, request: EngineRequest) -> tuple[tuple[EngineEvent, ...], npt.NDArray[np.int16]]:
        deadline = time.monotonic() + request.deadline_s + 1  # the child's own alarm comes first
        self._send(request.to_line().encode())
        head = _ReplyHead.model_validate_json(self._read_message(deadline))
        _raise_for(head, request)
        pcm = np.frombuffer(self._read(head.num_bytes, deadline), dtype="<i2").astype(np.int16)
        return tuple(EngineEvent(*event) for event in head.events), pcm

    def _send(self, body: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            raise _WorkerLostError
        view = memoryview(len(body).to_bytes(4, "big") + body)
        try:
            while view:
                view = view[os.write(self._process.stdin.fileno(), view) :]
        except BrokenPipeError:
            raise _WorkerLostError from None

    def _read_message(self, deadline: float) -> bytes:
        return self._read(int.from_bytes(self._read(4, deadline), "big"), deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise _WorkerLostError
        descriptor = self._process.stdout.fileno()
        content = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while len(content) < size:
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    self.close()
                    raise TransientBackendError(
                        f"espeak: no reply within the deadline of {self._deadline_s} s; remedy: run again"
                    )
                part = os.read(descriptor, size - len(content))
                if not part:
                    raise _WorkerLostError
                content.extend(part)
        return bytes(content)


def _raise_for(head: _ReplyHead, request: EngineRequest) -> None:
    if head.error is None:
        return
    if head.unknown_voice:
        raise TerminalBackendError(
            f"espeak: the engine knows no voice {request.voice!r}; remedy: humdial voices check, "
            "or correct backend_voice in the catalogue"
        )
    if head.signal in (signal.SIGALRM, signal.SIGKILL):
        raise TransientBackendError(
            f"espeak: {head.error} (deadline {request.deadline_s} s) over {request.text!r}; remedy: run again"
        )
    raise RecordError(Reason.SYNTHESIS_FAILED, f"espeak: {head.error} over {request.text!r}")

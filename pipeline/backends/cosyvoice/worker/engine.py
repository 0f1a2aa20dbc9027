"""One engine process as the parent sees it."""

import asyncio
import contextlib
import os
import signal
import sys
from typing import Literal

import numpy as np
import numpy.typing as npt

from .framing import PipeClosedError, frame, receive, receive_samples
from .messages import EngineSettings, Greeting, Job, Reply

State = Literal["loading", "ready", "busy", "recycling"]
_BUFFER = 1 << 20


class EngineLostError(Exception):
    """The process ended, or never began to serve."""


class EngineProcess:
    """Started, asked and killed by one task at a time; started again after that."""

    def __init__(self, number: int, settings: EngineSettings, gpu: str | None = None) -> None:
        self.number = number
        self.state: State = "loading"
        self.served = 0
        """Jobs since it was ready."""
        self.restarts = -1
        self.rss_mb = 0
        self.problem: str | None = None
        """Why it was replaced last."""
        self._settings = settings
        self._gpu = gpu
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    async def start(self) -> Greeting:
        """Spawn it and wait until its model is loaded; raises EngineLostError with the model's own words."""
        self.served, self.restarts = 0, self.restarts + 1
        environment = (
            {**os.environ} if self._gpu is None else {**os.environ, "CUDA_VISIBLE_DEVICES": self._gpu}
        )
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"{__package__}.engine_process",
            self._settings.model_dump_json(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_BUFFER,
            env=environment,
            start_new_session=True,  # a group of its own: killed with whatever it started, and not by Ctrl-C
        )
        reply = await self._receive()
        if reply.greeting is None:
            raise EngineLostError(reply.refused.message if reply.refused else "the engine said nothing")
        return reply.greeting

    async def ask(self, job: Job) -> tuple[Reply, npt.NDArray[np.float32]]:
        """Its answer; the caller sets the deadline. Raises EngineLostError."""
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise EngineLostError("the engine has no pipe")
        try:
            process.stdin.write(frame(job.model_dump_json().encode()))
            await process.stdin.drain()
            reply = await self._receive()
            samples = await receive_samples(process.stdout, reply.num_samples)
        except (PipeClosedError, ConnectionError) as error:
            raise EngineLostError(f"engine {self.number} ended in the middle of a request") from error
        self.served += 1
        self.rss_mb = reply.rss_mb
        return reply, samples

    async def ended(self) -> None:
        """Return when the process has ended, by whatever cause."""
        await self._running().wait()

    async def kill(self) -> None:
        """End it at once, with everything it started, and reap it. Safe to repeat."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    async def _receive(self) -> Reply:
        process = self._running()
        if process.stdout is None:
            raise EngineLostError("the engine has no pipe")
        try:
            return Reply.model_validate_json(await receive(process.stdout))
        except (PipeClosedError, ValueError) as error:
            raise EngineLostError(f"engine {self.number}: {error}") from error

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise EngineLostError(f"engine {self.number} does not run")
        return self._process

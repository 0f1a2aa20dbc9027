"""Which Prefect server a run reports to: the user's, or an embedded one that ends with the run."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.events.worker import EventsWorker
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)

from pipeline.domain.errors import BackendError

_SERVER = Path(__file__).with_name("embedded_server.py")


@contextmanager
def prefect_api() -> Iterator[None]:
    """Make sure that there is a server to talk to while the block runs.

    With `PREFECT_API_URL` in the environment or in Prefect's profile that one is used and none is started.
    Raises BackendError where that server does not answer, or the embedded one does not come up.
    """
    url = PREFECT_API_URL.value()
    if url:
        _check_answers(url)
        yield
        return
    with _embedded_server() as url:
        settings = {
            PREFECT_API_URL: url,
            # Nobody looks at its logs, and nobody would act on a missing heartbeat, whose thread costs every
            # flow a second (its environment variable cannot say "none", hence not in `settings`).
            PREFECT_LOGGING_TO_API_ENABLED: False,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        }
        with temporary_settings(settings):
            try:
                yield
            finally:
                EventsWorker.drain_all(timeout=5)  # its thread would go on knocking at a closed door


def _check_answers(url: str) -> None:
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem is not None:
        raise BackendError(
            f"prefect: no server answers at {url} ({problem}); remedy: start it (prefect server start), or unset "
            "PREFECT_API_URL to run with an embedded one"
        )


@contextmanager
def _embedded_server() -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-P", str(_SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the client; the server ends with its stdin
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        port = server.stdout.readline().strip()
        if not port.isdigit():
            raise BackendError(
                f"prefect: the embedded server ended before it listened (exit {server.wait()}); remedy: run "
                f"`{sys.executable} -P {_SERVER}` to see why, or set PREFECT_API_URL to a server that runs"
            )
        yield f"http://127.0.0.1:{int(port)}/api"
    finally:
        server.stdin.close()
        server.stdout.close()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

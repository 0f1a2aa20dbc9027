"""The embedded Prefect server, as its own process: a private database, and an end with its parent.

Runs as a script (`python embedded_server.py`), writes its port to stdout once it listens, and lives until its
stdin is closed. The kernel closes a pipe however its other end dies, so neither Ctrl-C nor `kill -9` of the
client leaves a server behind, which Prefect's own temporary server does.

::

    client  --stdin (never written, closed at the end)-->  server
            <--stdout: "43117\\n" when it listens--------
"""

import os
import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    """Serve Prefect's API on a free port of the loopback device until stdin ends."""
    folder = Path(tempfile.mkdtemp(prefix="humdial-prefect-"))
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    os.environ.setdefault(
        "PREFECT_SERVER_DATABASE_CONNECTION_URL", f"sqlite+aiosqlite:///{folder / 'prefect.db'}"
    )
    os.environ.update(
        PREFECT_HOME=str(folder),
        PREFECT_API_BLOCKS_REGISTER_ON_START="false",  # nobody saves blocks here
        PREFECT_UI_ENABLED="0",
        PREFECT__SERVER_EPHEMERAL="1",  # the two switches that Prefect sets for its own temporary server
        PREFECT__SERVER_FINAL="1",
    )
    template = template_path()
    if template.is_file():
        shutil.copy(template, folder / "prefect.db")

    import uvicorn
    from prefect.server.api.server import create_app

    class Server(uvicorn.Server):
        """Says its port when the application has started and the socket listens."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and sockets:
                keep_template(folder / "prefect.db", template)
                print(sockets[0].getsockname()[1], flush=True)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads on: a full pipe would block

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app, factory=True, lifespan="on", log_level="critical")
    Server(config).run(sockets=[listener])


def template_path() -> Path:
    """Where the migrated, empty database of this Prefect version is kept: it saves ten seconds per run."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "humdial-pipeline" / f"prefect-{version('prefect')}.db"


def keep_template(database: Path, template: Path) -> None:
    """Copy a database that was migrated just now to where the next server finds it."""
    if template.is_file() or not database.is_file():
        return
    with suppress(OSError):  # a home that cannot be written costs time, nothing else
        template.parent.mkdir(parents=True, exist_ok=True)
        partial = template.with_name(f".partial-{os.getpid()}-{template.name}")
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
        partial.replace(template)


def _end_with_parent(folder: Path) -> None:
    """Wait for the end of stdin, then leave at once: nothing in this database is worth a clean shutdown."""
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()

"""Deployments on a real Prefect server with a real worker, by the commands that flows/prefect.yaml documents."""

import json
import shlex
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import JsonValue, TypeAdapter

from pipeline.domain.timeline import Dialogue
from pipeline.io.jsonl import read_records
from tests.calls import call, write_call
from tests.flows.processes import PREFECT, ROOT, process, wait_until

pytestmark = pytest.mark.slow

_ROWS = TypeAdapter(list[dict[str, JsonValue]])


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, and the environment that leads to it."""

    url: str
    environment: dict[str, str]

    def rows(self, kind: str, **conditions: JsonValue) -> list[dict[str, JsonValue]]:
        """What the server holds of one kind."""
        request = urllib.request.Request(
            f"{self.url}/{kind}/filter",
            data=json.dumps(conditions).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return _ROWS.validate_json(reply.read())

    def prefect(self, *arguments: str) -> str:
        """Run one command of Prefect's."""
        done = subprocess.run(
            [*PREFECT, *arguments],
            capture_output=True,
            text=True,
            timeout=90,
            cwd=ROOT,
            env=self.environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def answers(self) -> bool:
        """Whether it is ready, its database included."""
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def documented(beginning: str) -> list[str]:
    """The arguments of the one command in the head of flows/prefect.yaml that begins so."""
    lines = (ROOT / "flows" / "prefect.yaml").read_text(encoding="utf-8").splitlines()
    (found,) = (line for line in lines if line.startswith(f"#   prefect {beginning}"))
    return shlex.split(found.removeprefix("#   prefect "))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prefect server with a home and a port of its own, the pool, the deployments and a worker."""
    import os

    home = tmp_path_factory.mktemp("prefect")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    own = {"PREFECT_HOME": str(home), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    own |= {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO", "PYTHONPATH": str(ROOT)}
    made = Server(own["PREFECT_API_URL"], {**os.environ, **own})
    with ExitStack() as stack:
        log = home / "server.log"
        stack.enter_context(
            process(
                (*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui"), log, **own
            )
        )
        wait_until(made.answers, "the server", 120, log)
        made.prefect(*documented("work-pool create"))
        made.prefect(*documented("--no-prompt deploy"))
        log = home / "worker.log"
        stack.enter_context(process((*PREFECT, *documented("worker start")), log, **own))
        wait_until(lambda: bool(made.rows("work_pools/humdial-pool/workers")), "the worker", 60, log)
        yield made


def test_deployments_are_there_and_nightly_has_its_schedule(server: Server) -> None:
    found = {str(row["name"]): row for row in server.rows("deployments")}
    assert sorted(found) == ["demo", "nightly", "recordings"]
    schedules = found["nightly"]["schedules"]
    assert isinstance(schedules, list)
    (schedule,) = schedules
    assert isinstance(schedule, dict)
    timetable = schedule["schedule"]
    assert isinstance(timetable, dict)
    assert (timetable["cron"], timetable["timezone"]) == ("30 2 * * *", "Europe/Berlin")
    assert found["demo"]["schedules"] == []


@pytest.mark.parametrize("beginning", ["build/demo --param", "build/nightly", "filter/recordings"])
def test_the_documented_ways_to_ask_for_a_run_are_accepted(server: Server, beginning: str) -> None:
    arguments = documented(f"deployment run {beginning}")
    later = [argument for argument in arguments if argument not in {"--start-in", "10 seconds"}]
    said = server.prefect(*later, "--start-in", "2 days")
    assert "Created flow run" in said


def test_the_worker_carries_out_a_run_that_is_due_in_a_few_seconds(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "run"
    overrides = ["seeds.sources.0.limit=4", "seeds.sources.1.limit=4", "shard_size=3", "timing.tail_s=1.0"]
    server.prefect(
        *("deployment", "run", "build/nightly", "--start-in", "5 seconds"),
        *("--param", f"out={json.dumps(str(out))}", "--param", f"overrides={json.dumps(overrides)}"),
    )
    log = Path(server.environment["PREFECT_HOME"]) / "worker.log"

    def state() -> str:
        due = server.rows("flow_runs", flow_runs={"state": {"type": {"not_any_": ["SCHEDULED"]}}})
        return str(due[0]["state_type"]) if due else ""

    wait_until(lambda: state() in {"COMPLETED", "FAILED", "CRASHED"}, "the scheduled run", 180, log)
    assert state() == "COMPLETED", log.read_text()[-3000:]

    dialogues = list(read_records(out / "dialogues.jsonl", Dialogue))
    assert dialogues
    assert all((out / one.audio.path).stat().st_size == one.audio.num_bytes for one in dialogues)
    assert '"tail_s": 1.0' in (out / "run.json").read_text(encoding="utf-8")
    assert list((out / "export" / "humdial-track2").rglob("*.wav"))

    (artifact,) = server.rows("artifacts", artifacts={"key": {"any_": ["humdial-build"]}})
    assert str(out) in str(artifact["description"])
    wait_until(
        lambda: any("render shard 00000 done" in str(row["message"]) for row in server.rows("logs")),
        "one log line per shard",
        20,
        log,
    )


def test_the_worker_mines_what_a_declaration_names(server: Server, tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", call())
    (tmp_path / "calls.yaml").write_text(
        "rights: {corpus: made-up, licence_id: CC0-1.0, consent_basis: invented}\n"
        "recordings: [{recording_id: call, audio: [call.wav]}]\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    server.prefect(
        *("deployment", "run", "filter/recordings", "--start-in", "5 seconds"),
        *("--param", f"declaration={json.dumps(str(tmp_path / 'calls.yaml'))}"),
        *("--param", f"out={json.dumps(str(out))}"),
    )
    log = Path(server.environment["PREFECT_HOME"]) / "worker.log"
    wait_until((out / "summary.json").is_file, "the summary", 120, log)
    assert json.loads((out / "summary.json").read_text())["recordings"]["ok"] == 1
    assert (out / "segments.jsonl").read_text()
    wait_until(
        lambda: bool(server.rows("artifacts", artifacts={"key": {"any_": ["humdial-filter"]}})),
        "the table of events",
        20,
        log,
    )

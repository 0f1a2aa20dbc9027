"""Whole runs by a language model's protocol: what a person types, sees and keeps."""

import json
from pathlib import Path

import pytest

from pipeline.run_records import read_description
from tests.backends.openai_chat.test_author import closed_port
from tests.cli.calling import Answer, humdial
from tests.loopback import Fault, FaultPlan, LoopbackServer
from tests.loopback.faults import TEXT
from tests.runs import data_of

KEY = "sk-loopback-very-secret"


def configure(
    directory: Path, url: str, *, backend: str = "openai", variable: str | None = "AUTHOR_KEY"
) -> Path:
    endpoint = {"base_url": url, "server": "vllm", "api_key_variable": variable}
    author = {
        "backend": backend,
        "model": "loopback-1",
        "endpoints": [endpoint],
        "patience": {"first_pause_s": 0.01, "longest_pause_s": 0.05, "give_up_after_s": 0.5},
        "prices": {"prompt": 0.4, "cached": 0.1, "completion": 1.6},
    }
    sources = [{"reader": "jsonl", "path": "demo", "language": "en", "limit": 4}]
    scenes = {"follow_up_question": 1, "user_backchannel": 1}
    config = {"seeds": {"sources": sources, "scenes": scenes}, "script": {"author": author}}
    path = directory / "run.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def preview(config: Path, out: Path, *options: str) -> Answer:
    return humdial(*options, "preview", config, "-n", "4", "--out", out)


def files_with(text: str, directory: Path) -> list[str]:
    return [
        path.name for path in directory.rglob("*") if path.is_file() and text.encode() in path.read_bytes()
    ]


def test_a_run_by_a_server_is_accepted_whole_counted_and_repeated_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHOR_KEY", KEY)
    with LoopbackServer(api_key=KEY) as server:
        config = configure(tmp_path, server.base_url)
        answer = preview(config, tmp_path / "look")
        assert answer.code == 0, answer.err
        paid = server.paid
        again = preview(config, tmp_path / "other")
    assert "4 dialogues, 0 records refused" in answer.out
    assert (again.code, server.paid) == (0, paid), "another run with the same store pays for nothing"
    assert data_of(tmp_path / "look") == data_of(tmp_path / "other")
    ledger = read_description(tmp_path / "look").ledger
    assert ledger is not None
    assert (ledger.total.requests, ledger.total.accepted, ledger.currency) == (paid, 4, "USD")
    assert ledger.total.cost is not None
    assert f"{ledger.total.cost:,.4f}" in answer.out
    assert [row.step for row in ledger.rows] == ["adapt", "place", "write", "review"]
    kept = read_description(tmp_path / "other").ledger
    assert kept is not None
    assert kept.total == ledger.total.model_copy(update={"stored": paid})


def test_the_embedded_author_leaves_no_ledger_and_no_trace_of_a_server(tmp_path: Path) -> None:
    config = configure(tmp_path, "http://127.0.0.1:9/v1", backend="offline")
    answer = preview(config, tmp_path / "look")
    assert answer.code == 0, answer.err
    assert read_description(tmp_path / "look").ledger is None
    assert not list(tmp_path.rglob("ledger.*"))
    assert "author:" not in answer.out


def test_where_nobody_listens_the_run_stops_and_refuses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHOR_KEY", KEY)
    answer = preview(configure(tmp_path, closed_port()), tmp_path / "look")
    assert answer.code == 1
    assert "no endpoint of loopback-1 answers any more" in answer.problem
    assert "the same command goes on" in answer.problem
    assert not list((tmp_path / "look").glob("02-script/*"))
    assert not (tmp_path / "look" / "run.json").exists()


def test_a_key_that_is_not_set_is_misuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHOR_KEY", raising=False)
    answer = preview(configure(tmp_path, "http://127.0.0.1:9/v1"), tmp_path / "look")
    assert answer.code == 2
    assert "environment variable AUTHOR_KEY is not set" in answer.problem


@pytest.mark.parametrize("accepted", [True, False])
def test_no_key_is_ever_written_or_said(
    accepted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AUTHOR_KEY", KEY)
    caplog.set_level("DEBUG")
    faults = FaultPlan({fault: 0.2 for fault in Fault if fault not in TEXT}, seed=1)
    with LoopbackServer(faults, api_key=KEY if accepted else "another", slow_s=0.01) as server:
        answer = preview(configure(tmp_path, server.base_url), tmp_path / "look")
    assert answer.code == (0 if accepted else 1), answer.err
    assert KEY not in answer.out + answer.err + caplog.text
    assert {"openai", "httpx2"} & {record.name.split(".")[0] for record in caplog.records}
    assert files_with(KEY, tmp_path) == []
    assert files_with("AUTHOR_KEY", tmp_path), "the variable's name is no secret"


def test_a_traceback_shows_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHOR_KEY", KEY)
    with LoopbackServer(api_key="another") as server:
        answer = preview(configure(tmp_path, server.base_url), tmp_path / "look", "--debug")
    assert answer.code == 1
    assert "Traceback" in answer.err
    assert "does not accept the key" in answer.err
    assert KEY not in answer.err + answer.out

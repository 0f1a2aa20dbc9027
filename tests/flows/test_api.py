import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

import flows.api
from flows.api import prefect_api
from flows.embedded_server import keep_template, template_path
from pipeline.domain.errors import BackendError


def make_database(path: Path, value: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table migrated (value text)")
        database.execute("insert into migrated values (?)", (value,))
        database.commit()


def value_in(path: Path) -> str:
    with closing(sqlite3.connect(path)) as database:
        (row,) = database.execute("select value from migrated").fetchall()
    return str(row[0])


def test_the_user_s_server_is_used_and_none_is_started(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    with temporary_settings({PREFECT_API_URL: api}), prefect_api():
        assert PREFECT_API_URL.value() == api


def test_a_server_that_does_not_come_up_says_how_to_see_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "server.py"
    script.write_text("raise SystemExit(3)\n", encoding="utf-8")
    monkeypatch.setattr(flows.api, "_SERVER", script)
    with (
        temporary_settings({PREFECT_API_URL: ""}),
        pytest.raises(BackendError, match=r"ended before it listened \(exit 3\).*server\.py"),
        prefect_api(),
    ):
        pass


def test_a_migrated_database_is_kept_once(tmp_path: Path) -> None:
    template = tmp_path / "cache" / "template.db"
    for value in ("first", "second"):
        make_database(tmp_path / f"{value}.db", value)
        keep_template(tmp_path / f"{value}.db", template)
    assert value_in(template) == "first"
    assert [path.name for path in template.parent.iterdir()] == ["template.db"]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    make_database(tmp_path / "some.db", "some")
    (tmp_path / "file").touch()
    keep_template(tmp_path / "some.db", tmp_path / "file" / "template.db")
    assert not (tmp_path / "file").is_dir()


def test_every_version_of_prefect_has_a_template_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.embedded_server.version", lambda _: "3.9.9")
    assert template_path().name == "prefect-3.9.9.db"

"""Prefect as tests see it: a home of its own, no server of the developer's, one embedded server per session."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.settings import apply_defaults

# Prefect reads its settings when it is imported, which test modules do: no fixture is early enough for this.
_HOME = tempfile.mkdtemp(prefix="humdial-tests-prefect-")
os.environ["PREFECT_HOME"] = _HOME
os.environ.pop("PREFECT_API_URL", None)
apply_defaults()


@pytest.fixture(scope="session", autouse=True)
def prefect_home(pytestconfig: pytest.Config) -> Iterator[Path]:
    """Remove the home at the end; keep the migrated database from session to session with pytest's cache."""
    cache = getattr(pytestconfig, "cache", None)  # -p no:cacheprovider leaves it out
    if cache is not None:
        os.environ["XDG_CACHE_HOME"] = str(cache.mkdir("prefect"))
    yield Path(_HOME)
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def api(prefect_home: Path) -> Iterator[str]:
    """The embedded server, started once; its address."""
    from prefect.settings import PREFECT_API_URL

    from flows.api import prefect_api

    with prefect_api():
        url = PREFECT_API_URL.value()
        assert url is not None
        yield url


@pytest.fixture
def small_config(tmp_path: Path) -> Path:
    """A run of four dialogues in two shards."""
    path = tmp_path / "four.yaml"
    path.write_text(
        "name: four\n"
        "shard_size: 2\n"
        "seeds:\n"
        "  sources:\n"
        "    - {reader: jsonl, path: demo, language: en, limit: 2}\n"
        "    - {reader: jsonl, path: demo, language: zh, limit: 2}\n"
        "  splits: {train: 1}\n"
        "export: [humdial-track2]\n",
        encoding="utf-8",
    )
    return path

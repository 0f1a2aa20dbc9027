"""Aligners by name."""

from pathlib import Path

import pytest

from pipeline.backends.aligners import find_aligner
from pipeline.domain.errors import ConfigError
from tests.backends.aligners.pooling_double import MODEL, Script, running_aligner


def test_a_server_is_found_by_its_address_or_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp", reason="the extra `speech` is not installed")
    with running_aligner(Script()) as (address, _):
        with find_aligner(f"qwen3={address}") as aligner:
            assert (aligner.name, aligner.resolution_ms) == (f"aligner-{MODEL}", 80.0)
        monkeypatch.setenv("HUMDIAL_ALIGNER_URL", address)
        with find_aligner("qwen3") as aligner:
            assert aligner.name == f"aligner-{MODEL}"


def test_a_model_is_found_by_its_directory(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="the extra `align` is not installed")
    from tests.backends.aligners.tiny_whisper import write_tiny_whisper

    with find_aligner(f"whisper={write_tiny_whisper(tmp_path / 'tiny')}") as aligner:
        assert aligner.name.startswith("whisper-tiny@")
        assert aligner.resolution_ms == 20.0


@pytest.mark.parametrize("name", ["mfa", "whisper", "whisper=", "Qwen3", ""])
def test_another_name_is_told_what_there_is(name: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown; wanted one of: qwen3, whisper=DIRECTORY"):
        find_aligner(name)


@pytest.mark.parametrize("kind", ["qwen 3=", "", "whisper=", "qwen3=", "qwen3:", "sk-live-"])
def test_an_address_with_a_password_is_refused_without_repeating_it(kind: str) -> None:
    pytest.importorskip("aiohttp", reason="the extra `speech` is not installed")
    with pytest.raises(ConfigError) as caught:
        find_aligner(f"{kind}http://user:hunter2@gpu-1:8001")
    assert "hunter2" not in str(caught.value)
    assert "user" not in str(caught.value).replace("a user, password", "")


def test_an_address_that_is_none_is_refused() -> None:
    pytest.importorskip("aiohttp", reason="the extra `speech` is not installed")
    with pytest.raises(ConfigError, match="no http address"):
        find_aligner("qwen3=gpu-1")

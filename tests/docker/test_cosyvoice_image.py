"""The image of the CosyVoice worker, as files: pinned, without root, started as the worker reads its options."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from pipeline.backends.cosyvoice.worker import options
from pipeline.backends.speech_servers.cosyvoice import URL_VARIABLE
from tests.backends.cosyvoice_worker.fake_checkout import write_checkout

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "docker" / "cosyvoice"
COMMIT = re.compile(r"^[0-9a-f]{40}$")


def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments), continued lines joined."""
    lines = (PLACE / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if line.strip() and not line.startswith("#"))
    return [
        (name, arguments.strip())
        for name, _, arguments in (line.partition(" ") for line in text.replace("\\\n", " ").splitlines())
    ]


def arguments_of(name: str) -> list[str]:
    return [arguments for found, arguments in instructions() if found == name]


def defaults() -> dict[str, set[str]]:
    """Values of the build arguments, over all stages."""
    found: dict[str, set[str]] = {}
    for argument in arguments_of("ARG"):
        name, _, value = argument.partition("=")
        found.setdefault(name, set()).add(value)
    return found


def environment() -> dict[str, str]:
    return dict(word.split("=", 1) for argument in arguments_of("ENV") for word in shlex.split(argument))


def service() -> dict[str, JsonValue]:
    content = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))
    found: dict[str, JsonValue] = content["services"]["cosyvoice"]
    return found


def filled(text: str) -> str:
    """`${NAME:-default}` with its default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_everything_that_is_fetched_is_pinned() -> None:
    (image,) = defaults()["PYTHON_IMAGE"]
    assert re.fullmatch(r"python:3\.10\.\d+-slim-bookworm", image)
    assert {base.split()[0] for base in arguments_of("FROM")} == {"${PYTHON_IMAGE}"}
    (commit,) = defaults()["COSYVOICE_COMMIT"]
    assert COMMIT.match(commit)
    (clone,) = (run for run in arguments_of("RUN") if "git fetch" in run)
    assert '"${COSYVOICE_COMMIT}"' in clone
    assert "submodule update --init" in clone
    pins = (PLACE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = [line for line in pins if line and not line.startswith("#")]
    assert len(packages) > 20
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+==[0-9][0-9.]*", line) for line in packages)


@pytest.mark.parametrize(
    "pin", ["torch==2.3.1", "transformers==4.51.3", "numpy==1.26.4", "fastapi==0.115.6", "pydantic==2.7.0"]
)
def test_versions_are_those_of_cosyvoice_at_that_commit(pin: str) -> None:
    assert pin in (PLACE / "requirements.txt").read_text(encoding="utf-8").splitlines()


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    (user,) = arguments_of("USER")
    assert user not in {"root", "0"}
    assert any(f" {user} " in f"{run} " for run in arguments_of("RUN") if run.startswith("useradd"))
    names = [name for name, _ in instructions()]
    assert names.index("USER") < names.index("ENTRYPOINT")


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    kept = (PLACE / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in kept
    sources = [s for a in arguments_of("COPY") if not a.startswith("--from=") for s in a.split()[:-1]]
    assert "pipeline/backends/cosyvoice/worker" in sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in kept, source
    assert {line.removeprefix("!") for line in kept if line.startswith("!")} == set(sources)


def test_the_entry_point_is_the_worker_where_it_was_copied() -> None:
    entry = yaml.safe_load(arguments_of("ENTRYPOINT")[0])
    assert entry[:3] == ["python", "-m", "worker"]
    (copied,) = (a for a in arguments_of("COPY") if "cosyvoice/worker" in a)
    assert copied.split()[-1] == f"{environment()['PYTHONPATH']}/worker"
    assert (ROOT / "pipeline/backends/cosyvoice/worker/__main__.py").is_file()


@pytest.mark.parametrize("started_by", ["image", "compose"])
def test_options_are_ones_that_the_worker_takes(started_by: str, tmp_path: Path) -> None:
    entry = yaml.safe_load(arguments_of("ENTRYPOINT")[0])[3:]
    command = yaml.safe_load(arguments_of("CMD")[0])
    if started_by == "compose":
        given = service()["command"]
        assert isinstance(given, list)
        command = [filled(str(word)) for word in given]
    places = {
        "/opt/CosyVoice": str(tmp_path),
        "/models/Fun-CosyVoice3-0.5B": str(write_checkout(tmp_path, 3)),
    }
    words = [word for argument in [*entry, *command] for word in argument.split("=", 1)]
    read = options.read_options([places.get(word, word) for word in words])
    assert (read.host, read.port, str(read.voices)) == ("0.0.0.0", 50_000, "/voices")
    assert read.limits.requests_per_engine == 3000
    assert read.engines == (2 if started_by == "compose" else 1)


def test_the_service_builds_this_image_and_is_found_by_the_pipeline() -> None:
    content = service()
    build = content["build"]
    assert isinstance(build, dict)
    assert (
        ROOT / "docker" / str(build["context"]) / str(build["dockerfile"])
    ).resolve() == PLACE / "Dockerfile"
    assert isinstance(build["args"], dict)
    assert {filled(str(build["args"]["COSYVOICE_COMMIT"]))} == defaults()["COSYVOICE_COMMIT"]
    labels = dict(re.findall(r'([\w.]+)="([^"]*)"', " ".join(arguments_of("LABEL"))))
    assert content["image"] == f"humdial-cosyvoice:{labels['org.opencontainers.image.version']}"
    assert content["profiles"] == ["gpu"]
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert services["worker"]["environment"][URL_VARIABLE] == "http://cosyvoice:50000"


def test_health_is_asked_where_the_worker_listens() -> None:
    (health,) = arguments_of("HEALTHCHECK")
    compose = service()["healthcheck"]
    assert isinstance(compose, dict)
    for asked in (health, str(compose["test"])):
        assert "http://127.0.0.1:50000/health" in asked
    assert arguments_of("EXPOSE") == ["50000"]


def test_licences_travel_with_the_image() -> None:
    notice = (PLACE / "NOTICE").read_text(encoding="utf-8")
    for name in ("CosyVoice", "Matcha-TTS", "PyTorch", "NVIDIA", "consent"):
        assert name in notice
    assert any("docker/cosyvoice/NOTICE" in argument for argument in arguments_of("COPY"))


def test_the_model_is_never_downloaded() -> None:
    assert environment()["HF_HUB_OFFLINE"] == "1"
    assert "/models:ro" in str(service()["volumes"])
    assert not any("snapshot_download" in run or "huggingface" in run for run in arguments_of("RUN"))

"""What can be known of the container files without a container engine."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, Field, JsonValue

from pipeline.stages.author_config import AuthorConfig

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
COMPOSE = ROOT / "docker" / "compose.yaml"
PINNED = re.compile(r"^[a-z0-9./-]+:v?\d+\.\d+[a-z0-9.-]*$")


class Build(BaseModel):
    context: str
    dockerfile: str


class Dependency(BaseModel):
    condition: str


class Healthcheck(BaseModel):
    test: list[str] = []
    disable: bool = False


class Service(BaseModel):
    image: str
    build: Build | None = None
    entrypoint: list[str] = []
    command: list[str] = []
    environment: dict[str, str] = {}
    ports: list[str] = []
    volumes: list[str] = []
    depends_on: dict[str, Dependency] = {}
    healthcheck: Healthcheck | None = None
    privileged: bool = False
    user: str | None = None


class Compose(BaseModel):
    services: dict[str, Service]
    volumes: dict[str, JsonValue]


class Project(BaseModel):
    """What pyproject.toml says."""

    version: str
    scripts: dict[str, str]
    optional_dependencies: dict[str, list[str]] = Field(alias="optional-dependencies")
    requires_python: str = Field(alias="requires-python")


def read_project() -> tuple[Project, set[str]]:
    """The project, and the packages that its wheel holds."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = content["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return Project.model_validate(content["project"]), set(packages)


def read_compose() -> Compose:
    return Compose.model_validate(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))


def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments) of the Dockerfile, continued lines joined."""
    lines = (line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines())
    text = "\n".join(line for line in lines if line.strip() and not line.startswith("#"))
    return [
        (name.upper(), arguments.strip())
        for name, _, arguments in (line.partition(" ") for line in text.replace("\\\n", " ").splitlines())
    ]


def arguments_of(name: str) -> list[str]:
    return [arguments for found, arguments in instructions() if found == name]


def scripts() -> set[str]:
    """Commands that the installation puts on the path: the project's own, and Prefect's."""
    return {*read_project()[0].scripts, "prefect", "python", "sh"}


def test_every_image_is_pinned_to_a_version() -> None:
    defaults = dict(argument.split("=", 1) for argument in arguments_of("ARG"))
    bases = [argument.split()[0] for argument in arguments_of("FROM")]
    for base in bases:
        name = re.sub(r"\$\{(\w+)\}", lambda found: defaults[found.group(1)], base)
        assert PINNED.match(name), name
    for service in read_compose().services.values():
        assert PINNED.match(service.image), service.image


def test_the_base_is_a_python_that_the_package_supports() -> None:
    (base,) = [a.split("=", 1)[1] for a in arguments_of("ARG") if a.startswith("PYTHON_IMAGE=")]
    assert base.startswith("python:3.11.")
    assert "-slim" in base
    assert read_project()[0].requires_python.startswith(">=3.11,")


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    users = arguments_of("USER")
    assert users
    assert users[-1] not in {"root", "0", "0:0"}
    assert f" {users[-1]}" in " ".join(a for a in arguments_of("RUN") if a.startswith("useradd"))
    names = [name for name, _ in instructions()]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "USER" not in names[: len(names) - names[::-1].index("FROM")]


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    assert "*" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sources = [s for a in arguments_of("COPY") if not a.startswith("--from=") for s in a.split()[:-1]]
    assert {"pipeline", "flows", "prompts", "voices", "constraints.txt"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source in kept, f"{source} is left out by .dockerignore"
    assert all((ROOT / name).exists() for name in kept - {"**/__pycache__"})


def test_everything_that_the_wheel_holds_is_copied() -> None:
    copied = {s for a in arguments_of("COPY") for s in a.split()[:-1]}
    assert read_project()[1] <= copied


def test_the_installation_is_constrained_and_names_extras_that_exist() -> None:
    (install,) = (argument for argument in arguments_of("RUN") if "pip install" in argument)
    assert "--constraint constraints.txt" in install
    (extras,) = [a.split("=", 1)[1] for a in arguments_of("ARG") if a.startswith("EXTRAS=")]
    assert set(extras.split(",")) <= set(read_project()[0].optional_dependencies)


def test_the_pins_hold_what_the_server_needs_and_agree_on_prefect() -> None:
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#") and ";" not in line
    )
    deployments = yaml.safe_load((ROOT / "flows" / "prefect.yaml").read_text(encoding="utf-8"))
    assert pins["prefect"] == deployments["prefect-version"]
    assert f"prefect=={pins['prefect']}" in read_project()[0].optional_dependencies["flow"]
    assert "asyncpg" in pins  # PostgreSQL behind the server of compose.yaml
    assert tuple(map(int, pins["fastapi"].split(".")[:2])) < (0, 151)  # newer ones do not start the server


def test_the_image_answers_for_its_health_and_its_licences() -> None:
    (health,) = arguments_of("HEALTHCHECK")
    assert "CMD" in health
    labels = dict(re.findall(r'([\w.]+)="([^"]*)"', " ".join(arguments_of("LABEL"))))
    assert "GPL-3.0-or-later" in labels["org.opencontainers.image.licenses"]
    version = read_project()[0].version
    assert labels["org.opencontainers.image.version"] == version
    assert any(s.image == f"humdial-pipeline:{version}" for s in read_compose().services.values())
    assert "espeak-ng" in (ROOT / "docker" / "NOTICE").read_text(encoding="utf-8")
    assert any("docker/NOTICE" in argument for argument in arguments_of("COPY"))


def test_the_entry_point_is_a_command_of_the_package() -> None:
    (entry,) = arguments_of("ENTRYPOINT")
    assert yaml.safe_load(entry)[0] in scripts()


def test_compose_follows_the_compose_specification() -> None:
    schemas = pytest.importorskip("check_jsonschema.builtin_schemas", reason="needs check-jsonschema")
    jsonschema = pytest.importorskip("jsonschema")
    schema = schemas.get_builtin_schema("vendor.compose-spec")
    content = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    jsonschema.validate(content, schema)
    content["services"]["worker"]["healtcheck"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema)


def test_no_secret_is_written_down_and_a_missing_one_is_asked_for() -> None:
    secrets = {
        f"{name}.{key}": value
        for name, service in read_compose().services.items()
        for key, value in service.environment.items()
        if re.search(r"PASSWORD|TOKEN|SECRET|API_KEY", key)
    }
    assert len(secrets) == 2
    for key, value in secrets.items():
        assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), key


def test_every_service_has_a_health_that_the_next_one_waits_for() -> None:
    services = read_compose().services
    for name, service in services.items():
        for other, dependency in service.depends_on.items():
            assert other in services
            if dependency.condition == "service_healthy":
                health = services[other].healthcheck
                assert health is not None, f"{name} waits for {other}, which has no health check"
                assert health.test
            else:
                assert dependency.condition == "service_completed_successfully"
                assert other == "deploy", f"{other} never ends"
    assert {"postgres", "prefect-server", "deploy", "worker", "vllm", "cosyvoice"} == set(services)
    assert all(s.healthcheck is not None for s in services.values())


def test_nothing_is_privileged_and_ports_are_for_this_machine_only() -> None:
    for name, service in read_compose().services.items():
        assert not service.privileged, name
        assert service.user not in {"root", "0"}, name
        assert all(port.startswith("127.0.0.1:") for port in service.ports), name


def test_named_volumes_are_declared() -> None:
    compose = read_compose()
    for service in compose.services.values():
        for volume in service.volumes:
            source = volume.split(":")[0]
            assert source in compose.volumes or source.startswith(("./", "${")), volume


def test_services_run_commands_that_exist() -> None:
    for name, service in read_compose().services.items():
        if service.build is None or name == "cosyvoice":  # that one: test_cosyvoice_image.py
            continue
        assert (COMPOSE.parent / service.build.context / service.build.dockerfile).resolve() == DOCKERFILE
        commands = [service.entrypoint]
        if service.entrypoint[0] == "sh":
            commands = [shlex.split(line) for line in service.command[0].splitlines()]
        for command in commands:
            assert command[0] in scripts(), name


@pytest.mark.parametrize("service", ["prefect-server", "deploy", "worker"])
def test_settings_are_ones_that_prefect_knows_and_accepts(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        name: value
        for name, value in read_compose().services[service].environment.items()
        if not name.startswith("HUMDIAL_")
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment
    from prefect.settings import Settings  # here: tests/flows sets its home up before Prefect is imported

    assert set(environment) <= set(Settings().to_environment_variables(exclude_unset=True))


def test_the_pool_and_the_deployments_are_those_of_prefect_yaml() -> None:
    services = read_compose().services
    content = yaml.safe_load((ROOT / "flows" / "prefect.yaml").read_text(encoding="utf-8"))
    (pool,) = {one["work_pool"]["name"] for one in content["deployments"]}
    assert pool in services["worker"].entrypoint
    assert f"work-pool create {pool} " in services["deploy"].command[0]
    assert "--prefect-file flows/prefect.yaml" in services["deploy"].command[0]
    assert "COPY flows /app/flows" in DOCKERFILE.read_text(encoding="utf-8")
    assert arguments_of("WORKDIR")[-1] == "/app"


def test_the_author_runs_on_request_and_holds_what_an_endpoint_may_ask_of_it() -> None:
    content = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["vllm"]
    assert content["profiles"] == ["gpu"]
    model, *options = content["command"]
    assert model.startswith("${AUTHOR_MODEL:-"), "the entry point of the image takes the model by its place"
    flags = dict(option.removeprefix("--").partition("=")[::2] for option in options)
    author = AuthorConfig()
    assert int(flags["max-num-seqs"]) >= 128  # the most that README.md advises for one endpoint
    assert int(flags["max-model-len"]) >= 4 * author.max_completion_tokens
    assert flags["generation-config"] == "vllm"
    assert "enable-prompt-tokens-details" in flags

import inspect
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect.client.schemas.schedules import CronSchedule

from flows.request import resolve
from pipeline.domain.record import Record

ROOT = Path(__file__).parents[2]


class Deployment(Record):
    name: str
    entrypoint: str
    parameters: dict[str, str | list[str] | None]
    pool: str
    crons: tuple[tuple[str, str], ...]
    active: tuple[bool, ...]


def read_deployments() -> tuple[Deployment, ...]:
    content = yaml.safe_load((ROOT / "flows" / "prefect.yaml").read_text(encoding="utf-8"))
    return tuple(
        Deployment(
            name=one["name"],
            entrypoint=one["entrypoint"],
            parameters=one["parameters"],
            pool=one["work_pool"]["name"],
            crons=tuple((schedule["cron"], schedule["timezone"]) for schedule in one.get("schedules", ())),
            active=tuple(schedule["active"] for schedule in one.get("schedules", ())),
        )
        for one in content["deployments"]
    )


DEPLOYMENTS = pytest.mark.parametrize("deployment", read_deployments(), ids=lambda one: str(one.name))


def test_there_is_a_demo_on_request_a_nightly_build_and_mining() -> None:
    found = {one.name: len(one.crons) for one in read_deployments()}
    assert found == {"demo": 0, "nightly": 1, "recordings": 1}


def test_nothing_is_mined_on_a_schedule_before_somebody_says_what() -> None:
    assert {one.name: one.active for one in read_deployments()}["recordings"] == (False,)


@DEPLOYMENTS
def test_the_entrypoint_is_a_flow_that_has_every_parameter(deployment: Deployment) -> None:
    path, name = deployment.entrypoint.split(":")
    assert (ROOT / path).is_file()
    flow = getattr(import_module(path.removesuffix(".py").replace("/", ".")), name)
    assert set(deployment.parameters) <= set(inspect.signature(flow.fn).parameters)
    flow.validate_parameters(deployment.parameters)


@pytest.mark.parametrize(
    "deployment",
    [one for one in read_deployments() if "build" in one.entrypoint],
    ids=lambda one: str(one.name),
)
def test_the_parameters_describe_a_run(deployment: Deployment) -> None:
    config, overrides = deployment.parameters["config"], deployment.parameters["overrides"]
    assert isinstance(config, str)
    assert isinstance(overrides, list)
    for override in overrides:
        without = [other for other in overrides if other != override]
        assert resolve(config, None, without) != resolve(config, None, overrides), (
            f"{override} changes nothing"
        )


@DEPLOYMENTS
def test_its_runs_go_to_the_documented_pool(deployment: Deployment) -> None:
    assert deployment.pool == "humdial-pool"


@DEPLOYMENTS
def test_schedules_are_valid_and_say_their_time_zone(deployment: Deployment) -> None:
    for cron, timezone in deployment.crons:
        assert CronSchedule(cron=cron, timezone=timezone).cron == cron
        assert ZoneInfo(timezone).key == timezone

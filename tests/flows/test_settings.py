import pytest

from flows.settings import DEFAULTS, apply_defaults


def test_what_the_user_has_set_stays() -> None:
    environment = dict.fromkeys(DEFAULTS, "mine")
    apply_defaults(environment)
    assert set(environment.values()) == {"mine"}


def test_what_is_not_set_is_filled_in() -> None:
    environment: dict[str, str] = {}
    apply_defaults(environment)
    assert environment == DEFAULTS


@pytest.mark.parametrize("name", [name for name in DEFAULTS if name.startswith("PREFECT_SERVER")])
def test_every_server_setting_is_one_that_prefect_knows(name: str) -> None:
    from prefect.settings import get_current_settings

    assert name in get_current_settings().to_environment_variables(exclude_unset=True)

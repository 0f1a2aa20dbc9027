import pytest

from pipeline.backends.openai_chat import Server, find_key
from pipeline.backends.openai_chat.wire import ServerKind
from pipeline.domain.errors import ConfigError

ENVIRONMENT = {"OPENAI_API_KEY": "sk-openai", "GPU_KEY": " gpu \n", "EMPTY": " "}


@pytest.mark.parametrize(
    ("variable", "kind", "key"),
    [
        (None, "openai", "sk-openai"),
        (None, "vllm", None),
        (None, "other", None),
        ("GPU_KEY", "vllm", "gpu"),
        ("GPU_KEY", "openai", "gpu"),
        ("OPENAI_API_KEY", "other", "sk-openai"),
    ],
)
def test_a_key_goes_to_the_server_that_it_belongs_to(
    variable: str | None, kind: ServerKind, key: str | None
) -> None:
    assert find_key(variable, kind, ENVIRONMENT) == key


@pytest.mark.parametrize("variable", ["MISSING", "EMPTY"])
def test_a_key_that_is_not_set_is_asked_for_by_name(variable: str) -> None:
    with pytest.raises(ConfigError, match=f"export {variable}="):
        find_key(variable, "vllm", ENVIRONMENT)
    with pytest.raises(ConfigError, match="export OPENAI_API_KEY="):
        find_key(None, "openai", {})


def test_a_server_shows_its_address_and_not_its_key() -> None:
    shown = repr(Server("http://a/v1", "vllm", 4, "sk-secret"))
    assert "http://a/v1" in shown
    assert "sk-secret" not in shown

import pytest

from pipeline.backends.speech_servers.servers import Address, SpeechServer, find_servers
from pipeline.domain.errors import ConfigError

DEFAULT = SpeechServer("http://127.0.0.1:50000", 3)


def find(addresses: tuple[Address, ...] = (), **environment: str) -> tuple[SpeechServer, ...]:
    return find_servers("speech.cosyvoice", addresses, "HUMDIAL_COSYVOICE_URL", DEFAULT, environment)


def test_without_a_word_it_is_this_machine() -> None:
    assert find() == (SpeechServer("http://127.0.0.1:50000", 3),)


def test_the_environment_may_name_several() -> None:
    found = find(HUMDIAL_COSYVOICE_URL=" http://gpu-1:50000/, http://gpu-2:50000 ")
    assert found == (SpeechServer("http://gpu-1:50000", 3), SpeechServer("http://gpu-2:50000", 3))


def test_the_configuration_comes_before_the_environment() -> None:
    found = find((Address("http://gpu-3:1", 5),), HUMDIAL_COSYVOICE_URL="http://gpu-1:50000")
    assert found == (SpeechServer("http://gpu-3:1", 5),)


def test_a_key_is_read_from_the_variable_that_is_named_and_shows_nowhere() -> None:
    (server,) = find((Address("http://gpu-3:1", 5, "GPU_KEY"),), GPU_KEY="secret")
    assert server.api_key == "secret"
    assert "secret" not in repr(server)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("gpu-1:50000", "no http address"),
        ("ftp://gpu-1", "no http address"),
        ("http://", "no http address"),
        ("http://[::1", "cannot be read"),
        ("http://a:b", "cannot be read"),
        ("http://me:hunter2@gpu-1", "password"),
        ("http://gpu-1?key=hunter2", "query"),
        ("http://gpu-1/v1/audio/speech", "too far"),
        ("http://gpu-1/v1/tts/", "too far"),
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(address: str, said: str) -> None:
    for addresses, environment in (((Address(address),), {}), ((), {"HUMDIAL_COSYVOICE_URL": address})):
        with pytest.raises(ConfigError, match=said) as caught:
            find(addresses, **environment)
        assert "hunter2" not in str(caught.value)


def test_the_error_says_where_the_address_stands() -> None:
    with pytest.raises(ConfigError, match=r"^speech\.cosyvoice\.endpoints"):
        find((Address("x", 1),))
    with pytest.raises(ConfigError, match=r"^HUMDIAL_COSYVOICE_URL"):
        find(HUMDIAL_COSYVOICE_URL="x")


def test_an_address_twice_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="twice"):
        find(HUMDIAL_COSYVOICE_URL="http://a http://a/")


def test_a_key_that_is_not_set_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match="export GPU_KEY="):
        find((Address("http://gpu-3:1", 5, "GPU_KEY"),))


def test_nothing_at_once_is_no_server() -> None:
    with pytest.raises(ConfigError, match="max_in_flight"):
        SpeechServer("http://a", 0)

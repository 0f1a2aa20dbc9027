"""Where requests for speech go: addresses from the configuration, else from the environment, else this machine."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.backends.keys import read_key
from pipeline.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SpeechServer:
    """One server. The key never shows in its `repr`."""

    base_url: str
    max_in_flight: int = 2
    api_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.max_in_flight < 1:
            raise ConfigError(
                f"{self.base_url}: max_in_flight is {self.max_in_flight}; wanted 1 or more requests at once"
            )


@dataclass(frozen=True, slots=True)
class Address:
    """One server as a configuration names it: the key is a variable's name."""

    base_url: str
    max_in_flight: int | None = None
    """None: as many as is usual for its kind."""
    api_key_variable: str | None = None


def find_servers(
    section: str,
    addresses: Sequence[Address],
    variable: str,
    default: SpeechServer,
    environment: Mapping[str, str] = os.environ,
) -> tuple[SpeechServer, ...]:
    """The servers of one section of the configuration, with their keys.

    Where it names none, `variable` may hold addresses (with commas or spaces between them); else there is
    `default`. Raises ConfigError for an address that is none, or there twice, and for a key that is not set.

    >>> find_servers("speech.cosyvoice", (), "HUMDIAL_COSYVOICE_URL", SpeechServer("http://127.0.0.1:50000"), {})
    (SpeechServer(base_url='http://127.0.0.1:50000', max_in_flight=2),)
    """
    named = tuple(text for text in re.split(r"[,\s]+", environment.get(variable, "")) if text)
    source = f"{section}.endpoints" if addresses or not named else variable
    found = tuple(addresses) or tuple(Address(text) for text in named)
    if not found:
        return (default,)
    servers = tuple(_server(section, source, one, default.max_in_flight, environment) for one in found)
    if len({server.base_url for server in servers}) != len(servers):
        raise ConfigError(f"{source}: an address is there twice; raise its max_in_flight instead")
    return servers


def _server(
    section: str, source: str, address: Address, usual: int, environment: Mapping[str, str]
) -> SpeechServer:
    problem = problem_of(address.base_url)
    if problem:
        raise ConfigError(f"{source}: {problem}")
    variable = address.api_key_variable
    key = None if variable is None else read_key(variable, section, environment)
    at_once = usual if address.max_in_flight is None else address.max_in_flight
    return SpeechServer(address.base_url.rstrip("/"), at_once, key)


def problem_of(base_url: str) -> str | None:
    """What is wrong with an address, without repeating it: a key or password may have strayed into it."""
    try:
        url = urlsplit(base_url)
        port_given = url.port is None or url.port > 0
    except ValueError:  # an IPv6 address without its end, a port that is no number
        return "an address cannot be read; wanted one like http://127.0.0.1:50000"
    if url.scheme not in ("http", "https") or not url.hostname or not port_given:
        return "an address is no http address; wanted one like http://127.0.0.1:50000"
    if url.username or url.password or url.query or url.fragment:
        return (
            "an address holds a user, password or query; name the variable with the key in api_key_variable"
        )
    if url.path.rstrip("/").endswith(("/audio/speech", "/audio/transcriptions", "/v1/tts", "/inference_sft")):
        return "an address goes too far; leave the last part of its path away"
    return None

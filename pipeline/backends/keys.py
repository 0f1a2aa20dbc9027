"""Keys of servers: from the environment, and from nowhere else."""

import os
from collections.abc import Mapping

from pipeline.domain.errors import ConfigError


def read_key(name: str, section: str, environment: Mapping[str, str] = os.environ) -> str:
    """The key in the variable that a section of the configuration names. Raises ConfigError where it is not set."""
    key = environment.get(name, "").strip()
    if not key:
        raise ConfigError(
            f"{section}: the environment variable {name} is not set; wanted the server's key; "
            f"remedy: export {name}=..."
        )
    return key

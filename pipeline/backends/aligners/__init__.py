"""Who hears when the words of a known text are spoken: by name, each optional."""

import re
from contextlib import AbstractContextManager
from pathlib import Path

from pipeline.domain.errors import ConfigError
from pipeline.ports import Aligner

ALIGNERS = ("qwen3", "whisper=DIRECTORY")
_PLAIN = re.compile(r"[\w-]{1,16}")
"""What may be repeated of a name: nothing with an address, where a user and a password could stand."""


def find_aligner(name: str) -> AbstractContextManager[Aligner]:
    """The aligner of a name, to be opened: `qwen3` or `qwen3=http://host:8001`, `whisper=DIRECTORY`.

    Raises ConfigError for an unknown name, one whose package is missing, and a directory without a model; opening
    it, where nobody answers.
    """
    kind, _, where = name.partition("=")
    if kind == "qwen3":
        return _qwen3(where)
    if kind == "whisper" and where and "://" not in where:
        from pipeline.backends.aligners.whisper import WhisperAligner

        return WhisperAligner(Path(where))
    who = f"aligner {kind!r}" if _PLAIN.fullmatch(kind) else "an aligner's name"
    raise ConfigError(f"{who}: unknown; wanted one of: {', '.join(ALIGNERS)}")


def _qwen3(address: str) -> AbstractContextManager[Aligner]:
    try:
        from pipeline.backends.aligners import qwen3
        from pipeline.backends.speech_servers.servers import Address, find_servers
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"aligner 'qwen3': {error.name} is not installed; remedy: pip install 'humdial-pipeline[speech]'"
        ) from error
    named = (Address(address),) if address else ()
    servers = find_servers(qwen3.SECTION, named, qwen3.URL_VARIABLE, qwen3.DEFAULT)
    return qwen3.Qwen3ForcedAligner(qwen3.Qwen3Settings(servers))

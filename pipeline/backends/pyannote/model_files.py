"""What a local model directory holds, and what it is called in records."""

import hashlib
from pathlib import Path

from pipeline.domain.diarization import DiarizerChoice
from pipeline.domain.errors import ConfigError

_WANTED = ("config.yaml",)


def is_directory(model: str) -> bool:
    """Whether a model is a directory here, not an id on the hub. An id never begins with `.`, `/` or `~`."""
    return Path(model).expanduser().is_dir() or model.startswith((".", "/", "~"))


def check_directory(model: str, revision: str | None) -> Path:
    """The directory, ready to be loaded. Raises ConfigError."""
    directory = Path(model).expanduser()
    if revision is not None:
        raise ConfigError(
            f"diarizer: {model} is a local directory, which has no revision; leave `revision` out"
        )
    missing = [name for name in _WANTED if not (directory / name).is_file()]
    if missing:
        raise ConfigError(
            f"diarizer: {model} holds no {missing[0]}; wanted a pipeline directory with config.yaml, segmentation/, "
            "embedding/ and plda/"
        )
    return directory


def name_model(choice: DiarizerChoice) -> str:
    """`<model>@<revision or digest>/<device>`, without loading it; devices differ in the last digits.

    Raises ConfigError for a directory that holds no model, or a model of the hub without a revision.
    """
    if is_directory(choice.model):
        directory = check_directory(choice.model, choice.revision)
        return f"{directory.name}@{digest_directory(directory)}/{choice.device}"
    if choice.revision is None:
        raise ConfigError(
            f"diarizer: {choice.model} is named without a revision; wanted its commit on the hub, so that the same "
            "model is heard with next time"
        )
    return f"{choice.model}@{choice.revision}/{choice.device}"


def digest_directory(directory: Path) -> str:
    """Of names and contents of all files, 12 hex digits: a model that was replaced has another name."""
    digest = hashlib.sha256()
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]

"""What a source holds, as one address: caches must see content, not names or dates."""

import hashlib
from pathlib import Path

from pipeline.domain.errors import ConfigError


def fingerprint_source(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes, or of the names and bytes of every regular file below a directory.

    A file's own name and a directory's own place do not count: a renamed copy is the same source.
    """
    try:
        if path.is_file():
            return _digest(path)
        if path.is_dir():
            return _digest_tree(path)
    except OSError as error:
        raise ConfigError(f"source {path}: cannot be read ({error}); check its rights") from error
    raise ConfigError(f"source {path}: does not exist, wanted a file or a directory; check the path")


def _digest(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _digest_tree(directory: Path) -> str:
    """Over lines of `<digest of the bytes> <relative name>`, as `sha256sum` writes them, sorted by name."""
    total = hashlib.sha256(b"directory\n")
    names = sorted(file.relative_to(directory).as_posix() for file in directory.rglob("*") if file.is_file())
    for name in names:
        line = f"{_digest(directory / name)} {len(name)} {name}\n"
        total.update(line.encode("utf-8", "surrogateescape"))
    return total.hexdigest()

"""Where the engine is, and a data folder for it that knows our voices."""

import tempfile
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pipeline.domain.errors import ConfigError

PREFIX = "humdial-"
"""Our variants are `voices/!v/humdial-<speaker>` to the engine, so that none hides one of its own."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The engine as its wheel brings it, and the variants that we add."""

    library: Path
    data: Path
    variants: tuple[tuple[str, str], ...]
    """(name, contents) by name."""


def find_installation(variants: Traversable | None = None) -> Installation:
    """Locate the engine's wheel and read the voice variants (None: those shipped in `voices/espeak`)."""
    try:
        import espeakng_loader
    except ImportError:
        raise ConfigError(
            "espeak: the package espeakng_loader is not installed; "
            "remedy: pip install 'humdial-pipeline[espeak]', or choose another speech.backend"
        ) from None
    source = files("voices") / "espeak" if variants is None else variants
    found = sorted(
        (PREFIX + entry.name, entry.read_text("utf-8"))
        for entry in source.iterdir()
        if entry.is_file() and not entry.name.startswith(".")
    )
    return Installation(
        library=Path(espeakng_loader.get_library_path()),
        data=Path(espeakng_loader.get_data_path()),
        variants=tuple(found),
    )


def link_data_folder(installation: Installation) -> Path:
    """Make a temporary folder of links to the engine's data, with our variants beside its own.

    ::

        <temporary>/espeak-ng-data/en_dict     -> the wheel's
                                   voices/!v/f1         -> the wheel's
                                   voices/!v/humdial-f01   written here

    The wheel itself stays as it is: other programs use it, and it may not be ours to write.
    """
    folder = Path(tempfile.mkdtemp(prefix="humdial-espeak-")) / "espeak-ng-data"
    _link_all(installation.data, folder, except_for="voices")
    _link_all(installation.data / "voices", folder / "voices", except_for="!v")
    _link_all(installation.data / "voices" / "!v", folder / "voices" / "!v", except_for="")
    for name, contents in installation.variants:
        (folder / "voices" / "!v" / name).write_text(contents, encoding="utf-8")
    return folder


def _link_all(source: Path, target: Path, except_for: str) -> None:
    target.mkdir()
    for entry in source.iterdir():
        if entry.name != except_for:
            (target / entry.name).symlink_to(entry)

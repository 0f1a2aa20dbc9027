"""Folders that the sources of a declaration are looked through in: no place for results.

calls/            sources: [{layout: rttm, path: calls}]
  monday.rttm
  mined/rttm/monday.rttm      found by the next call, as if it were another conversation
"""

from pathlib import Path

from pydantic import BaseModel

from pipeline.domain.errors import ConfigError
from pipeline.io.yaml_text import load_yaml


class _Source(BaseModel):
    """What names folders in any layout."""

    path: str
    text: str | None = None
    audio: str | None = None
    rttm: str | None = None


class _Sources(BaseModel):
    sources: tuple[_Source, ...] = ()


def check_not_searched(declaration: Path, out: Path) -> None:
    """Raises ConfigError where `out` is inside a folder that a declaration, which was read before, looks through."""
    base = declaration.absolute().parent
    written = _Sources.model_validate(load_yaml(declaration.read_text(encoding="utf-8")))
    for source in written.sources:
        for name in (source.path, source.text, source.audio, source.rttm):
            if name is not None and out.resolve().is_relative_to((base / name).resolve()):
                raise ConfigError(
                    f"filter: {out} is inside {base / name}, where `sources` are looked for: the next call would take "
                    "its results for recordings; choose another --out, outside of that folder"
                )

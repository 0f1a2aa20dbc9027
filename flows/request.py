"""What is to be run and where, in a form that tasks can be given: three strings."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.config import DEMO, RunConfig, find_config, load_config
from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record


class RunRequest(Record):
    """One run, resolved: what a file or an override says can change no more once tasks have it."""

    config: str
    """The resolved RunConfig as JSON."""
    run_directory: str
    store_directory: str
    """Clips and replies, shared by the runs that lie beside each other."""

    def run_config(self) -> RunConfig:
        """The configuration as a record."""
        return RunConfig.from_line(self.config)


def resolve(config: str, out: Path | None, overrides: Sequence[str]) -> RunRequest:
    """Settle a run: the configuration (a file's path or a preset's name), its overrides, its directory.

    Raises ConfigError for anything that could not be run, before any server is started for it.

    >>> resolve("demo", None, ["seed=7"]).run_config().seed
    7
    """
    path = find_config(config)
    settled = load_config(path, overrides)
    for index, source in enumerate(settled.seeds.sources):
        if source.path != DEMO and not Path(source.path).exists():
            raise ConfigError(
                f"{path}: seeds.sources.{index}.path is {source.path!r}, which does not exist; put the "
                f"{source.reader} corpus there, or copy the file and write your own path or leave the source out"
            )
    directory = (out or Path("outputs") / settled.name).absolute()
    return RunRequest(
        config=settled.to_line(),
        run_directory=str(directory),
        store_directory=str(directory.parent / "store"),
    )

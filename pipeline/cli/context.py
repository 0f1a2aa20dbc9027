"""What commands are given from outside: the way to run flows, without importing any."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pipeline.run_records import Progress, RunSummary


class RunFlow(Protocol):
    """Runs the whole pipeline as a Prefect flow; the `flows` package supplies it."""

    def __call__(
        self, config_path: str, out: Path | None, overrides: tuple[str, ...], progress: "Progress"
    ) -> "RunSummary":
        """Run the configuration at `config_path` (or a preset's name) into `out`."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The object that click hands to commands."""

    run_flow: RunFlow | None

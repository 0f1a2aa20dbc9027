"""The `humdial` command: the command line, given the way to run flows."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import main as run_command_line

if TYPE_CHECKING:
    from pipeline.run_records import Progress, RunSummary


def main() -> None:
    """Entry point of `humdial`."""
    run_command_line(run_flow=run_flow)


def run_flow(
    config_path: str, out: Path | None, overrides: tuple[str, ...], progress: "Progress"
) -> "RunSummary":
    """Run the flow `build` in this process and show it to `progress`.

    Imports Prefect only here (0.9 s, which `--help` must not pay), and only once the configuration is known
    to be good and the directory to be free: a slip of the pen is answered at once.
    """
    from flows.request import resolve
    from flows.settings import apply_defaults
    from pipeline.io.run_directory import RunDirectory

    request = resolve(config_path, out, overrides)
    with RunDirectory(Path(request.run_directory)).locked():
        pass  # free and writable: the flow takes it for good
    apply_defaults()

    from flows.api import prefect_api
    from flows.build import build
    from flows.interrupting import interruptible
    from flows.watching import watched

    with prefect_api(), interruptible(progress) as watching, watched(watching):
        return build(config=config_path, out=None if out is None else str(out), overrides=overrides)


if __name__ == "__main__":
    main()

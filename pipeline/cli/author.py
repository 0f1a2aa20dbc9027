"""Commands about authors that answer later: `script submit` and `script collect`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.produce import SET

if TYPE_CHECKING:
    from pipeline.scripting_batches import Batches, Collection, Outlook, Submission

OUT = click.option("--out", type=click.Path(path_type=Path), help="Directory of the run [outputs/<name>].")


@click.group()
def script() -> None:
    """Scripts by batch files, for `vllm run-batch` and OpenAI's Batch API."""


@script.command()
@click.argument("config")
@OUT
@SET
def submit(config: str, out: Path | None, overrides: tuple[str, ...]) -> None:
    """Write the requests that the script stage would send next, as batch files in RUN/batch.

    Each submission covers the next step of every dialogue whose earlier replies are stored. Send the files,
    `script collect` what comes back, and submit again until nothing is missing; then `humdial run` with the
    same configuration pays for nothing.
    """
    from pipeline.cli.progress import ShardProgress

    batches, directory = _batches(config, out, overrides)
    submission = batches.submit(ShardProgress())
    _print_submission(submission)
    click.echo(_next_command(submission, config, directory))


@script.command()
@click.argument("config")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@OUT
@SET
def collect(config: str, results: tuple[Path, ...], out: Path | None, overrides: tuple[str, ...]) -> None:
    """Store the replies of RESULTS: output and error files of a batch, in any order, of any number of batches.

    Failed and missing requests are in the next submission. Exit code 1 where a line is no result or belongs to
    another run.
    """
    from pipeline.cli.progress import ShardProgress

    batches, directory = _batches(config, out, overrides)
    collection = batches.collect(results, ShardProgress())
    _print_collection(collection)
    _print_outlook(collection.outlook)
    if collection.outlook.requests:
        click.echo(f"next: humdial script submit {config} --out {directory}")
    else:
        click.echo(_finished(config, directory))
    if collection.unknown or collection.unreadable:
        raise click.exceptions.Exit(1)


def _batches(config: str, out: Path | None, overrides: tuple[str, ...]) -> "tuple[Batches, Path]":
    """The batches of a run, and its directory: the same, and with the same store, as `humdial run` takes."""
    from pipeline.config import find_config, load_config
    from pipeline.domain.errors import ConfigError
    from pipeline.runner import relax_collector

    try:
        from pipeline.scripting_batches import Batches
    except ImportError as error:
        raise ConfigError(
            f"script: batch files need the extra openai ({error}); remedy: pip install 'humdial-pipeline[openai]'"
        ) from error
    relax_collector()
    settings = load_config(find_config(config), overrides)
    directory = out or Path("outputs") / settings.name
    return Batches(settings, directory, directory.parent / "store"), directory


def _print_submission(submission: "Submission") -> None:
    from pipeline.cli.tables import print_table

    _print_outlook(submission.outlook)
    if submission.files:
        rows = [("file", "model", "requests", "MB")]
        rows += [
            (one.path, one.model, f"{one.num_requests:,}", f"{one.num_bytes / 1e6:.1f}")
            for one in submission.files
        ]
        print_table(rows)


def _print_outlook(outlook: "Outlook") -> None:
    refused = "".join(f", {reason} {count:,}" for reason, count in outlook.refused.items()).removeprefix(", ")
    click.echo(
        f"dialogues: {outlook.written:,} written, {outlook.waiting:,} waiting, "
        f"{sum(outlook.refused.values()):,} refused" + (f" ({refused})" if refused else "")
    )
    steps = ", ".join(f"{step} {count:,}" for step, count in outlook.requests.items())
    click.echo(f"to be asked: {sum(outlook.requests.values()):,}" + (f" ({steps})" if steps else ""))


def _print_collection(found: "Collection") -> None:
    failed = ", ".join(f"{code}: {count:,}" for code, count in found.failed.items())
    click.echo(
        f"results: {found.matched:,} matched, {found.refused:,} refused for good, "
        f"{sum(found.failed.values()):,} failed" + (f" ({failed})" if failed else "")
    )
    click.echo(
        f"         {found.repeated:,} known before, {found.unknown:,} unknown, {found.missing:,} missing, "
        f"{len(found.unreadable):,} unreadable"
        + (f" (first: {found.unreadable[0]})" if found.unreadable else "")
    )


def _next_command(submission: "Submission", config: str, directory: Path) -> str:
    """What to do with the files."""
    if not submission.files:
        return _finished(config, directory)
    first = submission.files[0]
    return (
        f"vLLM:   vllm run-batch -i {first.path} -o results.jsonl --model {first.model}\n"
        f"OpenAI: upload the file for purpose `batch`, make a batch for /v1/chat/completions; see README.md\n"
        f"then:   humdial script collect {config} results.jsonl --out {directory}"
    )


def _finished(config: str, directory: Path) -> str:
    return f"nothing is missing: humdial run {config} --out {directory} asks for nothing more"

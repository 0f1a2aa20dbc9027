"""Commands that make something: run, preview, export."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.core.exports.format_names import FormatName

if TYPE_CHECKING:
    from pipeline.core.emotional_coverage import EmotionalCoverage
    from pipeline.run_records import RunSummary

SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override one key of the configuration, e.g. timing.tail_s=1.0. May be repeated.",
)


@click.command()
@click.argument("config")
@click.option("--out", type=click.Path(path_type=Path), help="Directory of the run [outputs/<name>].")
@SET
@click.pass_obj
def run(context: Context, config: str, out: Path | None, overrides: tuple[str, ...]) -> None:
    """Run the whole pipeline as a Prefect flow.

    CONFIG is a YAML file, the run.json of an earlier run, or the name of a preset (demo, small, full). What
    is finished is kept: the same command goes on where a killed one stopped, and repeats nothing.
    """
    from pipeline.cli.progress import ShardProgress
    from pipeline.domain.errors import ConfigError
    from pipeline.runner import relax_collector

    relax_collector()
    if context.run_flow is None:
        raise ConfigError("humdial run: flows are not installed; pip install 'humdial-pipeline[flow]'")
    summary = context.run_flow(config, out, overrides, ShardProgress())
    print_summary(Path(summary.directory), summary)


@click.command()
@click.argument("config")
@click.option(
    "-n", "count", type=click.IntRange(min=1), default=3, show_default=True, help="Dialogues to make."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Directory of the preview.")
@SET
def preview(config: str, count: int, out: Path, overrides: tuple[str, ...]) -> None:
    """Make a few dialogues without Prefect, for looking at and listening to.

    They come from all of the configuration's sources by turns; nothing is exported.
    """
    from pipeline.cli.progress import ShardProgress
    from pipeline.config import find_config, load_config, override_config
    from pipeline.runner import Runner, relax_collector, run_in_process

    relax_collector()
    path = find_config(config)
    settings = load_config(path, (*overrides, f"shard_size={count}"))
    sources = settings.seeds.sources
    limits = [f"seeds.sources.{i}.limit={-(-count // len(sources))}" for i in range(len(sources))]
    settings = override_config(settings, limits)
    with Runner(settings, out, out.parent / "store") as runner:
        summary = run_in_process(runner, ShardProgress(), max_shards=1)
    print_summary(out, summary)


@click.command()
@click.argument("run_directory", metavar="RUN_DIR", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Directory of the new run.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="timing.KEY=VALUE",
    help="What changes, e.g. timing.overlap_ratio=0.1. May be repeated.",
)
@click.option("--processes", type=click.IntRange(min=1), default=2, show_default=True, help="Shards at once.")
def retime(run_directory: Path, out: Path, overrides: tuple[str, ...], processes: int) -> None:
    """Give a finished run new timing, from its stored clips: no author and no synthesizer is called."""
    from pipeline.cli.progress import ShardProgress
    from pipeline.retiming import retime_run
    from pipeline.runner import relax_collector

    relax_collector()
    summary = retime_run(run_directory, out, overrides, processes, ShardProgress())
    print_summary(out, summary)


@click.command()
@click.argument("format_name", metavar="FORMAT", type=click.Choice([name.value for name in FormatName]))
@click.argument("run_directory", metavar="RUN_DIR", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Directory of the export.")
@click.option(
    "--layout",
    type=click.Choice(["train", "dev", "test", "submission"]),
    help="Write every dialogue in this layout [each in that of its own split].",
)
@click.option(
    "--evaluation-folders",
    is_flag=True,
    help="Also lay out what the official evaluation scripts of Track 2 read.",
)
@click.option(
    "--set",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="Another option of the format, e.g. first_speaker=41, generation=1 or splits=[train]. May be repeated.",
)
def export(
    format_name: str,
    run_directory: Path,
    out: Path,
    layout: str | None,
    evaluation_folders: bool,
    options: tuple[str, ...],
) -> None:
    """Write a finished run in a published format."""
    from pipeline.exporting import export_config, export_run, parse_options

    given = parse_options(options)
    if layout is not None:
        given["layout"] = layout
    if evaluation_folders:
        given["evaluation_folders"] = True
    stamp = export_run(run_directory, export_config(FormatName(format_name), given), out)
    if evaluation_folders and not (out / "evaluation").is_dir():
        click.echo("no evaluation folders: the run has no dev or test dialogues; try --layout dev", err=True)
    click.echo(f"{format_name}: {stamp.num_dialogues} dialogues in {out}")
    if stamp.num_refusals:
        click.echo(f"{stamp.num_refusals} dialogues did not fit the format: {out / 'quarantine.jsonl'}")


def print_summary(directory: Path, summary: "RunSummary") -> None:
    """What was made, what was refused and why, and where to listen."""
    from pipeline.cli.tables import print_table
    from pipeline.core.report import refusal_table, summary_table
    from pipeline.core.report_takes import takes_table
    from pipeline.reporting import report_run

    report = report_run(directory)
    print_table(summary_table(report))
    if summary.num_refusals:
        click.echo("\nrefused:")
        print_table(refusal_table(report))
    click.echo(
        f"\n{summary.num_dialogues} dialogues, {summary.num_refusals} records refused; "
        f"{summary.shards_run} shards run, {summary.shards_cached} kept from before"
    )
    if any(row.refused for row in report.takes) or len(report.takes) > 1:
        click.echo("\nspeech engines and their takes:")
        print_table(takes_table(report.takes))
    if report.emotional is not None:
        _print_coverage(report.emotional)
    _print_calibration(directory)
    _print_ledger(directory, report.total.hours)
    click.echo(f"listen: {directory / 'report' / 'index.html'}")
    for path in sorted((directory / "export").glob("*")):
        click.echo(f"export: {path}")


def _print_coverage(coverage: "EmotionalCoverage") -> None:
    """How evenly emotional dialogues cover their labels."""
    from pipeline.cli.tables import print_table
    from pipeline.core.emotional_coverage import coverage_note, coverage_tables

    for table in coverage_tables(coverage):
        click.echo()
        print_table(table)
    click.echo(f"\n{coverage_note(coverage)}")


def _print_calibration(directory: Path) -> None:
    """What an overlap ratio that was asked for did to the timing."""
    from pipeline.cli.tables import print_table
    from pipeline.run_records import read_description

    description = read_description(directory)
    spread = description.spread
    if spread is not None:
        click.echo(f"overlap ratio {spread.min:.4f} to {spread.max:.4f}: {spread.sentence()}")
    found = description.calibration
    if found is None:
        return
    click.echo(
        f"overlap ratio: {found.target:.4f} asked, {found.planned:.4f} planned; feasible {found.lowest:.4f} to "
        f"{found.highest:.4f}; {found.undialled:.4f} by the reference alone"
    )
    rows = [("moved", "n", "median before, s", "after, s")]
    rows += [(m.kind, str(m.n), f"{m.median_s:+.3f}", f"{m.dialled_median_s:+.3f}") for m in found.moved]
    print_table(rows)


def _print_ledger(directory: Path, audio_h: float) -> None:
    """What a paid author's work took."""
    from pipeline.cli.tables import print_table
    from pipeline.core.ledger import ledger_table
    from pipeline.run_records import read_description

    found = read_description(directory).ledger
    if found is not None:
        click.echo("\nauthor:")
        print_table(ledger_table(found, audio_h))

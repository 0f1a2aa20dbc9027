"""Commands that measure: check, describe."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.core.turntaking.comparison import ComparisonRow
    from pipeline.core.turntaking.statistics import TurnTakingStatistics


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per finding.")
def check(directory: Path, as_json: bool) -> None:
    """Measure a run's audio again and compare it with its records. Exit code 1 with findings."""
    from collections import Counter

    from pipeline.checking import check_run
    from pipeline.cli.tables import print_table
    from pipeline.io.run_directory import RunDirectory

    counts: Counter[str] = Counter()
    for finding in check_run(directory):
        counts[finding.code.value] += 1
        click.echo(
            finding.to_line() if as_json else f"{finding.dialogue_id}: {finding.code.value}: {finding.detail}"
        )
    if counts:
        if not as_json:
            click.echo()
            print_table([("finding", "count"), *((name, str(n)) for name, n in counts.most_common())])
        raise click.exceptions.Exit(1)
    if not as_json:
        dialogues = sum(1 for _ in RunDirectory(directory).read_dialogues())
        click.echo(f"{dialogues} dialogues measured: records and audio agree")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--reference", default="switchboard", show_default=True, help="What to compare with.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def describe(paths: tuple[Path, ...], reference: str, as_json: bool) -> None:
    """Turn-taking statistics of runs (directories) or of RTTM files, pooled, beside a reference.

    Quantities are defined as in the reference: words are merged to IPUs across silences < 200 ms, rates are
    summed before they are divided. `noise` is the KS that a sample of the reference's own corpus of this
    size stays under 95 times in 100.
    """
    from pipeline.core.turntaking.comparison import describe_rows
    from pipeline.core.turntaking.statistics import pool
    from pipeline.io.references import load_reference

    statistics = pool(tuple(_measure_all(paths)))
    rows = describe_rows(statistics, load_reference(reference))
    if as_json:
        content = {
            "paths": [str(path) for path in paths],
            "reference": reference,
            "total_s": statistics.total_s,
            "overlap_ratio": statistics.overlap_over_speech_time,
            "overlap_over_total_time": statistics.overlap_over_total_time,
            "joint_silence_over_total_time": statistics.joint_silence_over_total_time,
            "dominant_speech_share": statistics.dominant_speech_share,
            "quantities": [json.loads(row.to_line()) for row in rows],
        }
        click.echo(json.dumps(content, ensure_ascii=False, indent=2))
    else:
        _print_statistics(statistics, rows)


def _measure_all(paths: tuple[Path, ...]) -> "Iterator[TurnTakingStatistics]":
    from pipeline.core.turntaking.activity import activity_of
    from pipeline.core.turntaking.measurement import measure
    from pipeline.io.rttm import read_rttm
    from pipeline.io.run_directory import RunDirectory

    for path in paths:
        if path.is_dir():
            for dialogue in RunDirectory(path).read_dialogues():
                yield measure(activity_of(dialogue.timeline))
        else:
            rttm = read_rttm(path)
            for refusal in rttm.refusals:
                click.echo(f"{refusal.record_id}: refused: {refusal.detail}", err=True)
            for recording in rttm.recordings:
                yield measure(recording.activity)


def _print_statistics(statistics: "TurnTakingStatistics", rows: "tuple[ComparisonRow, ...]") -> None:
    from pipeline.cli.tables import print_table

    header = ("quantity", "n", "/min", "s/min", "p5", "p50", "p95", "ref p50", "KS", "EMD s", "noise")
    table: list[tuple[str, ...]] = [header]
    for row in rows:
        numbers = (row.per_min, row.s_per_min, row.p5, row.p50, row.p95, row.reference_p50, row.ks, row.emd_s)
        cells = tuple("-" if number is None else f"{number:.3f}" for number in (*numbers, row.noise_ks_p95))
        table.append((row.name, str(row.n), *cells))
    print_table(table)
    click.echo(
        f"\n{statistics.total_s / 3600:.2f} h; overlap ratio {statistics.overlap_over_speech_time:.4f} of speech "
        f"({statistics.overlap_over_total_time:.4f} of all time); "
        f"joint silence {statistics.joint_silence_over_total_time:.3f}; "
        f"dominant speaker {statistics.dominant_speech_share:.3f}"
    )

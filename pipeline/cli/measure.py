"""Commands that measure: check, describe, fit."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from pipeline.core.checks import CheckSummary
    from pipeline.core.event_rates import EventRates
    from pipeline.core.turntaking import ComparisonRow
    from pipeline.describing import Description, Material
    from pipeline.domain.quarantine import Refusal

F = TypeVar("F", bound=Callable[..., None])

DETECTOR = click.option(
    "--detector",
    type=click.Choice(["energy", "webrtc"]),
    default="energy",
    show_default=True,
    help="Who finds speech in audio.",
)


def material_options(command: F) -> F:
    """PATHS and how to read them: what describe and fit share."""
    for decorate in (
        click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path)),
        click.option(
            "--audio", is_flag=True, help="PATHS are audio: two-channel files, or two mono files in a row."
        ),
        click.option("--from-audio", is_flag=True, help="Measure runs on their audio, not on their records."),
        DETECTOR,
    ):
        command = decorate(command)
    return command


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per finding, the summary last.")
@DETECTOR
@click.option(
    "--word-times",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also align N clips of each language again, and tell how far the word times are apart.",
)
@click.option(
    "--aligner",
    "aligners",
    multiple=True,
    help="For --word-times, may be repeated: qwen3, qwen3=URL, whisper=DIRECTORY. The estimate is always there.",
)
def check(
    directory: Path, as_json: bool, detector: str, word_times: int | None, aligners: tuple[str, ...]
) -> None:
    """Measure a run's audio again and compare it with its records. Exit code 1 with findings.

    Speech is found by voice activity, without the code that planned and mixed it: onsets and ends, speech
    that no record speaks of, words in silence, speakers who yield and go on, swapped or cut files, levels,
    the overlap ratio; and what dialogues share that they should not.

    DIRECTORY may also be an export: its lines, ids, files, audio formats and lengths are then held against the
    documented layout and its manifest, and a table says how balanced it is.
    """
    from pipeline.io.export_tree import find_export

    if aligners and word_times is None:
        raise click.UsageError("--aligner is for --word-times N; wanted both")
    if find_export(directory) is not None:
        if word_times is not None:
            raise click.UsageError(f"--word-times aligns the clips of a run; {directory} is an export")
        _check_export(directory, as_json)
        return
    from pipeline.backends.vad import find_detector
    from pipeline.checking import RunCheck, count_dialogues
    from pipeline.cli.check_progress import DialogueProgress

    run = RunCheck(directory, find_detector(detector))
    with DialogueProgress(count_dialogues(directory)) as progress:
        for finding in run.findings(progress):
            where = finding.dialogue_id or "dataset"
            click.echo(finding.to_line() if as_json else f"{where}: {finding.code.value}: {finding.detail}")
    summary = run.summary()
    if word_times is not None:
        from pipeline.cli.word_times import tell_word_times

        tell_word_times(directory, word_times, aligners, as_json)
    if as_json:
        click.echo(json.dumps({"summary": json.loads(summary.to_line())}))
    else:
        _print_summary(summary)
    if summary.findings:
        raise click.exceptions.Exit(1)


def _check_export(directory: Path, as_json: bool) -> None:
    from pipeline.cli.check_progress import DialogueProgress
    from pipeline.cli.tables import print_table
    from pipeline.export_checking import ExportCheck

    export = ExportCheck(directory)
    with DialogueProgress(export.num_dialogues) as progress:
        for finding in export.findings(progress.advance):
            where = finding.path or finding.export_id or "export"
            who = f" {finding.export_id}:" if finding.path and finding.export_id else ""
            line = f"{where}:{who} {finding.code.value}: {finding.detail}"
            click.echo(finding.to_line() if as_json else line)
    summary = export.summary()
    if as_json:
        click.echo(json.dumps({"summary": json.loads(summary.to_line())}, ensure_ascii=False))
    else:
        counts = [("finding", "count"), *((code, str(n)) for code, n in summary.findings.items())]
        for table in (*summary.tables, *((counts,) if summary.findings else ())):
            print_table(table)
            click.echo()
        verdict = "" if summary.findings else "; all of it as documented"
        click.echo(
            f"{summary.format}: {summary.dialogues} dialogues, {summary.hours:.2f} h of audio, "
            f"{summary.refused} dialogues refused by the export{verdict}"
        )
    if summary.findings:
        raise click.exceptions.Exit(1)


@click.command()
@material_options
@click.option(
    "--reference", default="switchboard", show_default=True, help="What to compare with: name or file."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.option(
    "--plot", "figures", type=click.Path(path_type=Path), help="Write PNG figures to this directory."
)
def describe(
    paths: tuple[Path, ...],
    audio: bool,
    from_audio: bool,
    detector: str,
    reference: str,
    as_json: bool,
    figures: Path | None,
) -> None:
    """Turn-taking statistics of runs (directories), RTTM files or two-channel audio, beside a reference.

    Quantities are defined as in the reference: words are merged to IPUs across silences < 200 ms, rates are
    summed before they are divided. Floor transfers, gaps, pauses, turns and kinds of overlap are defined between
    two speakers: where any conversation has more (a meeting's RTTM), only IPUs, speech, overlap and silence are
    measured, and a note says why. Of generated dialogues a second table holds what timing drew from the
    reference: its rows leave out what an event fixed. `noise` is the KS that a sample of the reference's own
    corpus of this size stays under 95 times in 100. A third table counts their events, per ten turns that hold
    the floor (what lies on top of another's turn counts as none), per minute and per dialogue.
    """
    from pipeline.describing import describe as measure_and_compare
    from pipeline.io.references import load_reference

    compared = load_reference(reference)
    description = measure_and_compare(_material(paths, audio, from_audio, detector), compared, _tell_refusal)
    if as_json:
        click.echo(json.dumps(_as_json(description, paths, reference), ensure_ascii=False, indent=2))
    else:
        _print_description(description)
    if figures is not None:
        from pipeline.figures import plot_description

        for path in plot_description(description, compared, reference, figures):
            click.echo(f"figure: {path}", err=True)


@click.command()
@material_options
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The reference to write (JSON).")
@click.option("--name", help="What to call it [after the paths].")
@click.option("--base", help="A reference to borrow what the material cannot give, e.g. switchboard.")
@click.option("--allow-small", is_flag=True, help="Also make tables of fewer than 30 values.")
def fit(
    paths: tuple[Path, ...],
    audio: bool,
    from_audio: bool,
    detector: str,
    out: Path,
    name: str | None,
    base: str | None,
    allow_small: bool,
) -> None:
    """Make a timing reference for `timing.reference` out of real or generated conversations.

    PATHS are read as by `describe`; every conversation must have two speakers, because floor transfers are defined
    between two (leave meetings out). Of generated dialogues, tables hold only what no event fixed. RTTM and audio
    do not tell backchannels: floor transfers are then taken all together, and yields from everybody whose floor
    was taken; both are printed as derived. What differs between dyads is fitted from 20 conversations or more. A
    table that the material cannot give at all (onsets of backchannels) is recorded as missing; timing then stops
    with an error, unless --base lends it.
    """
    from pipeline.core.fitting import stand_ins
    from pipeline.fitting import Fit, fit_material

    how = Fit(name=name, base=base, allow_small=allow_small)
    fitted = fit_material(_material(paths, audio, from_audio, detector), how, out, _tell_refusal)
    corpus = fitted.corpus
    click.echo(
        f"{out}: {len(fitted.distributions)} tables of {corpus.n_conversations} conversations, {corpus.hours:.2f} h"
    )
    for table, measured in stand_ins(fitted).items():
        click.echo(f"derived from the material's own {measured}: {table}")
    for table, why in fitted.missing.items():
        source = fitted.borrowed.get(table)
        click.echo(f"{'missing' if source is None else f'borrowed from {source}'}: {table}: {why}")


def _material(paths: tuple[Path, ...], audio: bool, from_audio: bool, detector: str) -> "Material":
    from pipeline.describing import Material

    return Material(paths=paths, is_audio=audio, from_audio=from_audio, detector=detector)


def _tell_refusal(refusal: "Refusal") -> None:
    click.echo(f"{refusal.record_id}: refused: {refusal.detail}", err=True)


def _print_summary(summary: "CheckSummary") -> None:
    from pipeline.cli.tables import print_table

    if summary.findings:
        click.echo()
        print_table([("finding", "count"), *((name, str(n)) for name, n in summary.findings.items())])
        click.echo()
    edges: list[tuple[str, ...]] = [("heard - recorded", "n", "mean ms", "|p50| ms", "|p95| ms")]
    for what, errors in (("onsets", summary.onsets), ("ends", summary.ends)):
        edges.append((what, str(errors.n), *map(_cell, (errors.mean_ms, errors.p50_ms, errors.p95_ms))))
    print_table(edges)
    ratios = (summary.recorded_overlap_ratio, summary.heard_overlap_ratio)
    recorded, heard = ("-" if ratio is None else f"{ratio:.4f}" for ratio in ratios)
    verdict = "" if summary.findings else "; records and audio agree"
    click.echo(
        f"\n{summary.dialogues} dialogues, {summary.hours:.2f} h measured with {summary.detector}; "
        f"overlap ratio recorded {recorded}, heard {heard}{verdict}"
    )


def _as_json(description: "Description", paths: tuple[Path, ...], reference: str) -> dict[str, object]:
    statistics = description.statistics
    return {
        "paths": [str(path) for path in paths],
        "reference": reference,
        "conversations": len(description.conversations),
        "left_out": description.left_out,
        "total_s": statistics.total_s,
        "overlap_s": statistics.overlap_s,
        "overlap_ratio": _number(statistics.overlap_over_speech_time),
        "overlap_over_total_time": _number(statistics.overlap_over_total_time),
        "joint_silence_over_total_time": _number(statistics.joint_silence_over_total_time),
        "dominant_speech_share": _number(statistics.dominant_speech_share),
        "overlap_ratios": list(description.overlap_ratios),
        "quantities": [json.loads(row.to_line()) for row in description.rows],
        "drawn": [json.loads(row.to_line()) for row in description.drawn_rows],
        "events": None if description.events is None else json.loads(description.events.to_line()),
    }


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None


def _print_description(description: "Description") -> None:
    _print_rows("quantity", description.rows)
    if description.drawn_rows:
        click.echo()
        _print_rows("drawn by timing", description.drawn_rows)
    if description.events is not None:
        _print_events(description.events)
    if description.left_out is not None:
        click.echo(
            f"\nnote: {description.left_out}, and so left out here: describe those apart that have two"
        )
    statistics = description.statistics
    click.echo(
        f"\n{len(description.conversations)} conversations, {statistics.total_s / 3600:.2f} h; "
        f"overlap {statistics.overlap_s:.3f} s, ratio {statistics.overlap_over_speech_time:.4f} of speech "
        f"({statistics.overlap_over_total_time:.4f} of all time); "
        f"joint silence {statistics.joint_silence_over_total_time:.3f}; "
        f"dominant speaker {statistics.dominant_speech_share:.3f}"
    )


def _print_rows(title: str, rows: "tuple[ComparisonRow, ...]") -> None:
    from pipeline.cli.tables import print_table

    table: list[tuple[str, ...]] = [
        (title, "n", "/min", "s/min", "p5", "p50", "p95", "ref p50", "KS", "EMD s", "noise")
    ]
    for row in rows:
        numbers = (row.per_min, row.s_per_min, row.p5, row.p50, row.p95, row.reference_p50, row.ks, row.emd_s)
        table.append((row.name, str(row.n), *map(_cell, (*numbers, row.noise_ks_p95))))
    print_table(table)


def _print_events(events: "EventRates") -> None:
    from pipeline.cli.tables import print_table

    table: list[tuple[str, ...]] = [
        ("event", "initiator", "effect", "n", "per 10 turns", "per min", "per dialogue")
    ]
    for row in events.rows:
        names = (row.type.value, row.initiator.value, row.effect.value, str(row.n))
        table.append((*names, *map(_cell, (row.per_ten_turns, row.per_min, row.per_dialogue))))
    click.echo()
    print_table(table)
    click.echo(
        f"\n{events.dialogues} dialogues, {events.turns} turns that hold the floor (what lies on top of "
        f"another's turn counts as none), {events.minutes:.1f} min"
    )


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

"""`humdial check --word-times`: who tells other word times than whom."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.ports import Aligner
    from pipeline.word_time_checking import WordTimeSummary


def tell_word_times(directory: Path, size: int, aligners: Sequence[str], as_json: bool) -> None:
    """Align clips again, by the run's own aligners and those named here, and print how far they are apart."""
    from pipeline.backends.aligners import find_aligner
    from pipeline.word_time_checking import check_word_times, own_aligners

    with ExitStack() as opened:
        named = [opened.enter_context(find_aligner(name)) for name in dict.fromkeys(aligners)]
        own = [name for name in own_aligners(directory) if name not in aligners]
        rungs = [*_open_those_here(own, opened), *named]
        summary = check_word_times(directory, size, rungs)
    if as_json:
        click.echo(json.dumps({"word_times": json.loads(summary.to_line())}))
    else:
        _print(summary)


def _open_those_here(names: Sequence[str], opened: ExitStack) -> "list[Aligner]":
    """The run's aligners; one that is not here (any more) is told of, because the run may be from elsewhere."""
    from pipeline.backends.aligners import find_aligner
    from pipeline.domain.errors import ConfigError

    found = []
    for name in names:
        try:
            found.append(opened.enter_context(find_aligner(name)))
        except ConfigError as error:
            click.echo(f"the run's aligner {name} is left out: {error}", err=True)
    return found


def _print(summary: "WordTimeSummary") -> None:
    from pipeline.cli.tables import print_table

    click.echo()
    if summary.disagreements:
        header = ("word ends, other - one", "language", "clips", "words", "mean ms", "|p50| ms", "|p95| ms")
        rows: list[tuple[str, ...]] = [header]
        for pair in summary.disagreements:
            figures = (f"{value:.1f}" for value in (pair.mean_ms, pair.p50_ms, pair.p95_ms))
            counts = (str(pair.clips), str(pair.words))
            rows.append((f"{pair.other} - {pair.one}", pair.language.value, *counts, *figures))
        print_table(rows)
    elif not summary.clips:
        click.echo("word times: no clip of three words or more is whole and alone in its track")
    else:
        click.echo(
            f"word times: those of all {summary.clips} clips are estimates, and nobody else was asked: there is "
            "nothing to compare; remedy: --aligner whisper=DIRECTORY or --aligner qwen3"
        )
    for failed in summary.failures:
        click.echo(
            f"{failed.rung}: no word times for {failed.clips} of {summary.clips} clips; first: {failed.first}"
        )

"""The command that mines real recordings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.core.heard import Heard
    from pipeline.core.mining.summary import MiningSummary
    from pipeline.io.recordings.declaration import Declaration
    from pipeline.mining_evaluation import MiningScores

_DECLARATIONS = (".yaml", ".yml")


class _Filter(click.Group):
    """`filter PATHS` mines; `filter eval` is the one word that is no path."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in ("eval", "mine", *ctx.help_option_names):
            args = ["mine", *args]
        return super().parse_args(ctx, args)


@click.group("filter", cls=_Filter)
def filter_recordings() -> None:
    """Mine recordings of two-party talk for interruptions, backchannels and other overlaps.

    `humdial filter PATHS --out DIR` mines (see `humdial filter mine --help`), `humdial filter eval DIR --ref PATH`
    compares what was found with a reference.
    """


@filter_recordings.command("mine")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where results and the cache go.")
@click.option(
    "--detector",
    type=click.Choice(["energy", "webrtc", "silero"]),
    help="Who finds speech in a channel  [energy, or what the declaration says].",
)
@click.option("--plot", is_flag=True, help="Draw every kept segment as a PNG in DIR/timelines.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def mine(paths: tuple[Path, ...], out: Path, detector: str | None, plot: bool, as_json: bool) -> None:
    """What `humdial filter PATHS` does.

    PATHS are one declaration (YAML: recordings, rights, thresholds), or audio: a two-channel file is a recording, two
    one-channel files in a row are one too. Written are segments.jsonl (what is worth keeping), audit.jsonl (every
    candidate, with the reasons for and against it), summary.json, errors.jsonl and rttm/; no audio is copied.

    Called again, only what is new is heard; with other thresholds nothing is. Exit code 1 where no recording could
    be used.
    """
    from pipeline.mining import Mine

    declaration, base = _declared(paths)
    if detector is not None:
        listening = declaration.listening.model_copy(update={"detector": detector})
        declaration = declaration.model_copy(update={"listening": listening})
    work = Mine(declaration, base, out)
    summary = work.run(_HearingProgress(len(work.recordings)).advance)
    if as_json:
        click.echo(json.dumps(summary.model_dump(mode="json"), ensure_ascii=False, indent=1))
    else:
        _print_summary(summary, out)
    if plot:
        from pipeline.figures import plot_segment

        for row, frames in work.kept():
            click.echo(f"figure: {plot_segment(row, frames, out / 'timelines')}", err=True)
    if not summary.recordings["ok"]:
        raise click.exceptions.Exit(1)


@filter_recordings.command("eval")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--ref",
    "references",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="RTTM, words with times, events (JSON lines), or the directory of a generated run; may be repeated.",
)
@click.option("--uem", type=click.Path(path_type=Path), help="Which parts count  [all of every recording].")
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def evaluate(directory: Path, references: tuple[Path, ...], uem: Path | None, as_json: bool) -> None:
    """Compare the results in DIRECTORY with a reference.

    Speech and overlap are compared instant by instant, without a collar; events one-to-one, by initiator and onset
    (within 0.25 s), with 95 % intervals by a bootstrap over conversations. Where the reference says who speaks when,
    its events are those that the same tree finds there, so that only hearing is judged; a reference of events (one
    `{"recording_id", "initiator", "onset", "type"}` per line) judges the tree as well.
    """
    from pipeline.mining_evaluation import evaluate as score

    scores = score(directory, references, uem)
    if as_json:
        click.echo(json.dumps(scores.model_dump(mode="json"), ensure_ascii=False, indent=1))
    else:
        _print_scores(scores)


def _print_scores(scores: "MiningScores") -> None:
    from pipeline.cli.tables import print_table

    if scores.detection is not None:
        rows: list[tuple[str, ...]] = [("seconds", "precision", "recall", "F1")]
        for name, score in (("speech", scores.detection.speech), ("overlap", scores.detection.overlap)):
            rows.append((name, *map(_share, (score.precision, score.recall, score.f1))))
        for part in scores.detection.overlap_recall:
            low, high = ("" if edge is None else f"{edge:g}" for edge in (part.low_s, part.high_s))
            rows.append((f"overlaps of {low}-{high} s", "", _share(part.recall), ""))
        print_table(rows)
        click.echo()
    events: list[tuple[str, ...]] = [("event", "reference", "found", "precision", "recall", "F1", "95 %")]
    for one in scores.events.classes:
        hits, misses, extra = one.score.hits, one.score.misses, one.score.false_alarms
        figures = map(_share, (one.score.precision, one.score.recall, one.score.f1))
        span = one.f1_interval
        interval = "-" if span is None else f"{span.low:.3f}-{span.high:.3f}"
        events.append((one.label, f"{hits + misses:.0f}", f"{hits + extra:.0f}", *figures, interval))
    print_table(events)
    confused = [c for c in scores.events.confusion if c.gold != c.found]
    if confused:
        click.echo()
        pairs = [("reference", "found as", "count"), *((c.gold, c.found, str(c.count)) for c in confused)]
        print_table(pairs)
    missing = f"; not mined: {', '.join(scores.missing)}" if scores.missing else ""
    click.echo(
        f"\n{scores.events.conversations} conversations, onsets F1 {_share(scores.events.onsets.f1)}, "
        f"macro F1 {_share(scores.events.macro_f1)}{missing}"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _declared(paths: tuple[Path, ...]) -> tuple["Declaration", Path]:
    from pipeline.domain.errors import ConfigError
    from pipeline.io.recordings.audio import count_channels
    from pipeline.io.recordings.declaration import declare_audio, read_declaration

    declarations = [path for path in paths if path.suffix in _DECLARATIONS]
    if declarations and len(paths) > 1:
        raise ConfigError(f"{declarations[0]}: a declaration stands alone; name the audio files inside it")
    if declarations:
        return read_declaration(paths[0]), paths[0].absolute().parent
    for path in paths:
        if not path.is_file():
            raise ConfigError(f"{path}: is no file; wanted audio files, or one YAML declaration")
    return declare_audio(paths, tuple(map(count_channels, paths))), Path.cwd()


class _HearingProgress:
    """A line per recording, as they are heard."""

    def __init__(self, num_recordings: int) -> None:
        self._total, self._done = num_recordings, 0

    def advance(self, heard: "Heard", kept: bool) -> None:
        """One more is heard."""
        self._done += 1
        state = "kept" if kept else "heard"
        verdict = (
            "" if heard.activity else f": {', '.join(p.code.value for p in heard.problems)}: {heard.detail}"
        )
        click.echo(f"{heard.recording_id} {state} ({self._done} of {self._total}){verdict}", err=True)


def _print_summary(summary: "MiningSummary", out: Path) -> None:
    from pipeline.cli.tables import print_table

    counts = summary.class_counts
    rates = summary.class_per_hour
    rows: list[tuple[str, ...]] = [("event", "count", "per hour")]
    for kind, count in counts.items():
        rate = rates[kind]
        rows.append((kind.value, str(count), "-" if rate is None else f"{rate:.1f}"))
    print_table(rows)
    if summary.rejected:
        click.echo()
        reasons = [("left out because", "first reason", "any reason")]
        reasons.extend(
            (c.value, str(r.first_failing_n), str(r.any_failing_n)) for c, r in summary.rejected.items()
        )
        print_table(reasons)
    done, segments = summary.recordings, summary.funnel["segments"]
    click.echo(
        f"\n{out}: {done['ok']} of {done['in']} recordings used, {segments.went_out} segments, "
        f"{summary.hours_out:.3f} of {summary.hours_in:.3f} h kept"
    )

"""The command that mines real recordings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.filter_eval import evaluate

if TYPE_CHECKING:
    from pipeline.core.heard import Frames, Heard
    from pipeline.core.mined_rows import SegmentRow
    from pipeline.core.mining.summary import MiningSummary
    from pipeline.io.recordings.declaration import Declaration
    from pipeline.mining import Draw

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


filter_recordings.add_command(evaluate)


@filter_recordings.command("mine")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where results and the cache go.")
@click.option(
    "--detector",
    type=click.Choice(["energy", "webrtc", "silero"]),
    help="Who finds speech in a channel  [energy, or what the declaration says].",
)
@click.option(
    "--language", type=click.Choice(["en", "zh"]), help="Of recordings whose declaration names none."
)
@click.option(
    "--export-audio", is_flag=True, help="Cut the audio of kept segments out, where rights allow it."
)
@click.option(
    "--i-have-rights",
    is_flag=True,
    help="You may pass the audio on, whatever the declared rights say; written on every row.",
)
@click.option(
    "--plot",
    is_flag=True,
    help="Draw every kept segment as a PNG in DIR/timelines; without it, earlier ones are removed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def mine(
    paths: tuple[Path, ...],
    out: Path,
    detector: str | None,
    language: str | None,
    export_audio: bool,
    i_have_rights: bool,
    plot: bool,
    as_json: bool,
) -> None:
    """What `humdial filter PATHS` does.

    PATHS are one declaration (YAML: recordings, rights, thresholds), or audio: a two-channel file is a recording, two
    one-channel files in a row are one too. Written are segments.jsonl (what is worth keeping), audit.jsonl (every
    candidate, with the reasons for and against it), summary.json, errors.jsonl and rttm/; and timelines.jsonl, which
    `describe` and `fit` read as they read runs. What that has no place for is in quarantine.jsonl, with the reason.

    No audio is copied, unless --export-audio (or `export_audio: true`) asks for it: DIR then holds dialogues.jsonl
    and audio/ too, for `check` and `export`. Without it, what an earlier call cut out is removed.

    Called again, only what is new is heard; with other thresholds nothing is. Exit code 1 where no recording could
    be used.
    """
    from pipeline.mining import Mine

    declaration, base = _declared(paths, out)
    if detector is not None:
        listening = declaration.listening.model_copy(update={"detector": detector})
        declaration = declaration.model_copy(update={"listening": listening})
    if language is not None:
        declaration = _in_language(declaration, language)
    asked = {"export_audio": export_audio, "i_have_rights": i_have_rights}
    declaration = declaration.model_copy(update={name: True for name, wanted in asked.items() if wanted})
    work = Mine(declaration, base, out)
    summary = work.run(_HearingProgress(len(work.recordings)).advance, _drawing() if plot else None)
    if as_json:
        click.echo(json.dumps(summary.model_dump(mode="json"), ensure_ascii=False, indent=1))
    else:
        _print_summary(summary, out)
    if not summary.recordings["ok"]:
        raise click.exceptions.Exit(1)


def _drawing() -> "Draw":
    """Draws, and says where."""
    from pipeline.figures import plot_segment

    def draw(row: "SegmentRow", frames: "Frames | None", path: Path) -> None:
        plot_segment(row, frames, path)
        click.echo(f"figure: {path}", err=True)

    return draw


def _in_language(declaration: "Declaration", language: str) -> "Declaration":
    from pipeline.domain.labels import Language

    recordings = tuple(
        one if one.language else one.model_copy(update={"language": Language(language)})
        for one in declaration.recordings
    )
    return declaration.model_copy(update={"recordings": recordings})


def _declared(paths: tuple[Path, ...], out: Path) -> tuple["Declaration", Path]:
    from pipeline.domain.errors import ConfigError
    from pipeline.io.recordings.audio import count_channels
    from pipeline.io.recordings.declaration import declare_audio, read_declaration
    from pipeline.io.recordings.searched import check_not_searched

    declarations = [path for path in paths if path.suffix in _DECLARATIONS]
    if declarations and len(paths) > 1:
        raise ConfigError(f"{declarations[0]}: a declaration stands alone; name the audio files inside it")
    if declarations:
        declaration = read_declaration(paths[0])
        check_not_searched(paths[0], out)
        return declaration, paths[0].absolute().parent
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
    from pipeline.domain.quarantine import Reason

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
    if summary.quarantined:
        click.echo()
        print_table(
            [("in quarantine", "segments"), *((r.value, str(n)) for r, n in summary.quarantined.items())]
        )
    if Reason.MISSING_FIELD in summary.quarantined:
        click.echo(
            "missing_field: nobody says the language, so these segments have no timeline; give --language, or "
            "`language` in the declaration"
        )
    done, segments = summary.recordings, summary.funnel["segments"]
    click.echo(
        f"\n{out}: {done['ok']} of {done['in']} recordings used, {segments.went_out} segments, "
        f"{summary.hours_out:.3f} of {summary.hours_in:.3f} h kept; {summary.timelines} timelines, "
        f"{summary.dialogues} with audio"
    )

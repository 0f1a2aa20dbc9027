"""The command that mines real recordings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.core.heard import Heard
    from pipeline.core.mining.summary import MiningSummary
    from pipeline.io.recordings.declaration import Declaration

_DECLARATIONS = (".yaml", ".yml")


@click.command("filter")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where results and the cache go.")
@click.option(
    "--detector",
    type=click.Choice(["energy", "webrtc", "silero"]),
    help="Who finds speech in a channel  [energy, or what the declaration says].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def filter_recordings(paths: tuple[Path, ...], out: Path, detector: str | None, as_json: bool) -> None:
    """Mine recordings of two-party talk for interruptions, backchannels and other overlaps.

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
    mine = Mine(declaration, base, out)
    with _HearingProgress(len(mine.recordings)) as progress:
        summary = mine.run(progress.advance)
    if as_json:
        click.echo(json.dumps(summary.model_dump(mode="json"), ensure_ascii=False, indent=1))
    else:
        _print_summary(summary, out)
    if not summary.recordings["ok"]:
        raise click.exceptions.Exit(1)


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
    """A line per recording; with a terminal it is rewritten in place."""

    def __init__(self, num_recordings: int) -> None:
        self._total, self._done = num_recordings, 0

    def __enter__(self) -> "_HearingProgress":
        return self

    def __exit__(self, *_: object) -> None:
        return None

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

"""The command that compares mined recordings with a reference."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.mining_evaluation import MiningScores


@click.command("eval")
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

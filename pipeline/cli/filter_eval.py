"""The command that compares mined recordings with a reference."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.core.mining.detection_eval import DetectionScores
    from pipeline.core.mining.diarization_eval import DiarizationScore
    from pipeline.core.mining.event_eval import EventScores
    from pipeline.core.mining.gates import GateResult
    from pipeline.core.mining.strata import StratumScore
    from pipeline.core.mining.turnbench import TurnBenchScore
    from pipeline.mining_evaluation import MiningScores

_Row = tuple[str, ...]


@click.command("eval")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--ref",
    "references",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="RTTM, words with times, events or TurnBench's annotations (JSON lines), TurnBench's gold (JSON), a generated "
    "run, or a directory of such files; may be repeated.",
)
@click.option("--uem", type=click.Path(path_type=Path), help="Which parts count  [all of every recording].")
@click.option(
    "--about",
    type=click.Path(path_type=Path),
    help="What is known of recordings, for the strata: JSON lines such as "
    '{"recording_id": "sw2005", "gender": "F-M"}.',
)
@click.option("--strata", is_flag=True, help="Events by mode, language, what --about says, and overlap.")
@click.option("--gates", is_flag=True, help="Whether the gates hold; words with dialogue acts measure most.")
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def evaluate(
    directory: Path,
    references: tuple[Path, ...],
    uem: Path | None,
    about: Path | None,
    strata: bool,
    gates: bool,
    as_json: bool,
) -> None:
    """Compare the results in DIRECTORY with a reference.

    Speech, overlap and speakers are compared instant by instant, without a collar; events one-to-one, by initiator
    and onset (within 0.25 s), with 95 % intervals by a bootstrap over conversations. Where the reference says who
    speaks when, its events are those that the same tree finds there, so that only hearing is judged; a reference of
    events (one `{"recording_id", "initiator", "onset", "type"}` per line) judges the tree as well.

    Of Switchboard's words with dialogue acts (sw####A-word-da.csv), --gates measures what the filter has to reach,
    and the exit code is 1 where a gate does not hold.
    """
    from pipeline.mining_evaluation import evaluate as score

    scores = score(directory, references, uem, about, gates)
    if as_json:
        click.echo(json.dumps(scores.model_dump(mode="json"), ensure_ascii=False, indent=1))
    else:
        _print_scores(scores, strata)
    if scores.gates is not None and any(gate.verdict == "fails" for gate in scores.gates):
        raise click.exceptions.Exit(1)


def _print_scores(scores: "MiningScores", strata: bool) -> None:
    from pipeline.cli.tables import print_table

    tables = [
        _detection(scores.detection),
        _diarization(scores.diarization),
        *_events(scores.events),
        _strata(scores.strata if strata else ()),
        _turnbench(scores.turnbench),
        _gates(scores.gates),
    ]
    for rows in tables:
        if rows:
            print_table(rows)
            click.echo()
    click.echo(_last_line(scores))


def _detection(scores: "DetectionScores | None") -> list[_Row]:
    if scores is None:
        return []
    rows: list[_Row] = [("seconds", "reference", "found", "precision", "recall", "F1")]
    for name, score in (("speech", scores.speech), ("overlap", scores.overlap)):
        times = (f"{score.hits + score.misses:.3f}", f"{score.hits + score.false_alarms:.3f}")
        rows.append((name, *times, *map(_share, (score.precision, score.recall, score.f1))))
    for part in scores.overlap_recall:
        times = (f"{part.reference_s:.3f}", f"{part.found_s:.3f}")
        rows.append((f"overlaps, {part.length}", *times, "-", _share(part.recall), "-"))
    return rows


def _diarization(score: "DiarizationScore | None") -> list[_Row]:
    if score is None:
        return []
    return [
        ("speakers", "error", "reference", "missed", "false alarm", "confused"),
        (
            "DER, by time",
            _share(score.der),
            *(f"{s:.1f}" for s in (score.reference_s, score.missed_s, score.false_alarm_s, score.confused_s)),
        ),
        ("JER, by speaker", _share(score.jer), str(len(score.jaccard_errors)), "-", "-", "-"),
        ("CDER, by utterance", _share(score.cder), str(score.utterances), "-", "-", "-"),
    ]


def _events(scores: "EventScores | None") -> list[list[_Row]]:
    """Classes, and what was taken for what."""
    if scores is None:
        return []
    head = ("event", "reference", "found", "per hour", "precision", "recall", "F1", "95 %")
    rows: list[_Row] = [head]
    for one in scores.classes:
        hits, misses, extra = one.score.hits, one.score.misses, one.score.false_alarms
        figures = map(_share, (one.score.precision, one.score.recall, one.score.f1))
        span, rate = one.f1_interval, one.found_per_hour
        interval = "-" if span is None else f"{span.low:.3f}-{span.high:.3f}"
        per_hour = "-" if rate is None else f"{rate:.1f}"
        rows.append((one.label, f"{hits + misses:.0f}", f"{hits + extra:.0f}", per_hour, *figures, interval))
    confused = [
        (pair.gold, pair.found, str(pair.count)) for pair in scores.confusion if pair.gold != pair.found
    ]
    return [rows, [("reference", "found as", "count"), *confused] if confused else []]


def _strata(strata: "tuple[StratumScore, ...]") -> list[_Row]:
    if not strata:
        return []
    rows: list[_Row] = [("stratum", "value", "conversations", "events", "onsets F1", "class F1", "macro F1")]
    for one in strata:
        figures = map(_share, (one.onsets.f1, one.agreed.f1, one.macro_f1))
        total = f"{one.onsets.hits + one.onsets.misses:.0f}"
        rows.append((one.name, one.value, str(one.conversations), total, *figures))
    return rows


def _turnbench(score: "TurnBenchScore | None") -> list[_Row]:
    if score is None:
        return []
    rates = (_share(score.recall), _share(score.false_positive_rate))
    return [
        ("TurnBench", "positives", "detected", "negatives", "false positives", "recall", "FP rate"),
        (
            "interruption",
            *map(str, (score.positives, score.detected, score.negatives, score.false_positives)),
            *rates,
        ),
    ]


def _gates(results: "tuple[GateResult, ...] | None") -> list[_Row]:
    if results is None:
        return []
    rows: list[_Row] = [("gate", "basis", "wanted", "measured", "met", "of")]
    met = {"holds": "yes", "fails": "NO", "not measured": "-"}
    for result in results:
        gate = result.gate
        wanted = f">= {gate.at_least:g}" if gate.at_least is not None else f"<= {gate.at_most:g}"
        rows.append(
            (gate.figure, gate.basis, wanted, _share(result.measured), met[result.verdict], gate.where)
        )
    return rows


def _last_line(scores: "MiningScores") -> str:
    parts = []
    if scores.events is not None:
        events = scores.events
        parts.append(
            f"{events.conversations} conversations, {scores.scored_s / 3600:.3f} h, "
            f"onsets F1 {_share(events.onsets.f1)}, macro F1 {_share(events.macro_f1)}"
        )
    if scores.missing:
        shown = ", ".join(scores.missing[:5])
        parts.append(f"{len(scores.missing)} not mined: {shown}{', ...' if len(scores.missing) > 5 else ''}")
    return "; ".join(parts)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

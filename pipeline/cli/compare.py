"""`humdial compare`: two runs side by side."""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.core.compare import AxisSummary, Comparison, Frames, RunSide, Spending, Texts
    from pipeline.core.intervals import Estimate, Share

Rows = list[tuple[str, ...]]


@click.command()
@click.argument("run_a", metavar="RUN_A", type=click.Path(path_type=Path))
@click.argument("run_b", metavar="RUN_B", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def compare(run_a: Path, run_b: Path, as_json: bool) -> None:
    """Two runs side by side: acceptance by reason, judge's scores, diversity, tokens and cost.

    Made for one question: what does multi-stage prompting gain over a single prompt? Run a configuration twice, with
    `script.prompting` steps and single, and compare. Brackets hold 95 % intervals; a difference whose interval leaves
    out zero is more than chance. Runs of different recipes, languages or seed dialogues are compared, with a warning.
    """
    from pipeline.comparing import compare_runs

    comparison = compare_runs(run_a, run_b)
    if as_json:
        click.echo(comparison.model_dump_json(indent=2))
        return
    for warning in comparison.warnings:
        click.echo(f"warning: {warning}", err=True)
    _print_heads(comparison)
    _print_acceptance(comparison)
    _print_scores(comparison)
    _print_texts(comparison)
    _print_spending(comparison)


def _print_heads(comparison: "Comparison") -> None:
    a, b = comparison.a, comparison.b
    rows: Rows = [
        ("", "A", "B"),
        ("run", a.run, b.run),
        ("recipe", a.recipe.value, b.recipe.value),
        ("prompting", a.prompting, b.prompting),
    ]
    for title, mine, theirs in (
        ("author", a.authors, b.authors),
        ("judge", a.judges or ("nobody",), b.judges or ("nobody",)),
        ("prompts", a.prompts, b.prompts),
    ):
        for number, (one, other) in enumerate(zip_longest(mine, theirs, fillvalue="")):
            rows.append((title if number == 0 else "", one, other))
    _print(rows)


def _print_acceptance(comparison: "Comparison") -> None:
    a, b = comparison.a, comparison.b
    rows: Rows = [
        ("dialogues", "A", "B", "B - A, points"),
        ("planned", f"{a.scripts.whole:,}", f"{b.scripts.whole:,}", ""),
        ("the same in both", *(f"{comparison.shared_dialogues:,}" for _ in (a, b)), ""),
        ("script accepted", f"{a.scripts.part:,}", f"{b.scripts.part:,}", ""),
        ("script refused", *(f"{side.scripts.whole - side.scripts.part:,}" for side in (a, b)), ""),
        ("acceptance", _share(a.scripts), _share(b.scripts), _points(comparison.scripts)),
        ("came to audio", _share(a.rendered), _share(b.rendered), _points(comparison.rendered)),
    ]
    _print(rows)
    reasons = list(dict.fromkeys((*a.refusals, *b.refusals)))
    if reasons:
        counts = [(name, *(f"{side.refusals.get(name, 0):,}" for side in (a, b))) for name in reasons]
        _print([("refused by stage: reason", "A", "B"), *counts])


def _print_scores(comparison: "Comparison") -> None:
    a, b = comparison.a, comparison.b
    if not a.judged and not b.judged:
        click.echo("judge's scores: not judged\n")
        return
    least = [f">= {side.min_score}" for side in (a, b)]
    rows: Rows = [
        ("judge's scores, 1 to 5", "n A", "n B", "A", "B", "B - A", f"A {least[0]}", f"B {least[1]}")
    ]
    of_a, of_b = ({row.axis: row for row in side.judged} for side in (a, b))
    for axis in dict.fromkeys((*of_a, *of_b)):
        sides = (of_a.get(axis), of_b.get(axis))
        rows.append(
            (
                axis,
                *("-" if one is None else f"{one.dialogues:,}" for one in sides),
                *map(_mean, sides),
                _estimate(comparison.judged.get(axis), "{:+.2f}"),
                *(_share(one.good_enough) if one else "not judged" for one in sides),
            )
        )
    _print(rows)


def _print_texts(comparison: "Comparison") -> None:
    for row in comparison.languages:
        texts = (row.a, row.b)
        rows: Rows = [(f"texts in {row.language.value}", "A", "B")]
        rows += [(name, *map(show, texts)) for name, show in _TEXT_ROWS]
        _print(rows)
        frames = tuple(None if one is None else one.frames for one in texts)
        if frames != (None, None):
            _print_frames(f"sentence frames in {row.language.value}", frames)


def _print_frames(title: str, sides: "tuple[Frames | None, ...]") -> None:
    rows: Rows = [(title, "A", "", "B", "")]
    rows.append(
        ("different", *(cell for one in sides for cell in (f"{one.different:,}" if one else "-", "")))
    )
    for number, pair in enumerate(zip_longest(*map(_frame_cells, sides), fillvalue=("", ""))):
        rows.append(("commonest, of dialogues" if number == 0 else "", *pair[0], *pair[1]))
    _print(rows)


def _frame_cells(frames: "Frames | None") -> list[tuple[str, str]]:
    return [] if frames is None else [(f"{one.share:.1%}", one.frame) for one in frames.commonest]


def _print_spending(comparison: "Comparison") -> None:
    sides = (comparison.a, comparison.b)
    if all(side.spending is None for side in sides):
        click.echo("tokens and cost: none, nobody is paid for an embedded author")
        return
    rows: Rows = [("author's work", "A", "B")]
    rows += [(name, *(show(side) for side in sides)) for name, show in _SPENDING_ROWS]
    _print(rows)


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    from pipeline.cli.tables import print_table

    print_table(rows)
    click.echo()


def _estimate(estimate: "Estimate | None", form: str) -> str:
    if estimate is None:
        return "-"
    value, low, high = (form.format(number) for number in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def _share(share: "Share | None") -> str:
    if share is None or share.estimate is None:
        return "-"
    one = share.estimate
    return f"{one.value:.1%} [{one.low:.1%}, {one.high:.1%}]"


def _points(difference: "Estimate | None") -> str:
    if difference is None:
        return "-"
    value, low, high = (100 * number for number in (difference.value, difference.low, difference.high))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def _mean(axis: "AxisSummary | None") -> str:
    return "not judged" if axis is None else _estimate(axis.mean, "{:.2f}")


def _text(show: "Callable[[Texts], str]") -> "Callable[[Texts | None], str]":
    return lambda texts: "-" if texts is None else show(texts)


def _distinct(n: int) -> "Callable[[Texts | None], str]":
    def show(texts: "Texts") -> str:
        return "-" if texts.diversity is None else _number(texts.diversity.distinct[n - 1], 4)

    return _text(show)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


_TEXT_ROWS: "tuple[tuple[str, Callable[[Texts | None], str]], ...]" = (
    ("accepted dialogues", _text(lambda texts: f"{texts.dialogues:,}")),
    ("turns per dialogue", _text(lambda texts: f"{texts.turns_per_dialogue:.2f}")),
    ("words per turn", _text(lambda texts: f"{texts.words_per_turn:.2f}")),
    ("words looked at", _text(lambda texts: f"{texts.diversity.words:,}" if texts.diversity else "-")),
    ("distinct-1", _distinct(1)),
    ("distinct-2", _distinct(2)),
    ("distinct-3", _distinct(3)),
    (
        "dialogues looked at",
        _text(lambda texts: f"{texts.diversity.dialogues:,}" if texts.diversity else "-"),
    ),
    ("self-BLEU-4", _text(lambda texts: _number(texts.diversity.self_bleu, 4) if texts.diversity else "-")),
)


def _spent(show: "Callable[[Spending], str]") -> "Callable[[RunSide], str]":
    return lambda side: "none" if side.spending is None else show(side.spending)


def _money(pick: "Callable[[Spending], float | None]") -> "Callable[[RunSide], str]":
    def show(spending: "Spending") -> str:
        value = pick(spending)
        return "-" if value is None else f"{value:,.6f} {spending.currency}"

    return _spent(show)


_SPENDING_ROWS: "tuple[tuple[str, Callable[[RunSide], str]], ...]" = (
    ("requests", _spent(lambda spending: f"{spending.requests:,}")),
    ("retries", _spent(lambda spending: f"{spending.retries:,}")),
    ("prompt tokens", _spent(lambda spending: f"{spending.prompt_tokens:,}")),
    ("of them cached", _spent(lambda spending: f"{spending.cached_tokens:,}")),
    ("completion tokens", _spent(lambda spending: f"{spending.completion_tokens:,}")),
    ("replies without a count", _spent(lambda spending: f"{spending.unmetered:,}")),
    ("cost", _money(lambda spending: spending.cost)),
    ("cost per accepted dialogue", _money(lambda spending: spending.cost_per_accepted)),
    ("cost per audio hour", _money(lambda spending: spending.cost_per_audio_h)),
    ("audio hours", lambda side: _number(side.audio_h, 3)),
)

"""The command that fills the backchannel bank."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.produce import SET

if TYPE_CHECKING:
    from pipeline.banking import Deposit


@click.command("bank")
@click.argument("config")
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=Path("outputs/store"),
    show_default=True,
    help="The store that runs share.",
)
@SET
def bank(config: str, store: Path, overrides: tuple[str, ...]) -> None:
    """Build the backchannel bank: several checked takes of each short interjection, by every voice.

    CONFIG says who speaks (speech.backend, speech.bank) and in which languages. Runs with the same speech section
    draw their backchannels from it; what is stored already is not spoken again. Exit code 1 where some form could
    be said by nobody.
    """
    from pipeline.banking import build_bank
    from pipeline.cli.tables import print_table
    from pipeline.config import find_config, load_config

    settings = load_config(find_config(config), overrides)
    deposits = build_bank(settings, store, _say)
    refused = sum(sum(one.refused.values()) for one in deposits)
    rows: list[tuple[str, ...]] = [("engine", "takes")]
    engines = sorted({engine for one in deposits for engine in one.engines})
    rows.extend((name, str(sum(one.engines[name] for one in deposits))) for name in engines)
    click.echo()
    print_table(rows)
    missing = [reason for one in deposits for reason in one.missing]
    click.echo(f"\n{store}: {len(deposits)} voices; {refused} takes were no good and were taken again")
    if missing:
        click.echo(f"{len(missing)} forms could be said by nobody, the first: {missing[0]}")
        raise click.exceptions.Exit(1)


def _say(deposit: "Deposit") -> None:
    flaws = ", ".join(f"{flaw.value} {count}" for flaw, count in sorted(deposit.refused.items()))
    click.echo(
        f"{deposit.voice.voice_id}: {sum(deposit.engines.values())} takes"
        + (f"; taken again: {flaws}" if flaws else "")
        + (f"; {len(deposit.missing)} forms missing" if deposit.missing else ""),
        err=True,
    )

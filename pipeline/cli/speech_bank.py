"""The command that fills the backchannel bank."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.produce import SET

if TYPE_CHECKING:
    from pipeline.banking import Deposit


_MOST_NAMED = 10


@click.command("bank")
@click.argument("config")
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=Path("outputs/store"),
    show_default=True,
    help="The store that runs share.",
)
@click.option(
    "--every-form",
    is_flag=True,
    help="Also what the embedded author writes: some two hundred forms instead of nineteen.",
)
@SET
def bank(config: str, store: Path, every_form: bool, overrides: tuple[str, ...]) -> None:
    """Build the backchannel bank: several checked takes of each short interjection, by every voice.

    CONFIG is a preset or a file, as for `humdial run`: it says who speaks (speech), in which languages and splits
    (seeds), and how many takes there are of a form (speech.bank.takes). Runs with the same speech section and
    store draw from them. What is stored already is not spoken again; the same command goes on where it stopped.
    Exit code 1 where some form could be said by nobody.
    """
    from pipeline.banking import build_bank
    from pipeline.cli.tables import print_table
    from pipeline.config import find_config, load_config

    settings = load_config(find_config(config), overrides)
    deposits = build_bank(settings, store, _tell, every_form=every_form)
    engines: Counter[str] = sum((one.engines for one in deposits), Counter())
    click.echo()
    print_table([("engine", "takes"), *((name, f"{count:,}") for name, count in engines.most_common())])
    spoken = sum(one.spoken for one in deposits)
    click.echo(
        f"\n{store}: {engines.total():,} takes by {len(deposits)} voices, {spoken:,} of them spoken now; on the way "
        f"to them, {sum(one.refused.total() for one in deposits):,} were no good"
    )
    missing = [reason for one in deposits for reason in one.missing]
    if missing:
        click.echo(f"\nforms of which there is no take: {len(missing)}")
        for reason in missing[:_MOST_NAMED]:
            click.echo(f"  {reason}")
        raise click.exceptions.Exit(1)


def _tell(deposit: "Deposit") -> None:
    flaws = ", ".join(f"{flaw.value} {count}" for flaw, count in sorted(deposit.refused.items()))
    click.echo(
        f"{deposit.voice.voice_id}: {deposit.engines.total()} takes, {deposit.spoken} spoken now"
        + (f"; no good: {flaws}" if flaws else "")
        + (f"; forms without a take: {len(deposit.missing)}" if deposit.missing else ""),
        err=True,
    )

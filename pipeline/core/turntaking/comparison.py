"""A plain table: what was measured, and how far it is from a reference."""

from pipeline.core.distances import emd_s, ks_distance
from pipeline.core.reference import Collection, Reference
from pipeline.core.turntaking.statistics import Quantity, TurnTakingStatistics
from pipeline.domain.record import Record

_RATE_NAMES = {
    Quantity.IPU_DURATION: "ipu",
    Quantity.TURN_DURATION: "turn",
    Quantity.BACKCHANNEL_DURATION: "backchannel",
    Quantity.BACKCHANNEL_STANDALONE_DURATION: "backchannel_standalone",
    Quantity.FTO: "speaker_change",
    Quantity.INTERRUPTION_OVERLAP: "tree_interruption",
    Quantity.TERMINAL_OVERLAP_OVERLAP: "tree_terminal_overlap",
    Quantity.FAILED_INTERRUPTION_OVERLAP: "tree_failed_interruption",
    Quantity.SIMULTANEOUS_START_OVERLAP: "tree_simultaneous_start",
    Quantity.TIMING_BACKCHANNEL_OVERLAP: "tree_timing_backchannel",
    Quantity.SHORT_INCURSION_OVERLAP: "tree_short_incursion",
    Quantity.SHORT_FLOOR_CHANGE_OVERLAP: "tree_short_floor_change",
}
"""Where the reference lists a quantity's rate under another name."""

# A summed length says nothing about offsets (they cancel), onsets and fractions.
_LENGTHS = tuple(q for q in Quantity if not any(part in q.value for part in ("fto", "onset", "since")))


class ComparisonRow(Record):
    """One line of the table. Lengths in seconds, but for quantities that are fractions.

    `ks` and `emd_s` are distances to the reference's table; a `ks` below `noise_ks_p95` is within what a
    sample of the reference's own corpus shows 95 times in 100. None: nothing to compare, or too few
    values to have it.
    """

    name: str
    n: int
    per_min: float | None
    s_per_min: float | None
    p5: float | None
    p50: float | None
    p95: float | None
    reference_per_min: float | None
    reference_p50: float | None
    ks: float | None
    emd_s: float | None
    noise_ks_mean: float | None
    noise_ks_p95: float | None


def describe_rows(
    statistics: TurnTakingStatistics,
    reference: Reference | None = None,
    collection: Collection = "whole_conversations",
) -> tuple[ComparisonRow, ...]:
    """The table's rows in a fixed order, one per quantity that was measured.

    `collection` says how the sample was collected, because that decides how far chance alone carries it:
    generated dialogues drawn one by one are nearer to `sixty_second_excerpts` than to whole conversations.
    """
    return tuple(
        _row(quantity, statistics, reference, collection)
        for quantity in Quantity
        if quantity in statistics.samples
    )


def _row(
    quantity: Quantity, statistics: TurnTakingStatistics, reference: Reference | None, collection: Collection
) -> ComparisonRow:
    sample = statistics.sample(quantity)
    known = bool(sample)
    table = reference.distributions.get(quantity.value) if reference else None
    rate = reference.rates.get(_RATE_NAMES.get(quantity, quantity.value)) if reference else None
    compared = table is not None and known
    noise = (
        reference.ks_noise_floor(len(sample), quantity.value, collection) if reference and compared else None
    )
    timed = statistics.total_s > 0
    return ComparisonRow(
        name=quantity.value,
        n=len(sample),
        per_min=statistics.per_min(quantity) if timed else None,
        s_per_min=statistics.s_per_min(quantity) if timed and quantity in _LENGTHS else None,
        p5=statistics.quantile(quantity, 0.05) if known else None,
        p50=statistics.quantile(quantity, 0.5) if known else None,
        p95=statistics.quantile(quantity, 0.95) if known else None,
        reference_per_min=rate.per_min if rate else None,
        reference_p50=table.p50 if table else None,
        ks=ks_distance(sample, table) if table and known else None,
        emd_s=emd_s(sample, table) if table and known and table.unit == "s" else None,
        noise_ks_mean=noise.ks_mean if noise else None,
        noise_ks_p95=noise.ks_p95 if noise else None,
    )

"""Figures of a description: floor transfers, gaps, pauses and overlap ratios beside the reference."""

from pathlib import Path

from pipeline.core.drawn import Drawn
from pipeline.core.reference import Reference
from pipeline.core.turntaking import Quantity
from pipeline.describing import Description
from pipeline.io.figures import Plotted, write_figures

_QUANTITIES = (
    (Quantity.FTO, "floor-transfer offset (s)"),
    (Quantity.GAP, "gap (s)"),
    (Quantity.PAUSE, "pause (s)"),
    (Quantity.OVERLAP_BETWEEN, "overlap between (s)"),
)


def plot_description(
    description: Description, reference: Reference, reference_name: str, directory: Path
) -> tuple[Path, ...]:
    """Write PNG files and return their paths. Raises ConfigError where matplotlib is not installed."""
    samples = description.statistics.samples
    plotted = [
        Plotted(quantity.value, label, samples.get(quantity, ()), reference.distributions.get(quantity.value))
        for quantity, label in _QUANTITIES
    ]
    if description.drawn is not None:
        free = description.drawn.samples[Drawn.TRANSFER]
        table = reference.distributions.get(Drawn.TRANSFER.table)
        plotted.append(Plotted("fto_not_fixed_by_events", "floor-transfer offset, no event (s)", free, table))
    return write_figures(directory, plotted, description.overlap_ratios, reference_name)

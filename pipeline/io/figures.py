"""Figures of turn-taking as PNG files. matplotlib is an extra (`plot`) and imported when one is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.reference import QuantileTable
from pipeline.domain.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RANGE_S = (-2.0, 3.0)
_SIZE_IN = (10.0, 3.6)
_MEASURED, _REFERENCE = "#1b6ca8", "#d1495b"


@dataclass(frozen=True, slots=True)
class Plotted:
    """One quantity to be drawn: file stem, axis label, values in seconds, the reference's table."""

    stem: str
    label: str
    values: Sequence[float]
    table: QuantileTable | None


def write_figures(
    directory: Path, quantities: Sequence[Plotted], overlap_ratios: Sequence[float], reference: str
) -> tuple[Path, ...]:
    """Histogram and distribution function per quantity that has values, and overlap ratios; what was written.

    Raises ConfigError where matplotlib is not installed.
    """
    written = []
    for quantity in quantities:
        if len(quantity.values):
            figure = _new_figure()
            _draw(figure, quantity, reference)
            written.append(_save(figure, directory / f"{quantity.stem}.png"))
    if len(overlap_ratios):
        figure = _new_figure()
        axes = figure.subplots()
        axes.hist(overlap_ratios, bins=30, color=_MEASURED)
        axes.set_xlabel("overlap ratio (time with both speaking / time with any)")
        axes.set_ylabel("conversations")
        written.append(_save(figure, directory / "overlap_ratio.png"))
    return tuple(written)


def _new_figure() -> "Figure":
    """Without the global state of pyplot: no window, no display, nothing left open."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ConfigError(
            "figures: matplotlib is not installed; pip install 'humdial-pipeline[plot]', or leave out --plot"
        ) from error
    return Figure(figsize=_SIZE_IN, layout="constrained")


def _draw(figure: "Figure", quantity: Plotted, reference: str) -> None:
    histogram, curve = figure.subplots(1, 2)
    values = np.sort(np.asarray(quantity.values, dtype=np.float64))
    low, high = _bounds(values, quantity.table)
    bins = np.linspace(low, high, 61)
    shown = np.clip(values, low, high)
    histogram.hist(shown, bins=bins, density=True, color=_MEASURED, label=f"measured, n = {len(values):,}")
    curve.step(values, np.arange(1, len(values) + 1) / len(values), where="post", color=_MEASURED)
    if quantity.table is not None:
        share = quantity.table.cdf_array(bins)
        middle = (bins[1:] + bins[:-1]) / 2
        inside = (bins[:-1] >= quantity.table.quantile(0.0)) & (bins[1:] <= quantity.table.quantile(1.0))
        density = np.where(
            inside, np.diff(share) / np.diff(bins), np.nan
        )  # beyond its ends a table knows nothing
        histogram.plot(middle, density, color=_REFERENCE, label=reference)
        curve.plot(bins, share, color=_REFERENCE)
    histogram.legend(frameon=False)
    _label(histogram, quantity.label, "density", (low, high))
    _label(curve, quantity.label, "share at or below", (low, high))


def _bounds(
    values: "np.ndarray[tuple[int], np.dtype[np.float64]]", table: QuantileTable | None
) -> tuple[float, float]:
    ends = [float(values[0]), float(values[-1])]
    if table is not None:
        ends += [table.quantile(0.0), table.quantile(1.0)]
    low, high = max(min(ends), _RANGE_S[0]), min(max(ends), _RANGE_S[1])
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def _label(axes: "Axes", x: str, y: str, limits: tuple[float, float]) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xlim(*limits)


def _save(figure: "Figure", path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path

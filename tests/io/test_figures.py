"""Figures that are drawn, and the message where they cannot be."""

import sys
from pathlib import Path

import pytest

from pipeline.core.reference import QuantileTable
from pipeline.domain.errors import ConfigError
from pipeline.io.figures import Plotted, write_figures

TABLE = QuantileTable(unit="s", levels=(0.0, 0.5, 1.0), quantiles=(-0.5, 0.1, 1.0))
VALUES = (-0.3, 0.0, 0.1, 0.1, 0.2, 0.9, 7.0)


def test_a_figure_per_quantity_that_happened(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    quantities = (
        Plotted("fto", "offset (s)", VALUES, TABLE),
        Plotted("gap", "gap (s)", (0.2,), None),
        Plotted("pause", "pause (s)", (), TABLE),
    )
    written = write_figures(tmp_path / "new", quantities, (0.01, 0.05), "table")
    assert [path.name for path in written] == ["fto.png", "gap.png", "overlap_ratio.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_without_matplotlib_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r"humdial-pipeline\[plot\]"):
        write_figures(tmp_path, (Plotted("fto", "offset (s)", VALUES, TABLE),), (), "table")

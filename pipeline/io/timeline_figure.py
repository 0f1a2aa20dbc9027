"""A segment drawn: the level of each speaker's channel, who is heard when, and every event at its onset.

::

    A  ~~~~^^^^~~^^^^^^^~~~     level
       ==== =======             talkspurts
    B  ~~~~~~~^^~~~~~~~~~^^
              ==          ==
              ^ backchannel    ^ interruption
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8a5fa8")
_SECONDS_PER_INCH = 2.5


@dataclass(frozen=True, slots=True)
class Lane:
    """One speaker: talkspurts in seconds, and the level per 10 ms from `start_s` where there is audio."""

    name: str
    talkspurts_s: tuple[tuple[float, float], ...]
    levels_db: npt.NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Flag:
    """One event."""

    onset_s: float
    initiator: str
    label: str
    is_anchor: bool


def draw_timeline(
    path: Path, title: str, span_s: tuple[float, float], lanes: tuple[Lane, ...], flags: tuple[Flag, ...]
) -> Path:
    """Write a PNG. Raises ConfigError where matplotlib is not installed."""
    start_s, end_s = span_s
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ConfigError(
            "timelines: matplotlib is not installed; pip install 'humdial-pipeline[plot]', or leave out --plot"
        ) from error
    width = min(max((end_s - start_s) / _SECONDS_PER_INCH, 8.0), 40.0)
    figure = Figure(figsize=(width, 1.6 * len(lanes) + 1.2), layout="constrained")
    rows = figure.subplots(len(lanes), 1, sharex=True, squeeze=False)[:, 0]
    for index, (axes, lane) in enumerate(zip(rows, lanes, strict=True)):
        _draw_lane(axes, lane, start_s, _COLOURS[index % len(_COLOURS)])
        _draw_flags(axes, [flag for flag in flags if flag.initiator == lane.name])
        axes.set_xlim(start_s, end_s)
    rows[0].set_title(title, fontsize=10)
    rows[-1].set_xlabel("seconds of the recording")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path


def _draw_lane(axes: "Axes", lane: Lane, start_s: float, colour: str) -> None:
    if lane.levels_db is not None:
        at_s = start_s + np.arange(len(lane.levels_db)) * 0.010 + 0.0125
        axes.fill_between(at_s, -100, lane.levels_db, color=colour, alpha=0.35, linewidth=0)
    axes.broken_barh([(a, b - a) for a, b in lane.talkspurts_s], (-112, 8), color=colour)
    axes.set_ylim(-115, 20)
    axes.set_yticks([-100, -50, 0])
    axes.set_ylabel(f"{lane.name}  (dB)")


def _draw_flags(axes: "Axes", flags: list[Flag]) -> None:
    for number, flag in enumerate(flags):
        colour = "black" if flag.is_anchor else "grey"
        axes.axvline(flag.onset_s, color=colour, linewidth=0.8, linestyle="-" if flag.is_anchor else ":")
        axes.text(flag.onset_s, 4 + 7 * (number % 2), f" {flag.label}", fontsize=7, color=colour)

"""How a run's timing came out: what the overlap dial moved, and what was drawn against its reference."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.core.drawn import Drawn, DrawnTiming, drawn_rows, measure_drawn, recorded_spans
from pipeline.core.reference import Reference
from pipeline.core.timing.calibration import Calibration, SpreadReach
from pipeline.core.turntaking import ComparisonRow
from pipeline.domain.record import Record
from pipeline.domain.timeline import Timeline

_CURVE_POINTS = 161
_CURVE_WITHIN_S = (-3.0, 5.0)
"""An axis that one very late answer cannot stretch; shares stay those of all transfers."""


@dataclass(frozen=True, slots=True)
class TimingBasis:
    """What timing was asked for, and what it drew from."""

    reference_name: str
    """As the configuration has it: `switchboard`, or a file."""
    reference: Reference
    profile: str
    calibration: Calibration | None = None
    overlap_spread: tuple[float, float] | None = None
    """Lowest and highest ratio where dialogues were each given their own."""
    own_response_latency: bool = False
    """The assistant's responses follow a law of their own instead of the reference."""
    spread_reach: SpreadReach | None = None
    """How many dialogues could have their own ratio of the spread."""


class Curve(Record):
    """Two distribution functions on one grid.

    ::

        share
        1.0                  ....----   run
        0.5            ../---           reference
        0.0  ______../
            -1 s       0        1 s     offset
    """

    at_s: tuple[float, ...]
    run: tuple[float, ...]
    """Share of the run's offsets at or below each point."""
    reference: tuple[float, ...] | None
    """The same of the reference's table; None where it has none."""


class TimingReport(Record):
    """The section `timing` of `report/stats.json`."""

    reference: str
    profile: str
    own_response_latency: bool
    overlap_spread: tuple[float, float] | None
    spread_reach: SpreadReach | None
    """How many dialogues could have their own ratio; None where none was spread."""
    calibration: Calibration | None
    """None: no overlap ratio was asked for of the dataset as a whole."""
    drawn: tuple[ComparisonRow, ...]
    """Durations that no event fixes, from the records, each against the table it was drawn from."""
    transfers: Curve | None
    """Floor-transfer offsets that no event fixes; None where there are none."""


@dataclass(slots=True)
class TimingTally:
    """Drawn durations so far, eight bytes each; dialogues are let go of."""

    samples_s: "dict[Drawn, array[float]]" = field(
        default_factory=lambda: {quantity: array("d") for quantity in Drawn}
    )

    def add(self, timeline: Timeline) -> None:
        """Measure one dialogue."""
        for quantity, values in measure_drawn(timeline, recorded_spans(timeline)).samples.items():
            self.samples_s[quantity].extend(values)

    def report(self, basis: TimingBasis) -> TimingReport:
        """Everything so far, against the reference."""
        drawn = DrawnTiming(samples={quantity: tuple(values) for quantity, values in self.samples_s.items()})
        return TimingReport(
            reference=basis.reference_name,
            profile=basis.profile,
            own_response_latency=basis.own_response_latency,
            overlap_spread=basis.overlap_spread,
            spread_reach=basis.spread_reach,
            calibration=basis.calibration,
            drawn=drawn_rows(drawn, basis.reference),
            transfers=_curve(self.samples_s[Drawn.TRANSFER], Drawn.TRANSFER, basis.reference),
        )


def _curve(values_s: Sequence[float], quantity: Drawn, reference: Reference) -> Curve | None:
    if not values_s:
        return None
    ordered = np.sort(np.asarray(values_s, dtype=np.float64))
    table = reference.distributions.get(quantity.table)
    ends = [float(ordered[0]), float(ordered[-1])]
    if table is not None:
        ends += [table.quantile(0.0), table.quantile(1.0)]
    # A tenth of a second of room, so that a single value is a step inside the axis and not its edge.
    low, high = np.clip((min(ends) - 0.1, max(ends) + 0.1), *_CURVE_WITHIN_S)
    if low >= high:  # everything lies beyond one end
        low, high = _CURVE_WITHIN_S
    at_s = np.linspace(low, high, _CURVE_POINTS).round(4)
    run = np.searchsorted(ordered, at_s, side="right") / len(ordered)
    return Curve(
        at_s=tuple(at_s.tolist()),
        run=tuple(run.round(4).tolist()),
        reference=None if table is None else tuple(table.cdf_array(at_s).round(4).tolist()),
    )

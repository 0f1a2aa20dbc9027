"""Figures: of a description, floor transfers, gaps, pauses and overlap beside the reference; of a mined segment, its
timeline.
"""

from pathlib import Path

from pipeline.core.drawn import Drawn
from pipeline.core.heard import Frames
from pipeline.core.mined_rows import SegmentRow
from pipeline.core.reference import Reference
from pipeline.core.suppression import FRAME_S
from pipeline.core.turntaking import Quantity
from pipeline.describing import Description
from pipeline.io.figures import Plotted, write_figures
from pipeline.io.timeline_figure import Flag, Lane, draw_timeline

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


def plot_segment(row: SegmentRow, frames: Frames | None, path: Path) -> None:
    """Draw a segment as a PNG, its events at their onsets, anchors in black.

    Raises ConfigError where matplotlib is not installed.
    """
    first, last = round(row.start / FRAME_S), round(row.end / FRAME_S)
    lanes = tuple(
        Lane(
            name=speaker.id,
            talkspurts_s=tuple((turn.start, turn.end) for turn in row.turns if turn.speaker == speaker.id),
            levels_db=frames.levels_db(speaker.channel, first, last)
            if frames is not None and speaker.channel is not None
            else None,
        )
        for speaker in row.speakers
    )
    flags = tuple(
        Flag(event.onset, event.initiator, event.type.value.replace("_", " "), event.is_anchor)
        for event in row.events
    )
    title = f"{row.segment_id}   {row.mode}   {row.audio.sample_rate} Hz"
    draw_timeline(path, title, (row.start, row.end), lanes, flags)

"""The report of a finished run: numbers, and a page to listen on."""

from pathlib import Path

from pipeline.core.report import RunReport, summarise
from pipeline.core.report_timing import TimingBasis
from pipeline.io.references import load_reference
from pipeline.io.report_page import write_report
from pipeline.io.run_directory import RunDirectory
from pipeline.run_records import RunDescription, read_description
from pipeline.stages.timing import OverlapSpread


def report_run(run_directory: Path) -> RunReport:
    """Write `report/stats.json` and `report/index.html` of a run and return its numbers.

    Raises ConfigError where there is no finished run, or where the reference that it was timed by is gone.
    """
    run = RunDirectory(run_directory)
    description = read_description(run_directory)
    report = summarise(
        run.read_dialogues(),
        run.read_refusals(),
        timing_basis(description),
        rendered=frozenset(description.versions.sounds),
    )
    write_report(run_directory, report, run.read_dialogues())
    return report


def timing_basis(description: RunDescription) -> TimingBasis:
    """What a run's timing was asked for and drew from, by its own account."""
    timing = description.config.timing
    asked = timing.overlap_ratio
    return TimingBasis(
        reference_name=timing.reference,
        reference=load_reference(timing.reference),
        profile=timing.profile,
        calibration=description.calibration,
        overlap_spread=(asked.min, asked.max) if isinstance(asked, OverlapSpread) else None,
        own_response_latency=timing.response_latency is not None,
        spread_reach=description.spread,
    )

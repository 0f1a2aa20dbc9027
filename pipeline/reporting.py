"""The report of a finished run: numbers, and a page to listen on."""

from pathlib import Path

from pipeline.core.report import RunReport, summarise
from pipeline.io.report_page import write_report
from pipeline.io.run_directory import RunDirectory


def report_run(run_directory: Path) -> RunReport:
    """Write `report/stats.json` and `report/index.html` of a run and return its numbers.

    Raises ConfigError where there is no finished run.
    """
    run = RunDirectory(run_directory)
    report = summarise(run.read_dialogues(), run.read_refusals())
    write_report(run_directory, report, run.read_dialogues())
    return report

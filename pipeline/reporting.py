"""The report of a finished run: numbers, and a page to listen on."""

import hashlib
from pathlib import Path

from pipeline.core.report import RunReport, summarise
from pipeline.core.report_takes import Takes, summarise_takes
from pipeline.core.report_timing import TimingBasis
from pipeline.domain.spoken import SpokenScript
from pipeline.io.references import load_reference
from pipeline.io.report_page import write_report
from pipeline.io.run_directory import RunDirectory
from pipeline.run_records import RunDescription, read_description
from pipeline.stages import speech
from pipeline.stages.timing import OverlapSpread
from pipeline.wiring import directory_of

_NOTE = "takes"


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
    report = report.model_copy(update={"takes": _takes(run).engines})
    write_report(run_directory, report, run.read_dialogues())
    return report


def _takes(run: RunDirectory) -> Takes:
    """Counted once and noted beside the clips' records: reading all of those again would be half of a rerun."""
    stage = directory_of(speech.NAME)
    stamps = tuple(run.find_shards(stage))
    key = hashlib.sha256("".join(stamp.records_sha256 for _, stamp in stamps).encode()).hexdigest()
    noted = run.find_note(stage, _NOTE, key, Takes)
    if noted is not None or not stamps:
        return noted or Takes(engines=())
    takes = summarise_takes(
        spoken for index, _ in stamps for spoken in run.read_shard(stage, index, SpokenScript)
    )
    run.write_note(stage, _NOTE, key, takes)
    return takes


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

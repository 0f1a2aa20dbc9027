"""Exporting a finished run."""

import hashlib
from pathlib import Path

from pipeline.core.exports.ids import assign_ids
from pipeline.core.exports.manifest import ExportRow
from pipeline.domain.quarantine import Refusal
from pipeline.io.export_tree import (
    ExportStamp,
    ExportTree,
    RunAudioSource,
    find_export,
    whole_export,
    write_stamp,
)
from pipeline.io.files import file_sha256
from pipeline.io.jsonl import write_records
from pipeline.io.run_directory import RunDirectory
from pipeline.stages import export
from pipeline.stages.shard import Shard


def export_run(run_directory: Path, config: export.Config, out: Path) -> ExportStamp:
    """Write a run's dialogues in a published format to `out`, whole or not at all.

    An export that was made from the same records with the same options is left as it is. What the format
    cannot hold is in `out/quarantine.jsonl`. Raises ConfigError where there is no finished run, or where
    `out` holds something else.
    """
    run = RunDirectory(run_directory)
    timelines = (dialogue.timeline for dialogue in run.read_dialogues())
    ids = assign_ids(timelines, config.track2.first_speaker)
    records = file_sha256(run.dialogues_path)
    key = hashlib.sha256(f"{records}/{export.VERSION}/{config.fingerprint()}".encode()).hexdigest()
    found = find_export(out)
    if found is not None and found.key == key:
        return found
    with whole_export(out) as partial:
        sink = ExportTree(partial)
        deps = export.Deps(ids=ids, audio=RunAudioSource(run_directory), sink=sink)
        rows: list[ExportRow] = []
        refusals: list[Refusal] = []
        for index, dialogue in enumerate(run.read_dialogues()):
            done = export.run(Shard(index=index, records=(dialogue,)), config, deps)
            rows.extend(done.records)
            refusals.extend(done.refusals)
        export.close(rows, config, sink)
        if refusals:
            write_records(partial / "quarantine.jsonl", refusals)
        stamp = ExportStamp(
            format=config.format, key=key, num_dialogues=len(rows), num_refusals=len(refusals)
        )
        write_stamp(partial, stamp)
    return stamp

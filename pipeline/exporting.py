"""Exporting a finished run."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import JsonValue, ValidationError

from pipeline.core.exports.format_names import FormatName
from pipeline.domain.errors import ConfigError
from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record
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
from pipeline.io.mined_files import require_audio
from pipeline.io.run_directory import RunDirectory
from pipeline.stages import export
from pipeline.stages.shard import Shard


def parse_options(settings: Sequence[str]) -> dict[str, JsonValue]:
    """Options as they are given on a command line: `KEY=VALUE`, the value in YAML.

    >>> parse_options(["first_speaker=41", "splits=[train]"])
    {'first_speaker': 41, 'splits': ['train']}
    """
    options: dict[str, JsonValue] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {setting!r}: {text!r} is not a YAML value") from error
        if not equals or not key.strip():
            raise ConfigError(f"--set {setting!r}: wanted KEY=VALUE, for example first_speaker=41")
        options[key.strip()] = value
    return options


def export_config(format_name: FormatName, options: Mapping[str, JsonValue]) -> export.Config:
    """The configuration of one export from the format's own options (`splits` is everybody's).

    Raises ConfigError naming the option, what was got and what is known.
    """
    own = {key: value for key, value in options.items() if key != "splits"}
    content: dict[str, JsonValue] = {"format": format_name.value, format_name.section: own}
    if "splits" in options:
        content["splits"] = options["splits"]
    try:
        return export.Config.model_validate_json(json.dumps(content, default=str))  # str: YAML's dates
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"] if part != format_name.section)
        if first["type"] != "extra_forbidden":
            raise ConfigError(
                f"{format_name.value}: {name}: {first['msg']}; got {first['input']!r}"
            ) from error
        section = getattr(export.Config(format=format_name), format_name.section)
        known = ", ".join(["splits", *type(section).model_fields])
        raise ConfigError(f"{format_name.value} has no option {name!r}; known: {known}") from error


def export_run(run_directory: Path, config: export.Config, out: Path) -> ExportStamp:
    """Write a run's dialogues in a published format to `out`, whole or not at all.

    An export that was made from the same records with the same options is left as it is. What the format
    cannot hold is in `out/quarantine.jsonl`. Raises ConfigError where there is no finished run, or where
    `out` holds something else.
    """
    require_audio(run_directory, config.format.value)
    run = RunDirectory(run_directory)
    timelines = (dialogue.timeline for dialogue in run.read_dialogues())
    ids = export.format_of(config).assign_ids(timelines)
    records = file_sha256(run.dialogues_path)
    key = hashlib.sha256(f"{records}/{export.VERSION}/{config.fingerprint()}".encode()).hexdigest()
    found = find_export(out)
    if found is not None and found.key == key:
        return found
    with whole_export(out) as partial:
        sink = ExportTree(partial)
        deps = export.Deps(ids=ids, audio=RunAudioSource(run_directory), sink=sink)
        rows: list[Record] = []
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

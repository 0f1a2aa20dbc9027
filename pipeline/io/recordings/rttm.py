"""Who speaks when as RTTM: one file per recording, readable by every tool of the field."""

from pathlib import Path

from pipeline.domain.mining import RecordedActivity
from pipeline.io.files import write_text
from pipeline.io.mining_cache import file_name_of


def rttm_name(recording_id: str) -> str:
    """Name of a recording's file, no other's."""
    return f"{file_name_of(recording_id)}.rttm"


def write_rttm(directory: Path, activity: RecordedActivity) -> Path:
    """Write a recording's talkspurts by start, and return where."""
    path = directory / rttm_name(activity.recording_id)
    names = _as_fields([speaker.speaker for speaker in activity.speakers])
    spurts = sorted(
        (span.start, span.end, names[speaker.speaker])
        for speaker in activity.speakers
        for span in speaker.talkspurts
    )
    rate, uri = activity.sampling_rate, activity.recording_id
    lines = (
        f"SPEAKER {uri} 1 {start / rate:.3f} {(end - start) / rate:.3f} <NA> <NA> {name} <NA> <NA>\n"
        for start, end, name in spurts
    )
    write_text(path, "".join(lines))
    return path


def _as_fields(names: list[str]) -> dict[str, str]:
    """Names without spaces, which separate the fields of a line; two that become alike are numbered.

    >>> _as_fields(["Ann Lee", "Ann_Lee", ""])
    {'Ann Lee': 'Ann_Lee-2', 'Ann_Lee': 'Ann_Lee', '': 'unnamed'}
    """
    taken = {name for name in names if name and not any(map(str.isspace, name))}
    fields: dict[str, str] = {}
    for name in names:
        field = plain = "_".join(name.split()) or "unnamed"
        number = 1
        while field != name and field in taken:
            number += 1
            field = f"{plain}-{number}"
        taken.add(field)
        fields[name] = field
    return fields

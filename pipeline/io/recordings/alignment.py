"""Two files of one call that were not started together.

    audio/agent/<sid>.wav     |--lead--|========== the conversation ==========|
    audio/caller/<sid>.wav             |========== the conversation ==========|
    transcript/<sid>.json     says how long the lead is

Of all layouts that are read only Harper Valley's has this: each call's transcript measures it, and it differs from
call to call. Files that lie otherwise begin together.
"""

import re
from pathlib import Path

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.transcripts.harper_valley import read_leads_ms

_CALL_ID = re.compile(r"[0-9a-f]{16}")


def leads_s(paths: tuple[Path, ...]) -> tuple[float, ...] | None:
    """Per file, by how much it begins before the conversation; None where nothing says so.

    Raises ConfigError where a transcript should, and cannot be read or does not name a side.
    """
    transcript = aligning_transcript(paths)
    if transcript is None:
        return None
    known = read_leads_ms(transcript)
    roles = tuple(path.parent.name for path in paths)
    unknown = [role for role in roles if role not in known]
    if unknown:
        raise ConfigError(f"{transcript}: no segment of the {unknown[0]}: its recording cannot be aligned")
    return tuple(known[role] / 1000 for role in roles)


def aligning_transcript(paths: tuple[Path, ...]) -> Path | None:
    """The file that says how two others lie, whether it exists or not; None where their layout has none."""
    calls = {path.stem for path in paths}
    if sorted(path.parent.name for path in paths) != ["agent", "caller"] or len(calls) > 1:
        return None
    call = calls.pop()
    return paths[0].parents[2] / "transcript" / f"{call}.json" if _CALL_ID.fullmatch(call) else None

"""Who speaks when as RTTM: one file per recording, readable by every tool of the field."""

from pathlib import Path

from pipeline.domain.mining import RecordedActivity
from pipeline.io.files import write_text


def write_rttm(directory: Path, activity: RecordedActivity) -> Path:
    """Write `<recording>.rttm`, talkspurts by start, and return its path."""
    path = directory / f"{activity.recording_id.replace(':', '_')}.rttm"
    spurts = sorted(
        (span.start, span.end, speaker.speaker)
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
